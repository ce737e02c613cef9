// Many devices in many rooms, each of which reads and writes: what a community of small talks costs.
import { quantile } from '../quantiles.ts'
import { createDelays, type Delays } from './delays.ts'
import type { Job, JobResult, Workload } from './job.ts'
import { startMeter } from './meter.ts'
import type { Peer, Writer } from './peer.ts'
import { openReaders, pause, settled } from './readers.ts'

const warmUpMs = 1_500
const tickMs = 2
/** What each device signed beforehand. */
export const entriesEach = 60

interface Room {
  writers: Writer[]
  delays: Delays
  turn: number
}

export async function smallRooms(peer: Peer, job: Job, workload: Workload & { kind: 'rooms' }): Promise<JobResult> {
  const { devices, rooms: roomCount, perSecond, seconds } = workload
  const each = devices / roomCount
  const rooms: Room[] = []
  let sent = 0
  let ranOut = false
  let answering = false
  for (let nr = 0; nr < roomCount; nr++) rooms.push({ writers: [], delays: createDelays(each), turn: 0 })

  const readers = await openReaders(
    peer,
    rooms.flatMap((room, nr) => Array.from({ length: each }, () => ({ room: nameOf(nr), take: takeIn(room) }))),
  )
  for (const [nr, room] of rooms.entries())
    room.writers = await peer.openWriters(nameOf(nr), each, entriesEach, readers.slice(nr * each, (nr + 1) * each))

  function takeIn(room: Room) {
    return (buffer: Buffer, from: number, to: number) => {
      room.delays.take(buffer, from, to)
      // One under way: the next goes when everybody in the room has it.
      if (answering && room.delays.delivered === room.delays.sentCount * each) writeIn(room)
    }
  }

  function writeIn(room: Room): void {
    const writer = room.turn % each
    room.delays.sent(writer, Math.floor(room.turn / each))
    if ((room.writers[writer]?.write() ?? -1) < 0) ranOut = true
    room.turn++
    sent++
  }

  const start = performance.now()
  answering = perSecond === 0
  if (answering) for (const room of rooms) writeIn(room)
  const perRoom = perSecond * each
  const ticks = setInterval(() => {
    const ms = performance.now() - start
    // Each room has its own moment, so that the machine gets no bursts.
    rooms.forEach((room, nr) => {
      while (room.turn < ((ms - (nr * 1000) / (roomCount * perRoom)) * perRoom) / 1000) writeIn(room)
    })
  }, tickMs)
  if (answering) clearInterval(ticks)

  await pause(warmUpMs)
  const before = { sent, delivered: delivered() }
  for (const { delays } of rooms) delays.start()
  const end = startMeter(job.serverPid)
  const until = performance.now() + seconds * 1000
  while (performance.now() < until && !ranOut) await pause(5)
  const usage = end()
  const writes = sent - before.sent
  const deliveries = delivered() - before.delivered
  answering = false
  clearInterval(ticks)
  for (const { delays } of rooms) delays.end()
  const complete = (await settled(() => delivered() >= sent * each, 5_000)) || ranOut
  const sorted = Float64Array.from(rooms.flatMap(({ delays }) => [...delays.sorted()])).sort()
  return {
    readings: {
      writes: writes / usage.seconds,
      deliveries: deliveries / usage.seconds,
      p50: quantile(sorted, 0.5),
      p99: quantile(sorted, 0.99),
      serverCpu: usage.serverCpu,
      serverUsPerWrite: (usage.serverMs * 1000) / writes,
    },
    complete: complete && peer.lost() === 0,
    generatorCpu: usage.generatorCpu,
    othersCpu: usage.othersCpu,
  }

  function delivered(): number {
    return rooms.reduce((sum, { delays }) => sum + delays.delivered, 0)
  }
}

function nameOf(nr: number): string {
  return `room-${nr}`
}
