import { createDecoder, readVarUint } from 'lib0/decoding'
import { createEncoder, toUint8Array, writeVarUint } from 'lib0/encoding'
import { expect, test } from 'vitest'
import { createByteReader, createByteWriter } from '#shared/base/byte-cursor.ts'
import { createPrng } from '#shared/base/prng.ts'

const numbers = [0, 1, 127, 128, 300, 16_383, 16_384, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 49, Number.MAX_SAFE_INTEGER]

test('[BYTES-1] varuints are those of lib0, to 2^53 - 1', () => {
  const prng = createPrng(1)
  for (const number of [...numbers, ...Array.from({ length: 500 }, () => Math.floor(prng.next() * 2 ** prng.below(53)))]) {
    const ours = createByteWriter().uint(number).done()
    const theirs = createEncoder()
    writeVarUint(theirs, number)
    expect(ours).toEqual(new Uint8Array(toUint8Array(theirs)))
    expect(createByteReader(ours).uint()).toBe(number)
    expect(readVarUint(createDecoder(ours))).toBe(number)
  }
})

test('[BYTES-2] a number has one spelling; what is cut off or too large is not read, and the cursor stands still', () => {
  for (const bytes of [
    [],
    [0x80],
    [0x80, 0],
    [0xff, 0x80, 0],
    [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x10],
    Array(9).fill(0xff),
  ]) {
    const reader = createByteReader(Uint8Array.from(bytes))
    expect(reader.uint()).toBeUndefined()
    expect(reader.at).toBe(0)
  }
})

test('[BYTES-3] bytes are read back as they were written, and never from behind the end', () => {
  const bytes = createByteWriter(1).byte(7).bytes(new Uint8Array(100).fill(9)).uint(1_000).done()
  const reader = createByteReader(bytes, 1)
  expect(reader.take(102)?.length).toBe(102)
  expect(reader.ended).toBe(true)
  expect([reader.byte(), reader.take(1), reader.take(0)?.length]).toEqual([undefined, undefined, 0])
})
