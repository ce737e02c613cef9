// Makes a data directory for the bench: people, rooms, histories, and entries that are signed but not sent yet. Runs work on copies of it.
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { nodeRandom } from '#relay/crypto.ts'
import type { ChannelId, EntryId, SpaceId } from '#shared/base/ids.ts'
import { loadSodium } from '#shared/crypto/sodium.ts'
import { makeCommunity } from '../../../seed/seed-community.ts'
import { type Entered, enterPerson, type SeedPerson, seatPerson } from '../../../seed/seed-person.ts'
import { openSeedRelay, type SeedRelay } from '../../../seed/seed-relay.ts'
import { markOf } from '../generator/marks.ts'
import { writeByteLists } from './byte-lists.ts'
import { enterCrowd, joinAll } from './crowd.ts'
import { rooms, storm, type WorldFile, type WorldRoom } from './world-file.ts'
import { writeYjsLog } from './yjs-log.ts'

export interface WorldPlan {
  readers: number
  /** Signed and not sent, of each writer: the first one writes alone sometimes. */
  fanOut: { first: number; others: number }
  live: number
  /** Of each device in the small rooms; 0: no small rooms. */
  roomEntries: number
  history: readonly number[]
  storm: boolean
}

const writerCount = 10
/** People as if written by so many. */
const historyAuthors = 10
/** With it an element is about 275 bytes, as an ordinary message. */
const words = ' lorem ipsum dolor sit amet consectetur adipiscing elit sed'

export async function makeWorld(folder: string, plan: WorldPlan): Promise<WorldFile> {
  for (const part of ['data', 'entries', 'logs']) mkdirSync(join(folder, part), { recursive: true })
  const relay = await openSeedRelay(join(folder, 'data'), Date.now())
  try {
    return await fill(relay, folder, plan)
  } finally {
    await relay.close()
  }
}

/** A data directory of its own for one run. */
export function copyData({ folder }: WorldFile, to: string): string {
  rmSync(to, { recursive: true, force: true })
  cpSync(join(folder, 'data'), to, { recursive: true })
  return to
}

async function fill(relay: SeedRelay, folder: string, plan: WorldPlan): Promise<WorldFile> {
  const now = relay.clock.time
  const owner = await enterPerson(relay, await loadSodium(), nodeRandom, {
    username: 'owner',
    email: 'owner@bench.example',
    password: 'Larch-umbrella-4071-quietly',
  })
  const writers = await enterCrowd(relay, now, 'writer', writerCount)
  const readers = await enterCrowd(relay, now, 'reader', plan.readers)
  const names = ['fan-out', 'live', ...(plan.storm ? ['storm'] : []), ...plan.history.map((size) => `history-${size}`)]
  const great = await roomsOf(relay, owner, 'Great', names)
  await joinAll(relay, owner, great.space, [...writers, ...readers])
  const seated = await seat(relay, writers)
  const world: WorldFile = { folder, elementBytes: 0, rooms: {}, readers: [], roomDevices: [], writers: [] }
  world.readers = readers.map(({ token }) => token)
  world.writers = writers.map(({ token }) => token)

  const lists = seated.map((writer, nr) =>
    bytesOf(signed(relay, writer, nr, great, 'fan-out', nr === 0 ? plan.fanOut.first : plan.fanOut.others)),
  )
  writeByteLists(join(folder, 'entries', 'fan-out'), lists)
  // Four characters of number and eight of time stand before an entry, with their points.
  world.elementBytes = (lists[0]?.[0]?.length ?? 0) + 14
  writeByteLists(join(folder, 'entries', 'live'), [bytesOf(signed(relay, seated[0], 0, great, 'live', plan.live))])
  for (const size of plan.history) {
    const name = `history-${size}`
    await writeHistory(relay, seated, great, name, size)
    writeYjsLog(join(folder, 'logs', name), [size], historyAuthors, world.elementBytes)
  }
  let tail = ''
  if (plan.storm) {
    const ids = await writeHistory(relay, seated, great, 'storm', storm.held)
    // As they came in an hour: each in a commit of its own.
    await writeHistory(relay, seated, great, 'storm', storm.missed, 1)
    tail = ids[storm.held - 1] ?? ''
    writeYjsLog(join(folder, 'logs', 'storm'), [storm.held, storm.missed], historyAuthors, world.elementBytes)
  }
  if (plan.roomEntries > 0) world.roomDevices = await fillSmallRooms(relay, folder, owner, plan.roomEntries, world)
  for (const name of names) world.rooms[name] = await placeOf(relay, owner, great, name)
  const behind = world.rooms.storm
  if (behind) Object.assign(behind, { held: storm.held, tail })
  for (const person of [owner, ...seated]) person.hangUp()
  writeFileSync(join(folder, 'world.json'), JSON.stringify(world))
  return world
}

