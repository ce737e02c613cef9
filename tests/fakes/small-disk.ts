// A disk of a few megabytes, for filling: a tmpfs in a mount namespace of its own, which ends with the process that holds it. Needs a Linux
// that lets us make one; where it does not, `canMakeDisks` says so.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'

const isRoot = process.getuid?.() === 0
const own = isRoot ? ['-m'] : ['-r', '-m']

export const canMakeDisks =
  process.platform === 'linux' && spawnSync('unshare', [...own, 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0

export interface SmallDisk {
  /** Where it lies, for commands that run `under`. */
  readonly folder: string
  /** What to put before a command, so that it sees the disk. */
  readonly under: readonly string[]
  /** Takes all the room that is left, or gives it back. */
  fill(full: boolean): void
  remove(): Promise<void>
}

export async function makeSmallDisk(megabytes: number): Promise<SmallDisk> {
  const folder = '/mnt'
  const holder: ChildProcess = spawn(
    'unshare',
    [...own, 'sh', '-c', `mount -t tmpfs -o size=${megabytes}m tmpfs ${folder} && echo ready && exec cat`],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  )
  if (holder.stdout) await once(holder.stdout, 'data')
  const under = ['nsenter', '-t', String(holder.pid), ...(isRoot ? ['-m'] : ['-U', '-m', '--preserve-credentials'])]
  const run = (command: string) => {
    const [name = '', ...args] = [...under, 'sh', '-c', command]
    return spawnSync(name, args)
  }
  return {
    folder,
    under,
    fill: (full) => void run(full ? `dd if=/dev/zero of=${folder}/fill bs=4k` : `rm -f ${folder}/fill`),
    remove: async () => {
      const gone = once(holder, 'exit')
      holder.stdin?.end()
      await gone
    },
  }
}
