// Variable-length unsigned integers (LEB128), as lib0 writes them: seven bits a byte, lowest first. Ours are minimal and below 2^32.
import { assert } from './assert.ts'

export interface ReadVaruint {
  value: number
  /** Position behind it. */
  at: number
}

/** Appends `value` to `out`. */
export function writeVaruint(out: number[], value: number): void {
  assert(Number.isInteger(value) && value >= 0 && value < 2 ** 32, 'a varuint is an integer below 2^32')
  let rest = value
  while (rest > 127) {
    out.push((rest % 128) + 128)
    rest = Math.floor(rest / 128)
  }
  out.push(rest)
}

/** `undefined` where the bytes end, where the number is 2^32 or more, and where it is longer than it needs to be. */
export function readVaruint(bytes: Uint8Array, at: number): ReadVaruint | undefined {
  let value = 0
  for (let i = 0; i < 5; i++) {
    const byte = bytes[at + i]
    if (byte === undefined) return undefined
    value += (byte & 127) * 2 ** (7 * i)
    if (byte >= 128) continue
    if (value >= 2 ** 32 || (byte === 0 && i > 0)) return undefined
    return { value, at: at + i + 1 }
  }
  return undefined
}
