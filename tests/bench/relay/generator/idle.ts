// Connections that follow something and say nothing: what the server's process holds for each, after its garbage was collected.
import type { Job, JobResult, ServerAnswers, Workload } from './job.ts'
import { startMeter } from './meter.ts'
import type { Peer } from './peer.ts'
import { openReaders, pause } from './readers.ts'

const settleMs = 1_000
const idleMs = 3_000
/** Before these, the server has loaded and allocated what it needs for the first. */
export const warmConnections = 100

export async function idle(
  peer: Peer,
  job: Job,
  { connections }: Workload & { kind: 'idle' },
  server: ServerAnswers,
): Promise<JobResult> {
  const wanted = (count: number) => Array.from({ length: count }, () => ({ room: 'live', take: () => {} }))
  await openReaders(peer, wanted(warmConnections))
  await pause(settleMs)
  const before = await server.memory()
  await openReaders(peer, wanted(connections), warmConnections)
  await pause(settleMs)
  const after = await server.memory()
  const end = startMeter(job.serverPid)
  await pause(idleMs)
  const usage = end()
  return {
    readings: {
      rssEach: (after.rss - before.rss) / connections,
      heapEach: (after.heap - before.heap) / connections,
      serverCpu: usage.serverCpu,
    },
    complete: peer.lost() === 0,
    generatorCpu: usage.generatorCpu,
    othersCpu: usage.othersCpu,
  }
}
