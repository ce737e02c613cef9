// Writing and reading bytes in order, with the varuints that frames, tapes and Yjs share: LEB128, the shortest form only.
import { assert } from './assert.ts'
import type { Bytes } from './bytes.ts'

export interface ByteWriter {
  byte(value: number): ByteWriter
  /** @param value a safe integer, not negative */
  uint(value: number): ByteWriter
  bytes(source: Uint8Array): ByteWriter
  /** A copy of its own: the writer may go on. */
  done(): Bytes
}

/** Every read answers `undefined` where the bytes do not hold it; the cursor stands still then. */
export interface ByteReader {
  /** Position of the next byte. */
  readonly at: number
  readonly ended: boolean
  byte(): number | undefined
  /** At most 2^53 - 1; a longer spelling than needed is not read. */
  uint(): number | undefined
  /** false: there are not so many. */
  skip(length: number): boolean
  /** A view, not a copy. */
  take(length: number): Uint8Array | undefined
}

/** @param size a guess; it grows when the guess was small */
export function createByteWriter(size = 256): ByteWriter {
  let buffer = new Uint8Array(Math.max(size, 16))
  let at = 0
  const room = (more: number) => {
    if (at + more <= buffer.length) return
    const larger = new Uint8Array(Math.max(buffer.length * 2, at + more))
    larger.set(buffer.subarray(0, at))
    buffer = larger
  }
  const writer: ByteWriter = {
    byte: (value) => {
      room(1)
      buffer[at++] = value
      return writer
    },
    uint: (value) => {
      assert(Number.isSafeInteger(value) && value >= 0, 'a varuint is a safe integer, not negative')
      room(8)
      let rest = value
      // Not by bit operations: they end at 32 bits.
      while (rest > 127) {
        buffer[at++] = (rest % 128) | 128
        rest = Math.floor(rest / 128)
      }
      buffer[at++] = rest
      return writer
    },
    bytes: (source) => {
      room(source.length)
      buffer.set(source, at)
      at += source.length
      return writer
    },
    done: () => buffer.slice(0, at),
  }
  return writer
}

export function createByteReader(bytes: Uint8Array, from = 0): ByteReader {
  let at = from
  return {
    get at() {
      return at
    },
    get ended() {
      return at >= bytes.length
    },
    byte: () => (at < bytes.length ? bytes[at++] : undefined),
    uint: () => {
      let value = 0
      let weight = 1
      for (let i = at; i < bytes.length && i - at < 8; i++) {
        const byte = bytes[i] ?? 0
        value += (byte & 127) * weight
        weight *= 128
        if (byte > 127) continue
        if ((byte === 0 && i > at) || !Number.isSafeInteger(value)) return undefined
        at = i + 1
        return value
      }
      return undefined
    },
    skip: (length) => {
      if (length > bytes.length - at) return false
      at += length
      return true
    },
    take: (length) => {
      if (length > bytes.length - at) return undefined
      at += length
      return bytes.subarray(at - length, at)
    },
  }
}
