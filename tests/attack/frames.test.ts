// Frames that no device sends: each ends its own link, by the code that says why, and nothing else.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { concatBytes, utf8 } from '#shared/base/bytes.ts'
import { idBytes } from '#shared/base/ids.ts'
import { encodeUp } from '#shared/protocol/frame-codec.ts'
import { closeCodes } from '#shared/protocol/frames.ts'
import { connectRaw, controlBytes, greetRaw, helloOf, type RawDevice } from '../fakes/raw-device.ts'
import { entryText, signEntry, someBytes } from '../fakes/raw-person.ts'
import { provesHarmless } from './harmless.ts'
import { startWorld, type World } from './world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world?.remove())

const varint = {
  one: [1],
  oneInTwoBytes: [0x81, 0x00],
  oneInEight: [0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00],
  endless: Array<number>(10).fill(0xff),
  /** 2^31, 2^32 and 2^53 as LEB128. */
  two31: [0x80, 0x80, 0x80, 0x80, 0x08],
  two32: [0x80, 0x80, 0x80, 0x80, 0x10],
  two53: [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10],
  /** Ten bytes and a sum beyond 2^63: a reader that adds and shifts gets NaN or a negative number. */
  beyond64: [...Array<number>(9).fill(0xff), 0x7f],
  hundredMB: [0x80, 0x80, 0x80, 0x32],
}

/** 01 nr channel k (len entry)*, each part in the bytes given. */
function appendBytes(parts: { nr?: number[]; k?: number[]; len?: number[]; entry?: Uint8Array; rest?: Uint8Array } = {}) {
  const entry = parts.entry ?? goodEntry()
  const { nr = varint.one, k = varint.one, len = lengthOf(entry), rest = new Uint8Array() } = parts
  const bytes = (list: number[]) => Uint8Array.from(list)
  return concatBytes(bytes([1, ...nr]), idBytes(world.place.channel), bytes(k), bytes(len), entry, rest)
}

function goodEntry(): Uint8Array {
  return signEntry(world.eve.device, world.place, entryText(world.eve))
}

function lengthOf({ length }: Uint8Array): number[] {
  return length < 128 ? [length] : [(length & 127) | 128, length >> 7]
}

async function eveSends(bytes: Uint8Array | string): Promise<RawDevice> {
  const eve = await world.link(world.eve)
  eve.send(bytes)
  return eve
}

/** Each on a link of its own; all must be closed by that code, without an answer. */
async function allClosed(frames: readonly (Uint8Array | string)[], code: number): Promise<void> {
  for (const bytes of frames) {
    const eve = await eveSends(bytes)
    const closed = await eve.closed
    expect(closed.code, `after ${name(bytes)}: ${closed.reason}`).toBe(code)
    expect(eve.frames.filter((frame) => frame.kind === 'control' && frame.message.t === 'result')).toEqual([])
  }
}

function name(bytes: Uint8Array | string): string {
  return typeof bytes === 'string' ? bytes : `${Buffer.from(bytes.subarray(0, 40)).toString('hex')} (${bytes.length} bytes)`
}

test('[ATT-1] an append frame cut off at every byte', async () => {
  const whole = appendBytes()
  await allClosed(
    Array.from({ length: whole.length - 1 }, (_, i) => whole.subarray(0, i + 1)),
    closeCodes.malformed,
  )
  await provesHarmless(world)
})

test('[ATT-1] a control frame cut off at every byte', async () => {
  const whole = controlBytes({ t: 'open', req: 1, seg: world.place.channel, n: 0, view: 0, tail: '' })
  await allClosed(
    Array.from({ length: whole.length - 1 }, (_, i) => whole.subarray(0, i + 1)),
    closeCodes.malformed,
  )
  await provesHarmless(world)
})

test('[ATT-1] a stock frame cut off at every byte', async () => {
  const whole = encodeUp({ kind: 'stock', stream: 1, bytes: Uint8Array.of(0, 1, 4, 1, 2, 3, 4) })
  await allClosed(
    Array.from({ length: whole.length - 1 }, (_, i) => whole.subarray(0, i + 1)),
    closeCodes.malformed,
  )
  await provesHarmless(world)
})

test('[ATT-1] a hello cut off at every byte', async () => {
  const whole = controlBytes(helloOf(world.eve.token))
  for (let length = 1; length < whole.length; length++) {
    const device = await connectRaw(world.relay.url)
    device.send(whole.subarray(0, length))
    expect((await device.closed).code).toBe(closeCodes.malformed)
  }
  await provesHarmless(world)
})

