// Power cuts on purpose: a real relay in a process of its own is killed at random moments amid a stream of messages from five real devices,
// and started again over the same files. What must hold then is checked on every device, on a fresh one, and in the relay's own files.

import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { timelineView } from '#app/engine/views/message-views.ts'
import type { SpaceId } from '#shared/base/ids.ts'
import { createPrng, type Prng } from '#shared/base/prng.ts'
import { acceptedTexts, foundPlace, type Place } from '../fakes/node-community.ts'
import { type NodeDevice, startNodeDevice } from '../fakes/node-device.ts'
import { operate, type RelayProcess, startRelay } from '../fakes/relay-process.ts'

export interface PowerCuts {
  /** Rounds; each has a channel of its own, and one kill. */
  times: number
  /** Written in each round, by all devices together. */
  messages: number
  seed: number
  report(round: Round): void
}

export interface Round {
  nr: number
  /** What the kill waited for: so many messages seen accepted, then so many ms, or the next write to the database's log. */
  moment: string
  /** By any device, at the kill. */
  acceptedBefore: number
  /** Saved on the devices and not seen accepted there, at the kill. */
  inFlight: number
  /** From the start of the new process until every device holds everything. */
  togetherSeconds: number
}

interface Writer {
  name: string
  device: NodeDevice
}

const names = ['ann', 'ben', 'cho', 'dov', 'eve'] as const
/** One person's flood must not wait for tokens here. */
const unlimited = { LIMIT_ENTRY_BURST: '1000000', LIMIT_ENTRIES_PER_MINUTE: '6000000', LIMIT_CHANNEL_BURST: '1000000' }
/** The kill comes so many turns of this process' loop later, at most. */
const eventsMost = 300
/** Between two messages of one device: a stream of small frames, not a few large ones. It goes on while the relay is away. */
const turnsBetween = 40
/** The rest is written when the relay is away, however fast it was before. */
const shareBefore = 0.8
/** More than there ever are. */
const seenMax = 100_000
/** The stream may be over by then. */
const writesWithinMs = 200

/** @throws {Error} what does not hold; the relay's data is then left where it is, for a look */
export async function runPowerCuts({ times, messages, seed, report }: PowerCuts): Promise<void> {
  const prng = createPrng(seed)
  const relay = await startRelay(unlimited)
  try {
    const writers: Writer[] = []
    for (const name of names) writers.push({ name, device: await startNodeDevice(relay.url, name, true) })
    const { space } = await foundPlace(first(writers), ...writers.slice(1).map(({ device }) => device))
    const places: Place[] = []
    for (let nr = 1; nr <= times; nr++) {
      const place = await newChannel(writers, space, nr)
      places.push(place)
      report(await cut(relay, writers, place, nr, messages, prng))
      for (const { device } of writers) device.core.watch(place.channel, 0)
    }
    await checkFresh(relay, writers, places, messages)
    for (const { device } of writers) await device.stop()
    await relay.stop()
    await checkFiles(relay)
  } catch (error) {
    await relay.kill()
    throw new Error(`seed ${seed}; the relay's data is left in ${relay.dataDir}`, { cause: error })
  }
  await relay.remove()
}

function first(writers: readonly Writer[]): NodeDevice {
  const owner = writers[0]?.device
  assert(owner, 'there are five devices')
  return owner
}

async function newChannel(writers: readonly Writer[], space: SpaceId, nr: number): Promise<Place> {
  const owner = first(writers)
  await owner.until(() => owner.core.world.link?.phase === 'ready')
  const made = await owner.call('createChannel', { space, name: `round-${nr}`, kind: 'text' })
  assert(made.ok)
  const { channel } = made.value
  for (const { device } of writers) {
    await device.until(() => device.core.world.tables.channel.has(channel))
    device.core.watch(channel, seenMax)
  }
  return { space, channel }
}

async function cut(
  relay: RelayProcess,
  writers: readonly Writer[],
  place: Place,
  nr: number,
  messages: number,
  prng: Prng,
): Promise<Round> {
  const each = messages / writers.length
  const killed = Promise.withResolvers<void>()
  const writing = writers.map(async ({ name, device }) => {
    for (let i = 0; i < each; i++) {
      if (i >= each * shareBefore) await killed.promise
      await device.send(place.space, place.channel, `${nr} ${name} ${i}`)
      await turnsOfLoop(turnsBetween)
    }
  })
  const moment = await aimAtStream(relay, first(writers), place, messages, prng)
  await relay.kill()
  const seen = new Set(writers.flatMap(({ device }) => acceptedTexts(device, place.channel, seenMax)))
  const inFlight = writers.reduce((sum, { device }) => sum + waitingIn(device, place), 0)
  assert(seen.size < messages, 'the kill comes amid the stream')
  killed.resolve()

  const started = performance.now()
  await relay.start()
  await Promise.all([...writing, ...writers.map(({ device }) => holdsAll(device, place, messages))])
  const togetherSeconds = (performance.now() - started) / 1000
  checkOrder(writers, place, nr, messages, seen)
  return { nr, moment, acceptedBefore: seen.size, inFlight, togetherSeconds }
}

