// A real relay in a process of its own, on a free port, with its own data. `stop`, `kill` and `start` keep port and data:
// an origin is what a browser stores under.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

export interface RelayProcess {
  readonly url: string
  readonly dataDir: string
  /** Of the process as it runs now; 0 while it does not. */
  readonly pid: number
  /** Ends it kindly, as an operator does. Answers how it ended. */
  stop(): Promise<number | null>
  /** Ends it at once, as a power cut does. */
  kill(): Promise<number | null>
  start(): Promise<void>
  /** Stops it and removes its data. */
  remove(): Promise<void>
}

/** All people of a test run come from one address. */
const generous = {
  LOG_LEVEL: 'warn',
  LIMIT_PRELOGIN: '10000/60',
  LIMIT_LOGIN_FAILURES_PER_ADDRESS: '10000/60',
  LIMIT_REGISTER_PER_ADDRESS: '10000/60',
  LIMIT_REGISTER_PER_DAY: '10000/60',
  LIMIT_USERNAME_CHECKS: '10000/60',
  LIMIT_PREVIEWS: '10000/60',
  LIMIT_SOCKETS: '10000/60',
  LIMIT_NEWCOMERS_PER_ADDRESS_MAX: '10000',
}

export function newDataDir(): string {
  return mkdtempSync(join(tmpdir(), 'dupecord-'))
}

/**
 * @param settings environment variables on top of those that let many tests share one address
 * @param onLog gets what it writes to its log, which else goes where this process' own errors go
 * @param under a command that runs the relay's
 */
export async function startRelay(
  settings: Record<string, string> = {},
  dataDir = newDataDir(),
  onLog?: (text: string) => void,
  under: readonly string[] = [],
): Promise<RelayProcess> {
  let child: ChildProcess | undefined
  let port = '0'
  let url = ''
  const end = async (signal: NodeJS.Signals) => {
    if (!child) return null
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
    const gone = once(child, 'exit')
    child.kill(signal)
    await gone
    return child.exitCode
  }
  const start = async () => {
    const [command = '', ...args] = [...under, process.execPath, join(root, 'relay/main.ts')]
    child = spawn(command, args, {
      cwd: root,
      env: { ...process.env, ...generous, ...settings, PORT: port, DATA_DIR: dataDir },
      stdio: ['ignore', 'pipe', onLog ? 'pipe' : 'inherit'],
    })
    child.stderr?.on('data', (chunk) => onLog?.(String(chunk)))
    ;({ port, url } = await addressPrinted(child))
  }
  await start()
  return {
    get url() {
      return url
    },
    dataDir,
    get pid() {
      return child?.exitCode === null ? (child.pid ?? 0) : 0
    },
    start,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    remove: async () => {
      await end('SIGTERM')
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

/** `npm run relay -- …` over a data directory. */
export async function operate(dataDir: string, ...words: string[]): Promise<{ code: number; printed: string }> {
  const child = spawn(process.execPath, ['relay/main.ts', ...words], { cwd: root, env: { ...process.env, DATA_DIR: dataDir } })
  let printed = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      printed += String(chunk)
    })
  const [code] = await once(child, 'close')
  return { code: Number(code), printed }
}

function addressPrinted(child: ChildProcess): Promise<{ port: string; url: string }> {
  return new Promise((resolve, reject) => {
    let printed = ''
    child.stdout?.on('data', (chunk) => {
      printed += String(chunk)
      const found = /http:\/\/localhost:(\d+)/.exec(printed)
      if (found?.[1]) resolve({ url: found[0], port: found[1] })
    })
    child.once('exit', (code) => reject(new Error(`the relay ended with ${code}: ${printed}`)))
  })
}