test('[ATT-2] bytes behind the end of a frame', async () => {
  const stock = encodeUp({ kind: 'stock', stream: 1, bytes: Uint8Array.of(0, 1, 2, 0, 0) })
  await allClosed(
    [
      appendBytes({ rest: Uint8Array.of(0) }),
      appendBytes({ rest: goodEntry() }),
      concatBytes(controlBytes({ t: 'beat' }), Uint8Array.of(0)),
      concatBytes(controlBytes({ t: 'beat' }), utf8('{}')),
      concatBytes(stock, Uint8Array.of(0)),
    ],
    closeCodes.malformed,
  )
  await provesHarmless(world)
})

test('[ATT-3] numbers in more bytes than they need', async () => {
  await allClosed(
    [
      appendBytes({ nr: varint.oneInTwoBytes }),
      appendBytes({ nr: varint.oneInEight }),
      appendBytes({ k: varint.oneInTwoBytes }),
      appendBytes({ k: varint.oneInEight }),
      appendBytes({ entry: Uint8Array.of(1), len: varint.oneInTwoBytes }),
      Uint8Array.of(3, ...varint.oneInTwoBytes, 0, 1, 2, 0, 0),
      Uint8Array.of(3, 1, 0, ...varint.oneInTwoBytes, 2, 0, 0),
    ],
    closeCodes.malformed,
  )
  await provesHarmless(world)
})

test('[ATT-3] numbers that end nowhere, or in NaN', async () => {
  const numbers = [varint.endless, varint.beyond64, [0xff], [0x80]]
  await allClosed(
    numbers.flatMap((number) => [
      appendBytes({ nr: number }),
      appendBytes({ k: number }),
      appendBytes({ len: number }),
      Uint8Array.of(3, ...number),
      Uint8Array.of(3, 1, ...number),
      Uint8Array.of(3, 1, 0, 1, ...number),
    ]),
    closeCodes.malformed,
  )
  await provesHarmless(world)
})

test('[ATT-4] lengths of 2^31, 2^32 and 2^53', async () => {
  await allClosed(
    [varint.two31, varint.two32, varint.two53].flatMap((number) => [
      appendBytes({ k: number }),
      appendBytes({ len: number }),
      Uint8Array.of(3, 1, 0, 1, ...number, 0, 0),
    ]),
    closeCodes.malformed,
  )
  await provesHarmless(world)
})

test('[ATT-4] a frame number and a stream number of 2^32 and more', async () => {
  await allClosed(
    [varint.two32, varint.two53].flatMap((number) => [appendBytes({ nr: number }), Uint8Array.of(3, ...number, 0, 1, 2, 0, 0)]),
    closeCodes.malformed,
  )
  await provesHarmless(world)
})

test('[ATT-5] an entry that announces 100 MB within its frame', async () => {
  await allClosed([appendBytes({ len: varint.hundredMB })], closeCodes.malformed)
  await provesHarmless(world)
})

test('[ATT-5] a WebSocket frame that announces 100 MB', async () => {
  const eve = await world.link(world.eve)
  // FIN and binary, masked, a 64-bit length, the mask: and then nothing comes.
  eve.tcp.write(Uint8Array.of(0x82, 0xff, 0, 0, 0, 0, 0x06, 0x40, 0, 0, 1, 2, 3, 4))
  expect((await eve.closed).code).toBe(1009)
  await provesHarmless(world)
})

test('[ATT-5] 100 MB in pieces that never end', async () => {
  const eve = await world.link(world.eve)
  const header = (first: number) => Uint8Array.of(first, 0xfe, 0xff, 0xff, 0, 0, 0, 0)
  eve.tcp.on('error', () => {})
  eve.tcp.write(concatBytes(header(0x02), new Uint8Array(0xffff)))
  for (let sent = 1; sent < 1600 && eve.isOpen && !eve.tcp.destroyed; sent++) {
    const hasRoom = eve.tcp.write(concatBytes(header(0x00), new Uint8Array(0xffff)))
    if (!hasRoom) await Promise.race([eve.closed, new Promise((resolve) => eve.tcp.once('drain', resolve))])
  }
  expect([1006, 1009]).toContain((await eve.closed).code)
  await provesHarmless(world)
})

test('[ATT-6] text frames', async () => {
  await allClosed(['', 'hello', JSON.stringify({ t: 'beat' }), 'x'.repeat(100_000)], closeCodes.malformed)
  await provesHarmless(world)
})

test('[ATT-6] text frames before the hello, and what comes behind them', async () => {
  const device = await connectRaw(world.relay.url)
  device.send('hello')
  device.say(helloOf(world.eve.token))
  expect((await device.closed).code).toBe(closeCodes.malformed)
  expect(device.frames).toEqual([])
  await provesHarmless(world)
})

