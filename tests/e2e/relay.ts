// One relay per Playwright worker, on a free port, with its own data. `stop`, `kill` and `start` keep port and data: an origin is what a browser stores under.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test as base } from '@playwright/test'

const root = fileURLToPath(new URL('../..', import.meta.url))

export interface Relay {
  readonly url: string
  readonly dataDir: string
  /** Ends it kindly, as an operator does. */
  stop(): Promise<void>
  /** Ends it at once, as a power cut does. */
  kill(): Promise<void>
  start(): Promise<void>
}

/** @param env settings on top of those that let many tests share one address */
export async function startRelay(env: Record<string, string> = {}): Promise<Relay> {
  const dataDir = mkdtempSync(join(tmpdir(), 'dupecord-'))
  let child: ChildProcess | undefined
  let port = '0'
  let url = ''
  const end = async (signal: NodeJS.Signals) => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill(signal)
    await gone
  }
  const start = async () => {
    child = spawn(process.execPath, ['relay/main.ts'], {
      cwd: root,
      env: { ...process.env, ...generous, ...env, PORT: port, DATA_DIR: dataDir },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let printed = ''
    for await (const chunk of child.stdout ?? []) {
      printed += String(chunk)
      const found = /http:\/\/localhost:(\d+)/.exec(printed)
      if (!found?.[1]) continue
      port = found[1]
      url = found[0]
      break
    }
    if (!url) throw new Error(`the relay did not start: ${printed}`)
    child.stdout?.resume()
  }
  await start()
  return {
    get url() {
      return url
    },
    dataDir,
    start,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
  }
}

/** All people of a test run come from one address. */
const generous = {}

export const test = base.extend<object, { relay: Relay }>({
  relay: [
    async ({}, use) => {
      const relay = await startRelay()
      await use(relay)
      await relay.stop()
      rmSync(relay.dataDir, { recursive: true, force: true })
    },
    { scope: 'worker' },
  ],
})
