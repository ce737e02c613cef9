// Frames as bytes. Byte 0 is the kind; numbers are varuints, minimal and below 2^32; ids are their 16 bytes.
//   00 control   UTF-8 JSON object with `t`
//   01 append    nr, channel(16), k, k*( len entry )
//   02 update    segment(16), Yjs update
//   03 stock     stream, one y-protocols message
// Parsing never throws and never half-succeeds: what is not exactly a frame is `undefined`, and its link is closed.
import { assert } from '../base/assert.ts'
import { type Bytes, concatBytes, parseUtf8, utf8 } from '../base/bytes.ts'
import { idBytes, idFromBytes } from '../base/ids.ts'
import { limits } from '../base/limits.ts'
import { readVaruint, writeVaruint } from '../base/varuint.ts'
import { parseControlDown, parseControlUp, type UnknownControl } from './control-shapes.ts'
import type { FrameDown, FrameUp } from './frames.ts'

const kinds = { control: 0, append: 1, update: 2, stock: 3 } as const
const idLength = 16

export function encodeUp(frame: FrameUp): Bytes {
  switch (frame.kind) {
    case 'control':
      return encodeControl(frame.message)
    case 'append':
      return encodeAppend(frame)
    case 'stock':
      return encodeStock(frame)
  }
}

export function encodeDown(frame: FrameDown): Bytes {
  switch (frame.kind) {
    case 'control':
      return encodeControl(frame.message)
    case 'update':
      return concatBytes(Uint8Array.of(kinds.update), idBytes(frame.seg), frame.update)
    case 'stock':
      return encodeStock(frame)
  }
}

/** What a device sent. The bytes of entries and stock messages are views into `bytes`. */
export function parseUp(bytes: Uint8Array): FrameUp | undefined {
  if (bytes.length > limits.frameBytesMax) return undefined
  switch (bytes[0]) {
    case kinds.control: {
      const message = parseControlUp(parseJson(bytes))
      return message && { kind: 'control', message }
    }
    case kinds.append:
      return parseAppend(bytes)
    case kinds.stock:
      return parseStock(bytes)
    default:
      return undefined
  }
}

/** What the relay sent. A control frame of a kind that this version does not know is `unknown`, and to be skipped. */
export function parseDown(bytes: Uint8Array): FrameDown | UnknownControl | undefined {
  switch (bytes[0]) {
    case kinds.control: {
      const message = parseControlDown(parseJson(bytes))
      if (!message) return undefined
      return 'kind' in message ? message : { kind: 'control', message }
    }
    case kinds.update:
      return bytes.length < 1 + idLength + 2
        ? undefined
        : { kind: 'update', seg: idFromBytes(bytes.subarray(1, 1 + idLength)), update: bytes.subarray(1 + idLength) }
    case kinds.stock:
      return parseStock(bytes)
    default:
      return undefined
  }
}

function encodeControl(message: object): Bytes {
  const text = utf8(JSON.stringify(message))
  assert(text.length < limits.controlBytesMax, 'a control frame is within its limit: long lists are paged')
  return concatBytes(Uint8Array.of(kinds.control), text)
}

function parseJson(bytes: Uint8Array): unknown {
  if (bytes.length > limits.controlBytesMax) return undefined
  const text = parseUtf8(bytes.subarray(1))
  if (text === undefined) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function encodeAppend(frame: FrameUp & { kind: 'append' }): Bytes {
  assert(frame.entries.length > 0 && frame.entries.length <= limits.appendEntriesMax, 'an append holds 1 to 64 entries')
  const head: number[] = [kinds.append]
  writeVaruint(head, frame.nr)
  head.push(...idBytes(frame.channel))
  writeVaruint(head, frame.entries.length)
  const parts = frame.entries.flatMap((entry) => {
    const length: number[] = []
    writeVaruint(length, entry.length)
    return [Uint8Array.from(length), entry]
  })
  return concatBytes(Uint8Array.from(head), ...parts)
}

function parseAppend(bytes: Uint8Array): FrameUp | undefined {
  if (bytes.length > limits.appendBytesMax) return undefined
  const nr = readVaruint(bytes, 1)
  if (!nr || bytes.length < nr.at + idLength) return undefined
  const channel = idFromBytes<'channel'>(bytes.subarray(nr.at, nr.at + idLength))
  const count = readVaruint(bytes, nr.at + idLength)
  if (!count || count.value < 1 || count.value > limits.appendEntriesMax) return undefined
  const entries: Uint8Array[] = []
  let at = count.at
  for (let i = 0; i < count.value; i++) {
    const length = readVaruint(bytes, at)
    if (!length || length.at + length.value > bytes.length) return undefined
    at = length.at + length.value
    entries.push(bytes.subarray(length.at, at))
  }
  return at === bytes.length ? { kind: 'append', nr: nr.value, channel, entries } : undefined
}

function encodeStock(frame: { stream: number; bytes: Uint8Array }): Bytes {
  const head: number[] = [kinds.stock]
  writeVaruint(head, frame.stream)
  return concatBytes(Uint8Array.from(head), frame.bytes)
}

function parseStock(bytes: Uint8Array): { kind: 'stock'; stream: number; bytes: Uint8Array } | undefined {
  const stream = readVaruint(bytes, 1)
  return stream && bytes.length > stream.at
    ? { kind: 'stock', stream: stream.value, bytes: bytes.subarray(stream.at) }
    : undefined
}
