// The first command on a clean clone: `npm start` until it says where it is, and what then lies on the disk.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Figure } from './figures.ts'

export async function measureColdStart(root: string): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'dupecord-cold-'))
  const clone = join(folder, 'dupecord')
  try {
    const cloned = spawnSync('git', ['clone', '--quiet', root, clone], { stdio: 'inherit' })
    if (cloned.status !== 0) throw new Error('the clone failed')
    const start = performance.now()
    const env = { ...process.env, PORT: '0', DATA_DIR: join(folder, 'data') }
    // A group of its own: npm, its shell and the relay end together.
    const child = spawn('npm', ['start'], { cwd: clone, env, stdio: ['ignore', 'pipe', 'inherit'], detached: true })
    const gone = once(child, 'exit')
    await new Promise<void>((resolve, reject) => {
      let printed = ''
      child.stdout.on('data', (chunk) => {
        printed += String(chunk)
        if (/http:\/\/localhost:\d+/.test(printed)) resolve()
      })
      child.once('exit', (code) => reject(new Error(`npm start ended with ${code}: ${printed}`)))
    })
    const seconds = (performance.now() - start) / 1000
    if (child.pid) process.kill(-child.pid, 'SIGTERM')
    await gone
    return [
      {
        name: 'cold start: time',
        value: seconds,
        unit: 's',
        note: 'clean clone, npm start until it prints its address; npm’s cache as it is here',
      },
      {
        name: 'cold start: disk',
        value: diskBytes(clone),
        unit: 'bytes',
        note: 'the clone with packages and build, without git’s own',
      },
    ]
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function diskBytes(folder: string): number {
  const { stdout } = spawnSync('du', ['-sk', '--exclude=.git', folder], { encoding: 'utf8' })
  return Number.parseInt(stdout, 10) * 1024
}
