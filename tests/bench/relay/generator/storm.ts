// Everybody comes back at once, each an hour behind.
import { quantile } from '../quantiles.ts'
import type { Job, JobResult, Workload } from './job.ts'
import { startMeter } from './meter.ts'
import type { Peer } from './peer.ts'
import { settled } from './readers.ts'

const giveUpMs = 60_000

export async function comeBack(peer: Peer, job: Job, { devices }: Workload & { kind: 'storm' }): Promise<JobResult> {
  await peer.fill('storm')
  const end = startMeter(job.serverPid)
  const start = performance.now()
  const taken: number[] = []
  let failed = 0
  const readers = Array.from({ length: devices }, (_, nr) => {
    const reader = peer.read('storm', nr, () => {}, 'held')
    reader.synced.then(
      () => taken.push(performance.now() - start),
      () => failed++,
    )
    return reader
  })
  await settled(() => taken.length + failed >= devices, giveUpMs)
  const usage = end()
  taken.sort((a, b) => a - b)
  return {
    readings: {
      ms: taken.at(-1) ?? Number.NaN,
      p50: quantile(taken, 0.5),
      p99: quantile(taken, 0.99),
      serverMsEach: usage.serverMs / devices,
      bytesEach: readers.reduce((sum, reader) => sum + reader.bytesIn(), 0) / devices,
    },
    complete: taken.length === devices,
    generatorCpu: usage.generatorCpu,
    othersCpu: usage.othersCpu,
  }
}