async function turnsOfLoop(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve))
}

/** Waits for a random moment: half of them when the relay is just writing a commit, half at any time. */
async function aimAtStream(relay: RelayProcess, device: NodeDevice, place: Place, messages: number, prng: Prng): Promise<string> {
  const enough = 1 + Math.floor(messages * (0.05 + 0.7 * (prng.below(1_000) / 1_000)))
  await device.until(() => newest(device, place) >= enough)
  if (prng.chance(0.5)) {
    const writes = 1 + prng.below(4)
    await logWritten(relay, writes)
    return `write ${writes} to the log after ${enough} messages`
  }
  const turns = prng.below(eventsMost)
  await turnsOfLoop(turns)
  return `${turns} turns of the loop after ${enough} messages`
}

/** A write shows before it is on the disk: the system has it, and the commit is not answered yet. */
async function logWritten({ dataDir }: RelayProcess, times: number): Promise<void> {
  const look = () => statSync(join(dataDir, 'relay.db-wal'), { bigint: true, throwIfNoEntry: false })?.mtimeNs
  const until = performance.now() + writesWithinMs
  let before = look()
  for (let left = times; left > 0 && performance.now() < until; ) {
    await new Promise((resolve) => setImmediate(resolve))
    const now = look()
    if (now !== before) left--
    before = now
  }
}

/** The seq of the newest message here: nothing is deleted in these channels. */
function newest(device: NodeDevice, { channel }: Place): number {
  return device.core.world.tables.channel.get(channel)?.last ?? 0
}

function waitingIn(device: NodeDevice, { channel }: Place): number {
  return [...device.core.world.tables.outbox.values()].filter((row) => row.channel === channel).length
}

function holdsAll(device: NodeDevice, place: Place, messages: number): Promise<void> {
  return device.until(() => newest(device, place) >= messages && waitingIn(device, place) === 0 && isWhole(device, place))
}

/** Every number up to the newest is held here. */
function isWhole({ core }: NodeDevice, { channel }: Place): boolean {
  let held = 0
  for (const row of core.world.tables.segment.values()) if (row.channel === channel) held += row.n
  return held >= (core.world.tables.channel.get(channel)?.last ?? 0)
}

function texts(device: NodeDevice, { channel }: Place): string[] {
  return timelineView(device.core.world, channel, seenMax).messages.map((message) => message.text)
}

/** Once, in one order everywhere, each author's in the order of writing, and all that anybody saw accepted before the kill. */
function checkOrder(writers: readonly Writer[], place: Place, nr: number, messages: number, seen: ReadonlySet<string>): void {
  const all = texts(first(writers), place)
  assert.equal(all.length, messages, 'every message is there')
  assert.equal(new Set(all).size, messages, 'every message is there once')
  for (const { name, device } of writers) assert.deepEqual(texts(device, place), all, `${name} sees the one order`)
  const there = new Set(all)
  for (const text of seen) assert(there.has(text), `what was seen accepted before the kill is there: ${text}`)
  for (const { name } of writers) {
    const own = all.filter((text) => text.includes(` ${name} `))
    const written = Array.from({ length: messages / writers.length }, (_, i) => `${nr} ${name} ${i}`)
    assert.deepEqual(own, written, `${name}'s messages stand in the order of writing`)
  }
}

/** Everything in the database that can be computed from something else agrees with it. */
async function checkFiles({ dataDir }: RelayProcess): Promise<void> {
  const { code, printed } = await operate(dataDir, 'verify')
  assert.equal(code, 0, printed)
}

/** A device that was never here before gets the same. */
async function checkFresh(
  relay: RelayProcess,
  writers: readonly Writer[],
  places: readonly Place[],
  messages: number,
): Promise<void> {
  const fresh = await startNodeDevice(relay.url, 'eve', false)
  for (const place of places) {
    await fresh.until(() => fresh.core.world.tables.channel.has(place.channel))
    fresh.core.watch(place.channel, seenMax)
    first(writers).core.watch(place.channel, seenMax)
    await holdsAll(fresh, place, messages)
    await fresh.until(() => texts(fresh, place).length >= messages)
    await first(writers).until(() => texts(first(writers), place).length >= messages)
    assert.deepEqual(texts(fresh, place), texts(first(writers), place), 'a fresh device sees the one order')
  }
  await fresh.stop()
}
