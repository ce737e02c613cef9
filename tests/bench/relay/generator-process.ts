// Runs one job in a generator of its own, on its own core, and passes its questions on to the server.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Said, Told } from './generator/generator.ts'
import type { Job, JobResult, ServerAnswers } from './generator/job.ts'
import { cores, pinned } from './machine.ts'
import type { MeasuredServer } from './measured-server.ts'

const script = fileURLToPath(new URL('generator/generator.ts', import.meta.url))

/** @throws {Error} what failed in the generator */
export function runJob(job: Job, server: MeasuredServer): Promise<JobResult> {
  const [command, ...rest] = pinned(cores.generator, [process.execPath, '--no-warnings', '--max-old-space-size=3000', script])
  const child = spawn(command, rest, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const tell = (told: Told) => child.send(told)
  tell({ job })
  const answer = async (question: keyof ServerAnswers) => {
    if (question === 'memory') return server.memory()
    await (question === 'startProfile' ? server.startProfile() : server.endProfile(job.profile))
    return undefined
  }
  return new Promise((resolve, reject) => {
    let result: JobResult | undefined
    child.on('message', (said: Said) => {
      if ('ask' in said) answer(said.ask).then((memory) => tell({ answer: memory }), reject)
      else if ('failed' in said) reject(new Error(said.failed))
      else result = said.result
    })
    child.on('exit', (code) => (result ? resolve(result) : reject(new Error(`the generator ended with ${code}`))))
  })
}
