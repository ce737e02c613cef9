// A room's history, fetched from nothing by one reader after another; then, elsewhere, by many at once.
import { quantile } from '../quantiles.ts'
import { createDelays } from './delays.ts'
import type { Job, JobResult, Workload } from './job.ts'
import { startMeter } from './meter.ts'
import type { Peer } from './peer.ts'
import { openReaders, pause, settled } from './readers.ts'

const ignore = () => {}

export async function firstSync(peer: Peer, job: Job, workload: Workload & { kind: 'first-sync' }): Promise<JobResult> {
  const { entries, joins, headOnly } = workload
  const room = `history-${entries}`
  await peer.fill(room)
  const taken: { ms: number; serverMs: number; bytes: number }[] = []
  let usage = startMeter(job.serverPid)()
  for (let nr = 0; nr <= joins; nr++) {
    const end = startMeter(job.serverPid)
    const start = performance.now()
    const reader = peer.read(room, nr, ignore, headOnly ? 'head' : 'nothing')
    await reader.synced
    const ms = performance.now() - start
    // What the server does behind its answer belongs to it.
    await pause(20)
    usage = end()
    // The first one finds caches cold.
    if (nr > 0) taken.push({ ms, serverMs: usage.serverMs, bytes: reader.bytesIn() })
    reader.close()
    await pause(20)
  }
  const middle = (values: number[]) =>
    quantile(
      values.sort((a, b) => a - b),
      0.5,
    )
  const serverMs = taken.reduce((sum, one) => sum + one.serverMs, 0) / joins
  return {
    readings: {
      ms: middle(taken.map((one) => one.ms)),
      serverMs,
      serverUsPerEntry: (serverMs * 1000) / entries,
      bytes: middle(taken.map((one) => one.bytes)),
    },
    complete: peer.lost() === 0,
    generatorCpu: usage.generatorCpu,
    othersCpu: usage.othersCpu,
  }
}

const livePerSecond = 50
const calmMs = 1_500

export async function joinAtOnce(peer: Peer, job: Job, workload: Workload & { kind: 'joins' }): Promise<JobResult> {
  const { entries, joins } = workload
  const room = `history-${entries}`
  await peer.fill(room)
  const delays = createDelays(1)
  const readers = await openReaders(peer, [{ room: 'live', take: delays.take }])
  const [writer] = await peer.openWriters('live', 1, 5_000, readers)
  let number = 0
  const talk = setInterval(() => {
    delays.sent(0, number++)
    writer?.write()
  }, 1000 / livePerSecond)
  await pause(calmMs)
  delays.start()
  const end = startMeter(job.serverPid)
  const start = performance.now()
  const opened = Array.from({ length: joins }, (_, nr) => peer.read(room, nr + 1, ignore, 'nothing'))
  await Promise.all(opened.map((reader) => reader.synced))
  const ms = performance.now() - start
  const usage = end()
  delays.end()
  clearInterval(talk)
  const complete = await settled(() => delays.delivered >= delays.sentCount, 5_000)
  const sorted = delays.sorted()
  const bytes = opened.reduce((sum, reader) => sum + reader.bytesIn(), 0)
  return {
    readings: {
      ms,
      liveP50: quantile(sorted, 0.5),
      liveP99: quantile(sorted, 0.99),
      liveMax: quantile(sorted, 1),
      serverMsEach: usage.serverMs / joins,
      bytesPerSecond: bytes / (ms / 1000),
    },
    complete: complete && peer.lost() === 0,
    generatorCpu: usage.generatorCpu,
    othersCpu: usage.othersCpu,
  }
}
