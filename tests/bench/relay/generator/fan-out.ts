// A room at saturation: so many messages are under way as the window lets, and each that came to everybody makes place for the next.
import type { Job, JobResult, ServerAnswers, Workload } from './job.ts'
import { createMarkCounter } from './marks.ts'
import { startMeter } from './meter.ts'
import type { Peer } from './peer.ts'
import { openReaders, pause, settled } from './readers.ts'

const warmUpMs = 1_000
/** Writes of one writer at most; the bare broadcaster takes more, and gets the same again. */
const eachMax = { one: 100_000, many: 15_000 } as const

export async function fanOut(
  peer: Peer,
  job: Job,
  workload: Workload & { kind: 'fan-out' },
  server: ServerAnswers,
): Promise<JobResult> {
  const { readers: count, writers: writerCount, window, seconds } = workload
  const countMarks = createMarkCounter(peer.least)
  let delivered = 0
  let sent = 0
  let running = false
  let pumping = false
  let ranOut = false
  const readers = await openReaders(
    peer,
    Array.from({ length: count }, () => ({
      room: 'fan-out',
      take: (buffer: Buffer, from: number, to: number) => {
        delivered += countMarks(buffer, from, to)
        pump()
      },
    })),
  )
  const writers = await peer.openWriters('fan-out', writerCount, writerCount === 1 ? eachMax.one : eachMax.many, readers)

  function pump(): void {
    // What a write brings in can come at once.
    if (!running || pumping) return
    pumping = true
    for (let room = window - (sent - Math.floor(delivered / count)); room > 0 && !ranOut; room--) {
      if ((writers[sent % writers.length]?.write() ?? -1) < 0) ranOut = true
      else sent++
    }
    pumping = false
  }

  running = true
  pump()
  await pause(warmUpMs)
  if (job.profile !== '') await server.startProfile()
  const before = { delivered, sent, bytes: bytesOf(), frames: framesOf() }
  const end = startMeter(job.serverPid)
  const until = performance.now() + seconds * 1000
  while (performance.now() < until && !ranOut) await pause(5)
  const usage = end()
  if (job.profile !== '') await server.endProfile()
  const deliveries = delivered - before.delivered
  const writes = sent - before.sent
  const frames = framesOf() - before.frames
  const bytes = bytesOf() - before.bytes
  running = false
  const complete = await settled(() => delivered >= sent * count, 5_000)
  return {
    readings: {
      deliveries: deliveries / usage.seconds,
      writes: writes / usage.seconds,
      serverCpu: usage.serverCpu,
      serverUsPerWrite: (usage.serverMs * 1000) / writes,
      serverUsPerDelivery: (usage.serverMs * 1000) / deliveries,
      perFrame: deliveries / frames,
      bytesPerDelivery: bytes / deliveries,
      seconds: usage.seconds,
      missing: sent * count - delivered,
      lost: peer.lost(),
    },
    complete: complete && delivered === sent * count && peer.lost() === 0,
    generatorCpu: usage.generatorCpu,
    othersCpu: usage.othersCpu,
  }

  function bytesOf(): number {
    return readers.reduce((sum, reader) => sum + reader.bytesIn(), 0)
  }

  function framesOf(): number {
    return readers.reduce((sum, { sockets }) => sum + sockets.reduce((all, socket) => all + socket.framesIn, 0), 0)
  }
}
