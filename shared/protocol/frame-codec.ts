// Frames as bytes. Byte 0 is the kind; numbers are varuints, minimal and below 2^32; ids are their 16 bytes.
//   00 control   UTF-8 JSON object with `t`
//   01 append    nr, channel(16), k, k*( len entry )
//   02 update    segment(16), Yjs update
//   03 stock     stream, one y-protocols message
// Parsing never throws and never half-succeeds: what is not exactly a frame is `undefined`, and its link is closed.
import { assert } from '../base/assert.ts'
import { type ByteReader, createByteReader, createByteWriter } from '../base/byte-cursor.ts'
import { type Bytes, concatBytes, parseUtf8, utf8 } from '../base/bytes.ts'
import { idBytes, idFromBytes } from '../base/ids.ts'
import { limits } from '../base/limits.ts'
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
  // The kind is the byte 0, which a text may begin with.
  const bytes = utf8(`\0${JSON.stringify(message)}`)
  assert(bytes.length <= limits.controlBytesMax, 'a control frame is within its limit: long lists are paged')
  return bytes
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

function encodeAppend({ nr, channel, entries }: FrameUp & { kind: 'append' }): Bytes {
  assert(entries.length > 0 && entries.length <= limits.appendEntriesMax, 'an append holds 1 to 64 entries')
  const writer = createByteWriter(64 + entries.reduce((sum, entry) => sum + entry.length + 3, 0))
  writer.byte(kinds.append).uint(nr).bytes(idBytes(channel)).uint(entries.length)
  for (const entry of entries) writer.uint(entry.length).bytes(entry)
  return writer.done()
}

function parseAppend(bytes: Uint8Array): FrameUp | undefined {
  if (bytes.length > limits.appendBytesMax) return undefined
  const reader = createByteReader(bytes, 1)
  const nr = readNumber(reader)
  const channel = reader.take(idLength)
  const count = readNumber(reader)
  if (nr === undefined || !channel || !count || count > limits.appendEntriesMax) return undefined
  const entries: Uint8Array[] = []
  for (let i = 0; i < count; i++) {
    const length = readNumber(reader)
    const entry = length === undefined ? undefined : reader.take(length)
    if (!entry) return undefined
    entries.push(entry)
  }
  return reader.ended ? { kind: 'append', nr, channel: idFromBytes(channel), entries } : undefined
}

function encodeStock({ stream, bytes }: { stream: number; bytes: Uint8Array }): Bytes {
  return createByteWriter(bytes.length + 6)
    .byte(kinds.stock)
    .uint(stream)
    .bytes(bytes)
    .done()
}

function parseStock(bytes: Uint8Array): { kind: 'stock'; stream: number; bytes: Uint8Array } | undefined {
  const reader = createByteReader(bytes, 1)
  const stream = readNumber(reader)
  return stream === undefined || reader.ended ? undefined : { kind: 'stock', stream, bytes: bytes.subarray(reader.at) }
}

function readNumber(reader: ByteReader): number | undefined {
  const value = reader.uint()
  return value !== undefined && value < 2 ** 32 ? value : undefined
}
