// Frames there and back, and everything that is not exactly a frame.
import { expect, test } from 'vitest'
import { concatBytes, utf8 } from '#shared/base/bytes.ts'
import { limits } from '#shared/base/limits.ts'
import { createPrng } from '#shared/base/prng.ts'
import { encodeDown, encodeUp, parseDown, parseUp } from '#shared/protocol/frame-codec.ts'
import { framesUp, laterFramesDown, framesDown as oldFramesDown } from './frame-samples.ts'

const framesDown = [...oldFramesDown, ...laterFramesDown]

const plain = (frame: unknown) =>
  JSON.parse(JSON.stringify(frame, (_, value) => (value instanceof Uint8Array ? [...value] : value)))
const control = (message: unknown) => concatBytes(Uint8Array.of(0), utf8(JSON.stringify(message)))

test('every frame comes back as it was', () => {
  for (const frame of framesUp) expect(plain(parseUp(encodeUp(frame)))).toEqual(plain(frame))
  for (const frame of framesDown) expect(plain(parseDown(encodeDown(frame)))).toEqual(plain(frame))
})

test('a frame that ends early is none, at whatever byte; the payloads of update and stock have no end of their own', () => {
  for (const frame of framesUp) {
    const bytes = encodeUp(frame)
    for (let length = 0; length < bytes.length; length++) {
      const parsed = parseUp(bytes.subarray(0, length))
      if (frame.kind !== 'stock' || length < 3) expect(parsed, `${frame.kind} ${length}`).toBeUndefined()
    }
  }
  for (const frame of framesDown) {
    const bytes = encodeDown(frame)
    const least = frame.kind === 'update' ? 19 : frame.kind === 'stock' ? 4 : bytes.length
    for (let length = 0; length < least; length++)
      expect(parseDown(bytes.subarray(0, length)), `${frame.kind} ${length}`).toBeUndefined()
  }
})

test('a frame with something behind it is none', () => {
  for (const frame of framesUp)
    if (frame.kind !== 'stock') expect(parseUp(concatBytes(encodeUp(frame), Uint8Array.of(0)))).toBeUndefined()
})

test('numbers are minimal and below 2^32', () => {
  const stream = (...number: number[]) => parseUp(Uint8Array.of(3, ...number, 7))
  expect(stream(0xff, 0xff, 0xff, 0xff, 0x0f)).toMatchObject({ stream: 2 ** 32 - 1 })
  expect(stream(0x80, 0x80, 0x80, 0x80, 0x10)).toBeUndefined()
  expect(stream(0x81, 0x00)).toBeUndefined()
  expect(stream(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01)).toBeUndefined()
})

test('an append holds 1 to 64 entries, within its bytes', () => {
  const channel = new Uint8Array(16)
  const append = (count: number, entries: Uint8Array) =>
    parseUp(concatBytes(Uint8Array.of(1, 1), channel, Uint8Array.of(count), entries))
  expect(append(0, new Uint8Array())).toBeUndefined()
  expect(append(64, new Uint8Array(64))).toMatchObject({ kind: 'append' })
  expect(append(65, new Uint8Array(65))).toBeUndefined()
  const large = concatBytes(Uint8Array.of(0x80, 0x80, 0x08), new Uint8Array(limits.appendBytesMax))
  expect(append(1, large)).toBeUndefined()
})

test('unknown keys are kept; what is unknown upwards is no frame, downwards it is skipped', () => {
  expect(parseUp(control({ t: 'beat', later: 1 }))).toEqual({ kind: 'control', message: { t: 'beat', later: 1 } })
  expect(parseUp(control({ t: 'dance' }))).toBeUndefined()
  expect(parseDown(control({ t: 'dance' }))).toEqual({ kind: 'unknown' })
  expect(parseDown(control({ t: 'ready', later: 1 }))).toEqual({ kind: 'control', message: { t: 'ready', later: 1 } })
  expect(parseDown(control({ t: 'gone' }))).toBeUndefined()
  expect(parseDown(control({ t: 'done' }))).toBeUndefined()
  expect(parseUp(Uint8Array.of(9))).toBeUndefined()
})

test('a refusal that this version does not know is still a refusal', () => {
  const verdicts = [{ kind: 'refused', id: 0, code: 'of-a-later-version', severe: false }]
  expect(parseDown(control({ t: 'result', nr: 1, verdicts, wait: 0 }))).toMatchObject({
    message: { verdicts: [{ code: 'internal' }] },
  })
})

test.each([
  ['numbers that are none', { t: 'open', req: 1.5, seg: 'A'.repeat(22), n: 0, view: 0, tail: '' }],
  ['a negative number', { t: 'open', req: 1, seg: 'A'.repeat(22), n: -1, view: 0, tail: '' }],
  ['an id that is not canonical', { t: 'close', seg: `${'A'.repeat(21)}B` }],
  ['too many keys at once', { t: 'keys', devs: Array.from({ length: 257 }, () => 'A'.repeat(22)) }],
  ['an array', []],
  ['nothing', null],
])('%s is no control frame', (_, message) => {
  expect(parseUp(control(message))).toBeUndefined()
})

test('a control frame is strict UTF-8, and at most 64 KB', () => {
  expect(parseUp(Uint8Array.of(0, 0x22, 0xff, 0x22))).toBeUndefined()
  expect(parseUp(control({ t: 'beat', pad: 'x'.repeat(limits.controlBytesMax) }))).toBeUndefined()
})

test('no bytes make a parser throw', () => {
  const prng = createPrng(1)
  const samples = [...framesUp.map(encodeUp), ...framesDown.map(encodeDown)]
  for (let i = 0; i < 20_000; i++) {
    const bytes = prng.chance(0.3) ? prng.bytes(prng.below(60)) : prng.pick(samples).slice()
    for (let k = prng.below(4); k > 0 && bytes.length > 0; k--) bytes[prng.below(bytes.length)] = prng.below(256)
    if (prng.chance(0.3)) bytes[0] = prng.below(5)
    parseUp(bytes)
    parseDown(bytes)
  }
})
