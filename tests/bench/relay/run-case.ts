// One run of one case: a fresh server on a fresh copy of the data, a fresh generator, and what came of it.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Case } from './cases.ts'
import type { Contender } from './contenders.ts'
import type { JobResult } from './generator/job.ts'
import { runJob } from './generator-process.ts'
import { startServer } from './measured-server.ts'
import { copyData } from './world/world.ts'
import type { WorldFile } from './world/world-file.ts'

export interface Worlds {
  /** What is talked in. */
  live: WorldFile
  /** Long logs. */
  history: WorldFile
}

/** @param profile where V8's profile of the server is written, '' = none */
export async function runCase(
  worlds: Worlds,
  { group, workload }: Pick<Case, 'group' | 'workload'>,
  contender: Contender,
  profile = '',
): Promise<JobResult> {
  const world = ['first-sync', 'head', 'joins'].includes(group) ? worlds.history : worlds.live
  const dataDir = join(world.folder, 'run')
  const args = contender.args ? [copyData(world, dataDir), ...contender.args] : []
  const server = await startServer(contender.script, args, contender.cores)
  try {
    const job = { workload, speech: contender.speech, port: server.port, serverPid: server.pid, world, profile }
    // Under saturation the generator says when; elsewhere it is the server's whole life.
    const isWhole = profile !== '' && workload.kind !== 'fan-out'
    if (isWhole) await server.startProfile()
    const result = await runJob(job, server)
    if (isWhole) await server.endProfile(profile)
    return result
  } finally {
    await server.stop()
    rmSync(dataDir, { recursive: true, force: true })
  }
}