interface Great {
  space: SpaceId
  channels: ReadonlyMap<string, ChannelId>
}

async function roomsOf(relay: SeedRelay, owner: SeedPerson, title: string, names: readonly string[]): Promise<Great> {
  const wanted = names.map((name) => ({ name, topic: '', kind: 'text' as const }))
  const [first, ...rest] = wanted
  if (!first) throw new Error('a community has a first channel')
  const { space, channels } = await makeCommunity(relay, nodeRandom, [owner], title, [first, ...rest])
  return { space, channels: new Map(names.map((name, i) => [name, channelAt(channels, i)])) }
}

async function fillSmallRooms(
  relay: SeedRelay,
  folder: string,
  owner: SeedPerson,
  each: number,
  world: WorldFile,
): Promise<string[]> {
  const names = Array.from({ length: rooms.count }, (_, nr) => `room-${nr}`)
  const devices = await enterCrowd(relay, relay.clock.time, 'device', rooms.count * rooms.devices)
  const small = await roomsOf(relay, owner, 'Small', names)
  await joinAll(relay, owner, small.space, devices)
  for (const [nr, name] of names.entries()) {
    const seated = await seat(relay, devices.slice(nr * rooms.devices, (nr + 1) * rooms.devices))
    const lists = seated.map((person, i) => bytesOf(signed(relay, person, i, small, name, each)))
    writeByteLists(join(folder, 'entries', name), lists)
    for (const person of seated) person.hangUp()
    world.rooms[name] = await placeOf(relay, owner, small, name)
  }
  return devices.map(({ token }) => token)
}

async function seat(relay: SeedRelay, entered: readonly Entered[]): Promise<SeedPerson[]> {
  const seated: SeedPerson[] = []
  for (const one of entered) seated.push(await seatPerson(relay, nodeRandom, one))
  return seated
}

function signed(relay: SeedRelay, person: SeedPerson | undefined, writer: number, great: Great, name: string, count: number) {
  const from = relay.clock.time
  const channel = great.channels.get(name)
  if (!person || !channel) throw new Error(`nobody writes in ${name}`)
  const body = (number: number) => ({ t: `${markOf(writer, number)}${words}` })
  const entries = Array.from({ length: count }, (_, number) => {
    // Ids begin with their time: one after the other, as people write, also those of several writers among each other.
    relay.clock.time = from + number
    return person.sign({ space: great.space, channel }, { op: 'post', ref: 0, body: body(number) })
  })
  relay.clock.time = from
  return entries
}

function bytesOf(entries: readonly { bytes: Uint8Array }[]): Uint8Array[] {
  return entries.map(({ bytes }) => bytes)
}

/** Answers the ids, in their order. */
async function writeHistory(
  relay: SeedRelay,
  writers: readonly SeedPerson[],
  great: Great,
  name: string,
  size: number,
  batch = 512,
): Promise<EntryId[]> {
  const ids: EntryId[] = []
  const channel = great.channels.get(name)
  for (let at = 0; at < size; at += batch) {
    const nr = (at / batch) % writers.length
    const writer = writers[nr]
    const entries = signed(relay, writer, nr, great, name, Math.min(batch, size - at))
    const verdicts = channel && writer ? await writer.append(channel, bytesOf(entries)) : []
    if (verdicts.length !== entries.length || verdicts.some(({ kind }) => kind !== 'accepted'))
      throw new Error(`the relay does not take the history: ${JSON.stringify(verdicts.at(-1))}`)
    ids.push(...entries.map(({ id }) => id))
  }
  return ids
}

/** As it lies on the disk. A room without a history gets its first words, so that there is a segment to follow. */
async function placeOf({ log }: SeedRelay, owner: SeedPerson, great: Great, name: string): Promise<WorldRoom> {
  const channel = great.channels.get(name)
  if (!channel) throw new Error(`there is no room ${name}`)
  const before = await log.segments(channel, '', 1)
  if (before.list.length === 0)
    await owner.append(channel, [owner.sign({ space: great.space, channel }, { op: 'post', ref: 0, body: { t: 'Hello' } }).bytes])
  const { list } = await log.segments(channel, '', 10_000)
  return { channel, segments: list.map(({ seg, client, n }) => ({ seg, client, n })), held: 0, tail: '' }
}

function channelAt(channels: readonly ChannelId[], i: number): ChannelId {
  const channel = channels[i]
  if (!channel) throw new Error('each room has a channel')
  return channel
}
