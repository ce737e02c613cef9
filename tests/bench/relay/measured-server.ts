// A server under measurement: a process of its own on a core of its own, asked for its memory and its profile over its channel.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { pinned } from './machine.ts'
import type { Answer, Memory, Question } from './servers/measured.ts'

export interface MeasuredServer {
  readonly port: number
  readonly pid: number
  memory(): Promise<Memory>
  startProfile(): Promise<void>
  /** Writes what V8's sampling profiler saw since then. */
  endProfile(file: string): Promise<void>
  stop(): Promise<void>
}

/** @param script in `servers/` @param cores for taskset, '' = any */
export async function startServer(script: string, args: readonly string[], cores: string): Promise<MeasuredServer> {
  const path = fileURLToPath(new URL(`servers/${script}.ts`, import.meta.url))
  const [command, ...rest] = pinned(cores, [process.execPath, '--expose-gc', '--no-warnings', path, ...args])
  const child = spawn(command, rest, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const answer = (question?: Question) => answerOf(child, question)
  const first = await answer()
  if (!('ready' in first) || child.pid === undefined) throw new Error(`${script} did not start`)
  return {
    port: first.ready,
    pid: child.pid,
    async memory() {
      const reply = await answer({ ask: 'memory' })
      return 'memory' in reply ? reply.memory : { rss: Number.NaN, heap: Number.NaN }
    },
    startProfile: async () => void (await answer({ ask: 'profile' })),
    endProfile: async (file) => void (await answer({ ask: 'profiled', file })),
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const gone = once(child, 'exit')
      child.kill('SIGTERM')
      const late = setTimeout(() => child.kill('SIGKILL'), 5_000)
      await gone
      clearTimeout(late)
    },
  }
}

function answerOf(child: ChildProcess, question: Question | undefined): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const end = () => {
      child.off('message', hear)
      child.off('exit', fail)
    }
    const hear = (answer: Answer) => {
      end()
      resolve(answer)
    }
    const fail = (code: number | null) => {
      end()
      reject(new Error(`a server ended with ${code}`))
    }
    child.on('message', hear)
    child.on('exit', fail)
    if (question) child.send(question)
  })
}
