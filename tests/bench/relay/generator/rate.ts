// So many messages a second into one room, whatever the server does: how long each takes to each reader.
import { quantile } from '../quantiles.ts'
import { createDelays } from './delays.ts'
import type { Job, JobResult, Workload } from './job.ts'
import { startMeter } from './meter.ts'
import type { Peer } from './peer.ts'
import { openReaders, settled } from './readers.ts'

const warmUpMs = 1_500
const tickMs = 1

export async function rate(peer: Peer, job: Job, workload: Workload & { kind: 'rate' }): Promise<JobResult> {
  const { readers: count, writers: writerCount, perSecond, seconds } = workload
  const delays = createDelays(writerCount)
  const wanted = Array.from({ length: count }, () => ({ room: 'fan-out', take: delays.take }))
  const readers = await openReaders(peer, wanted)
  const total = Math.ceil(perSecond * (seconds + warmUpMs / 1000 + 1))
  const writers = await peer.openWriters('fan-out', writerCount, Math.ceil(total / writerCount), readers)

  let end = startMeter(job.serverPid)
  const start = performance.now()
  let sent = 0
  let warm = false
  await new Promise<void>((resolve) => {
    const ticks = setInterval(() => {
      const ms = performance.now() - start
      if (!warm && ms >= warmUpMs) {
        warm = true
        delays.start()
        end = startMeter(job.serverPid)
      }
      for (; sent < (ms * perSecond) / 1000; sent++) {
        // Told before it is written: an answer may come during the write.
        delays.sent(sent % writerCount, Math.floor(sent / writerCount))
        writers[sent % writerCount]?.write()
      }
      if (ms < warmUpMs + seconds * 1000) return
      clearInterval(ticks)
      resolve()
    }, tickMs)
  })
  const usage = end()
  delays.end()
  const complete = await settled(() => delays.delivered >= sent * count, 5_000)
  const sorted = delays.sorted()
  return {
    readings: { p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99), max: quantile(sorted, 1), serverCpu: usage.serverCpu },
    complete: complete && delays.delivered === sent * count && peer.lost() === 0,
    generatorCpu: usage.generatorCpu,
    othersCpu: usage.othersCpu,
  }
}
