// Too much, too slowly, or never: each costs the attacker his own link, and nobody else a moment.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { concatBytes } from '#shared/base/bytes.ts'
import { idFromBytes, type SegmentId } from '#shared/base/ids.ts'
import { encodeUp } from '#shared/protocol/frame-codec.ts'
import { closeCodes } from '#shared/protocol/frames.ts'
import { connectRaw, controlBytes, type RawDevice } from '../fakes/raw-device.ts'
import { entryText, signCommand, signEntry, someBytes } from '../fakes/raw-person.ts'
import { provesHarmless } from './harmless.ts'
import { startWorld, type World } from './world.ts'

const silenceMs = 3_000
const entryBurst = 300
/** The megabyte that every account may fill; from where eve has filled hers. */
const ownDocument = 1_200_000
let world: World
beforeAll(async () => {
  world = await startWorld({
    LIMIT_HELLO_TIMEOUT_MS: '1000',
    LIMIT_SILENCE_MS: String(silenceMs),
    LIMIT_ENTRY_BURST: String(entryBurst),
    LIMIT_COMMAND_BURST: '60',
  })
})
afterAll(() => world?.remove())

/** Writes one byte of a WebSocket frame after the other until the relay has enough. */
async function trickle(device: RawDevice, payload: Uint8Array): Promise<number> {
  const frame = concatBytes(Uint8Array.of(0x82, 0x80 | payload.length, 0, 0, 0, 0), payload)
  let at = 0
  device.tcp.on('error', () => {})
  const writing = setInterval(() => {
    if (at < frame.length && !device.tcp.destroyed) device.tcp.write(frame.subarray(at, ++at))
  }, 100)
  const { code } = await device.closed
  clearInterval(writing)
  return code
}

const newSegment = () => idFromBytes<'segment'>(someBytes(16))

async function headSegment(device: RawDevice): Promise<SegmentId> {
  device.say({ t: 'segments', channel: world.place.channel, after: '' })
  const { list } = await device.heard('segments')
  const head = list.at(-1)
  if (!head) throw new Error('a channel with messages has a segment')
  return head.seg
}