test('[ATT-6] a good entry right behind a text frame is not taken any more', async () => {
  const eve = await world.link(world.eve)
  eve.tcp.cork()
  eve.send('hello')
  eve.send(appendBytes())
  eve.tcp.uncork()
  expect((await eve.closed).code).toBe(closeCodes.malformed)
  await provesHarmless(world)
})

test('[ATT-7] frames of kinds that there are not', async () => {
  const kinds = Array.from({ length: 256 }, (_, kind) => kind).filter((kind) => ![0, 1, 3].includes(kind))
  await allClosed(
    [
      new Uint8Array(),
      ...kinds.map((kind) => Uint8Array.of(kind)),
      ...kinds.slice(0, 20).map((kind) => Uint8Array.of(kind, ...someBytes(200))),
    ],
    closeCodes.malformed,
  )
  await provesHarmless(world)
})

test('[ATT-7] control frames of kinds that there are not, or of no kind', async () => {
  const odd: (object | string)[] = [
    { t: 'HELLO' },
    { t: 'welcome' },
    { t: 1 },
    { t: ['beat'] },
    {},
    '[]',
    'null',
    '0',
    '""',
    '',
    ' ',
  ]
  const pollution: string[] = [
    '{"__proto__":{"t":"beat"}}',
    '{"t":{"__proto__":"beat"}}',
    `{"t":"__proto__"}`,
    '{"t":"constructor"}',
  ]
  const deep = [`{"t":"beat","x":${'['.repeat(20_000)}`, `${'['.repeat(30_000)}${']'.repeat(30_000)}`]
  await allClosed([...odd, ...pollution, ...deep].map(controlBytes), closeCodes.malformed)
  await provesHarmless(world)
})

test('[ATT-7] control frames that are no UTF-8, or not JSON as it is read here', async () => {
  const bad = [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80]].map((bytes) => Uint8Array.of(0, ...bytes))
  const within = concatBytes(Uint8Array.of(0), utf8('{"t":"beat","x":"'), Uint8Array.of(0xc0, 0x80), utf8('"}'))
  const texts = ["{'t':'beat'}", '{"t":"beat",}', '\ufeff{"t":"beat"}', '{"t":"beat"}{"t":"beat"}', 'NaN']
  await allClosed([...bad, within, ...texts.map(controlBytes)], closeCodes.malformed)
  await provesHarmless(world)
})

test('[ATT-7] control frames with a field of a wrong kind', async () => {
  const seg = world.place.channel
  const open = { t: 'open', req: 1, seg, n: 0, view: 0, tail: '' }
  const wrong: object[] = [
    ...[-1, 1.5, 2 ** 53, '1', null, [1], {}].flatMap((value) => [
      { ...open, req: value },
      { ...open, n: value },
    ]),
    ...['', 'x', `${seg}A`, seg.slice(1), `${seg.slice(0, 21)}B`, 7, null, {}].map((value) => ({ ...open, seg: value })),
    { ...open, tail: 'x' },
    { t: 'keys', devs: Array<string>(257).fill(seg) },
    { t: 'keys', devs: 'all' },
    { t: 'chain', space: seg, after: -1 },
    { t: 'command', space: seg, text: 'x', sig: 'x'.repeat(87), secret: '' },
    { t: 'command', space: seg, text: 'x', sig: 'x', secret: 'x'.repeat(201) },
    { t: 'read', incarnation: '', channel: seg, gen: 0 },
  ]
  await allClosed(wrong.map(controlBytes), closeCodes.malformed)
  await provesHarmless(world)
})

test('[ATT-8] every size one over its limit', async () => {
  const entry = goodEntry()
  const listedEntry = concatBytes(Uint8Array.from(lengthOf(entry)), entry)
  const many = (count: number) =>
    concatBytes(appendBytes({ k: [count] }).subarray(0, 19), ...Array<Uint8Array>(count).fill(listedEntry))
  const beats = (length: number) => controlBytes(`{"t":"beat","x":"${'x'.repeat(length - 20)}"}`)
  await allClosed([many(65), many(0), beats(65_537)], closeCodes.malformed)
  // 131,073 bytes of entries, and 1,114,113 of a whole frame.
  const entries = [...Array<number>(7).fill(16_380), 16_378].map((length) => new Uint8Array(length))
  const listed = entries.map((bytes) => concatBytes(Uint8Array.from(lengthOf(bytes)), bytes))
  const tooLong = concatBytes(appendBytes({ k: [8] }).subarray(0, 19), ...listed)
  expect(tooLong).toHaveLength(131_073)
  await allClosed([tooLong, new Uint8Array(1_114_112).fill(3)], closeCodes.malformed)
  await allClosed([new Uint8Array(1_114_113).fill(3)], 1009)
  const eve = await eveSends(beats(65_536))
  eve.say({ t: 'segments', channel: world.place.channel, after: '' })
  await eve.heard('segments')
  await eve.end()
  await provesHarmless(world)
})