/** Hands over in portions, so that this process goes on reading. */
async function pour(device: RawDevice, frames: Iterable<Uint8Array>): Promise<void> {
  let sent = 0
  for (const bytes of frames) {
    if (!device.isOpen) return
    device.send(bytes)
    if (++sent % 2_000 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
}

function* times<Value>(count: number, make: (i: number) => Value): Generator<Value> {
  for (let i = 0; i < count; i++) yield make(i)
}

test('[ATT-11] a hello, one byte at a time', async () => {
  const device = await connectRaw(world.relay.url)
  expect(await trickle(device, new Uint8Array(120))).toBe(closeCodes.busy)
  await provesHarmless(world)
})

test('[ATT-11] a frame behind the hello, one byte at a time', async () => {
  const eve = await world.link(world.eve)
  expect(await trickle(eve, new Uint8Array(120))).toBe(closeCodes.busy)
  await provesHarmless(world)
})

test('[ATT-11] a link that says hello and then nothing', async () => {
  const eve = await world.link(world.eve)
  expect((await eve.closed).code).toBe(closeCodes.busy)
  await provesHarmless(world)
})

test('[ATT-11] 300 links that never say hello', async () => {
  const devices = await Promise.all(times(300, () => connectRaw(world.relay.url)))
  const codes = new Set((await Promise.all(devices.map((device) => device.closed))).map(({ code }) => code))
  expect([...codes]).toEqual([closeCodes.busy])
  await provesHarmless(world)
})

test('[ATT-12] 10,000 stock streams opened', async () => {
  const eve = await world.link(world.eve)
  const step1 = Uint8Array.of(0, 0, 1, 0)
  await pour(
    eve,
    times(10_000, (i) => encodeUp({ kind: 'stock', stream: 2 + i, bytes: step1 })),
  )
  expect((await eve.closed).code).toBe(closeCodes.malformed)
  await provesHarmless(world)
})

test('[ATT-12] 10,000 segments opened that there are not', async () => {
  const eve = await world.link(world.eve)
  await pour(
    eve,
    times(10_000, (i) => controlBytes({ t: 'open', req: 1 + i, seg: newSegment(), n: 0, view: 0, tail: '' })),
  )
  await eve.heard('stale', ({ req }) => req === 10_000)
  expect(eve.frames.some((frame) => frame.kind === 'update')).toBe(false)
  await eve.end()
  await provesHarmless(world)
})

test('[ATT-12] one segment opened 10,000 times, and no answer read', async () => {
  const eve = await world.link(world.eve)
  const seg = await headSegment(eve)
  eve.tcp.pause()
  await pour(
    eve,
    times(10_000, (i) => controlBytes({ t: 'open', req: 1 + i, seg, n: 0, view: 0, tail: '' })),
  )
  await provesHarmless(world, { links: 1 })
  eve.cut()
  await provesHarmless(world)
})

test('[ATT-12] one segment opened 1,000 times gives each update once', async () => {
  const eve = await world.link(world.eve)
  const seg = await headSegment(eve)
  await pour(
    eve,
    times(1_000, (i) => controlBytes({ t: 'open', req: 1 + i, seg, n: 0, view: 0, tail: '' })),
  )
  await eve.heard('opened', ({ req }) => req === 1_000)
  eve.say({ t: 'keys', devs: [world.ann.dev] })
  await eve.heard('keys')
  const updates = () => eve.frames.filter((frame) => frame.kind === 'update').length
  const before = updates()
  const { seq } = await world.write()
  await world.reader.sees(seq)
  eve.say({ t: 'chain', space: world.place.space, after: 0 })
  await eve.heard('members')
  expect(updates() - before).toBe(1)
  await eve.end()
  await provesHarmless(world)
})

test('[ATT-12] streams and segments closed and answered that were never opened', async () => {
  const eve = await world.link(world.eve)
  await pour(
    eve,
    times(10_000, () => controlBytes({ t: 'close', seg: newSegment() })),
  )
  // An answer to a question that was never asked is an update like another, of one's own document.
  eve.send(encodeUp({ kind: 'stock', stream: 1, bytes: Uint8Array.of(0, 1, 2, 0, 0) }))
  await headSegment(eve)
  for (const stream of [0, 2, 2 ** 31, 2 ** 32 - 1]) {
    const other = await world.link(world.eve)
    other.send(encodeUp({ kind: 'stock', stream, bytes: Uint8Array.of(0, 1, 2, 0, 0) }))
    expect((await other.closed).code).toBe(closeCodes.malformed)
  }
  await provesHarmless(world)
})

test('[ATT-12] the private document asked for 10,000 times, and no question answered', async () => {
  const eve = await world.link(world.eve)
  const step1 = encodeUp({ kind: 'stock', stream: 1, bytes: Uint8Array.of(0, 0, 1, 0) })
  await pour(
    eve,
    times(10_000, () => step1),
  )
  expect((await eve.closed).code).toBe(closeCodes.busy)
  await provesHarmless(world)
})

test('[ATT-12] a private document of more than it may be', async () => {
  const piece = (size: number) => {
    const length = [(size & 127) | 128, ((size >> 7) & 127) | 128, size >> 14]
    return encodeUp({
      kind: 'stock',
      stream: 1,
      bytes: concatBytes(Uint8Array.of(0, 2, ...length), new Uint8Array(size).fill(7)),
    })
  }
  const eve = await world.link(world.eve)
  eve.send(piece(1_048_577))
  expect((await eve.closed).code).toBe(closeCodes.tooLarge)
  const again = await world.link(world.eve)
  await pour(
    again,
    times(20, () => piece(65_536)),
  )
  expect((await again.closed).code).toBe(closeCodes.tooLarge)
  await provesHarmless(world, { files: ownDocument })
})

test('[ATT-13] 200,000 frames as fast as they go', async () => {
  const eve = await world.link(world.eve)
  const beat = controlBytes({ t: 'beat' })
  await pour(
    eve,
    times(200_000, () => beat),
  )
  eve.say({ t: 'segments', channel: world.place.channel, after: '' })
  expect((await eve.closed).code).toBe(closeCodes.busy)
  await provesHarmless(world, { files: ownDocument })
})

test('[ATT-13] 200,000 questions as fast as they go', async () => {
  const eve = await world.link(world.eve)
  const ask = controlBytes({ t: 'chain', space: world.place.space, after: 0 })
  await pour(
    eve,
    times(200_000, () => ask),
  )
  expect((await eve.closed).code).toBe(closeCodes.busy)
  await provesHarmless(world, { files: ownDocument })
})

test('[ATT-13] a flood of entries waits, and others do not', async () => {
  const eve = await world.link(world.eve)
  const target = (await world.write()).id
  const refused = () => signEntry(world.eve.device, world.place, entryText(world.eve, { op: 'edit', ref: target }))
  const flood = Promise.all(
    times(20, () =>
      eve.append(
        world.place.channel,
        Array.from({ length: 64 }, () => refused()),
      ),
    ),
  )
  await provesHarmless(world, { links: 1, files: ownDocument })
  const results = await flood
  const verdicts = results.flatMap((result) => result.verdicts)
  expect(verdicts.every((verdict) => verdict.kind === 'refused' && verdict.code === 'forbidden')).toBe(true)
  expect(verdicts.length).toBeLessThan(entryBurst + 20)
  expect(results.at(-1)?.wait).toBeGreaterThan(0)
  await eve.end()
  await provesHarmless(world, { files: ownDocument })
})

test('[ATT-13] a flood of commands is refused before it is looked at', async () => {
  const eve = await world.link(world.eve)
  const commands = Array.from({ length: 200 }, () =>
    signCommand(world.eve, world.place.space, { act: 'community.rename', args: { name: 'Mine' }, was: 'Honest People' }),
  )
  for (const command of commands) eve.say(command)
  const done = await Promise.all(commands.map(({ text }) => eve.heard('done', ({ id }) => text.includes(id))))
  const codes = done.map((answer) => ('code' in answer ? answer.code : 'done'))
  expect(codes.filter((code) => code === 'too_many').length).toBeGreaterThan(100)
  expect(new Set(codes)).toEqual(new Set(['forbidden', 'too_many']))
  await eve.end()
  await provesHarmless(world, { files: ownDocument })
})