test('[ATT-9] anything before the hello', async () => {
  for (const bytes of [
    appendBytes(),
    controlBytes({ t: 'beat' }),
    controlBytes({ t: 'segments', channel: world.place.channel, after: '' }),
    Uint8Array.of(3, 1, 0, 0, 1, 0),
  ]) {
    const device = await connectRaw(world.relay.url)
    device.send(bytes)
    expect((await device.closed).code).toBe(closeCodes.malformed)
    expect(device.frames).toEqual([])
  }
  await provesHarmless(world)
})

test('[ATT-9] hello twice on one link', async () => {
  const eve = await world.link(world.eve)
  eve.say(helloOf(world.eve.token))
  expect((await eve.closed).code).toBe(closeCodes.malformed)
  const both = await connectRaw(world.relay.url)
  for (let i = 0; i < 2; i++) both.say(helloOf(world.eve.token))
  expect((await both.closed).code).toBe(closeCodes.malformed)
  await provesHarmless(world)
})

test('[ATT-9] a hello of another version', async () => {
  for (const v of [0, 2, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
    const device = await connectRaw(world.relay.url)
    device.say({ ...helloOf(world.eve.token), v })
    expect((await device.closed).code).toBe(closeCodes.version)
  }
  await provesHarmless(world)
})

test('[ATT-9] a second hello by the same device takes over from the first, and from no other', async () => {
  const first = await world.link(world.eve)
  const second = await greetRaw(world.relay.url, world.eve.token)
  expect((await first.closed).code).toBe(closeCodes.replaced)
  second.say({ t: 'segments', channel: world.place.channel, after: '' })
  await second.heard('segments')
  await provesHarmless(world, { links: 1 })
  await second.end()
})

test('[ATT-9] a mark that nobody gave', async () => {
  const device = await connectRaw(world.relay.url)
  device.say({ ...helloOf(world.eve.token), mark: 'x'.repeat(200), incarnation: 'x'.repeat(64) })
  const welcome = await device.heard('welcome')
  expect(welcome.account).toBe(world.eve.account)
  await device.end()
  const [incarnation, commits, mac] = welcome.mark.split('.')
  for (const mark of [`${incarnation}.${Number(commits) + 1000}.${mac}`, `${incarnation}.${commits}.`, '..']) {
    const again = await connectRaw(world.relay.url)
    again.say({ ...helloOf(world.eve.token), incarnation: welcome.incarnation, mark })
    expect((await again.heard('welcome')).incarnation, 'nobody makes a relay think that it was restored').toBe(
      welcome.incarnation,
    )
    await again.end()
  }
  await provesHarmless(world)
})

test('[ATT-10] WebSocket frames that break the protocol itself', async () => {
  const broken: [string, number[], number][] = [
    ['without a mask', [0x82, 0x01, 0x00], 1002],
    ['a reserved bit', [0xc2, 0x80, 0, 0, 0, 0], 1002],
    ['a reserved kind', [0x83, 0x80, 0, 0, 0, 0], 1002],
    ['a piece of nothing', [0x80, 0x80, 0, 0, 0, 0], 1002],
    ['a ping in pieces', [0x09, 0x80, 0, 0, 0, 0], 1002],
    ['a ping of 126 bytes', [0x89, 0xfe, 0, 126, 0, 0, 0, 0], 1002],
    ['a length of 2^63', [0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 1009],
    ['a text that is no UTF-8', [0x81, 0x81, 0, 0, 0, 0, 0xff], 1007],
  ]
  for (const [what, bytes, code] of broken) {
    const eve = await world.link(world.eve)
    eve.tcp.write(Uint8Array.from(bytes))
    expect((await eve.closed).code, what).toBe(code)
  }
  await provesHarmless(world)
})

test('[ATT-10] a link that is cut in the middle of every kind of frame', async () => {
  for (let cut = 1; cut < 40; cut++) {
    const eve = await world.link(world.eve)
    const frame = concatBytes(Uint8Array.of(0x82, 0xfe, 1, 0, 0, 0, 0, 0), someBytes(256))
    eve.tcp.write(frame.subarray(0, cut))
    eve.cut()
  }
  await provesHarmless(world)
})
