// Bytes as the parts that their grammar names: numbers, and runs of bytes. Nearly right bytes come of changing parts, then of changing bytes.
import { type Bytes, concatBytes } from '#shared/base/bytes.ts'
import type { Prng } from '#shared/base/prng.ts'

export type Part =
  /** A varuint; `spare` bytes make its spelling longer than it need be. */
  { kind: 'uint'; value: bigint; spare?: number } | { kind: 'bytes'; bytes: Uint8Array }

export const uint = (value: number | bigint): Part => ({ kind: 'uint', value: BigInt(value) })
export const run = (bytes: Uint8Array | readonly number[]): Part => ({ kind: 'bytes', bytes: Uint8Array.from(bytes) })

export function writeParts(parts: readonly Part[]): Bytes {
  return concatBytes(...parts.map((part) => (part.kind === 'uint' ? writeUint(part.value, part.spare ?? 0) : part.bytes)))
}

const bounds = [0n, 1n, 127n, 128n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 63n, 2n ** 64n]

/** @returns new parts, and how they differ */
export function mutateParts(given: readonly Part[], random: Prng, most = 3): { parts: Part[]; how: string[] } {
  const parts = [...given]
  const how: string[] = []
  const wanted = random.chance(0.6) ? 1 : 1 + random.below(most)
  for (let tries = 0; how.length < wanted && tries < 30; tries++) {
    const at = random.below(parts.length)
    const part = parts[at]
    if (part === undefined) break
    const name = changePart(parts, at, part, random)
    if (name) how.push(name)
  }
  return { parts, how }
}

function changePart(parts: Part[], at: number, part: Part, random: Prng): string | undefined {
  switch (random.below(7)) {
    case 0:
      if (part.kind !== 'uint') return undefined
      parts[at] = { ...part, spare: random.pick([1, 1, 2, 8]) }
      return 'long-varint'
    case 1:
      if (part.kind !== 'uint') return undefined
      parts[at] = uint(part.value + (random.chance(0.5) || part.value === 0n ? 1n : -1n))
      return 'off-by-one'
    case 2:
      if (part.kind !== 'uint') return undefined
      parts[at] = uint(random.pick(bounds))
      return 'bound'
    case 3:
      parts.splice(at, 1)
      return parts.length > 0 ? 'part-dropped' : undefined
    case 4:
      parts.splice(at, 0, part)
      return 'part-doubled'
    case 5: {
      const other = random.below(parts.length)
      const moved = parts[other]
      if (moved === undefined || other === at) return undefined
      parts[other] = part
      parts[at] = moved
      return 'parts-swapped'
    }
    default:
      if (part.kind !== 'bytes' || part.bytes.length === 0) return undefined
      parts[at] = run(mutateBytes(part.bytes, random, new Uint8Array(0)).bytes)
      return 'part-bytes'
  }
}

/** ASCII in more bytes than it takes, half characters, and what UTF-8 never holds. */
const badUtf8: readonly (readonly number[])[] = [
  [0xc0, 0x80],
  [0xc1, 0xbf],
  [0xe0, 0x80, 0xaf],
  [0xf0, 0x80, 0x80, 0xaf],
  [0xed, 0xa0, 0x80],
  [0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80],
  [0xf4, 0x90, 0x80, 0x80],
  [0xff],
  [0x80],
  [0xe2, 0x82],
]

/** One change of bytes, whatever they mean. @param other for splicing two into one */
export function mutateBytes(bytes: Uint8Array, random: Prng, other: Uint8Array): { bytes: Bytes; how: string } {
  const at = random.below(bytes.length + 1)
  const [head, tail] = [bytes.subarray(0, at), bytes.subarray(at)]
  switch (random.below(7)) {
    case 0: {
      const flipped = new Uint8Array(bytes)
      const place = random.below(Math.max(1, bytes.length))
      flipped[place] = (flipped[place] ?? 0) ^ (1 << random.below(8))
      return { bytes: flipped, how: 'bit-flip' }
    }
    case 1:
      return { bytes: new Uint8Array(head), how: 'truncated' }
    case 2:
      return { bytes: concatBytes(bytes, random.bytes(1 + random.below(4))), how: 'trailing' }
    case 3:
      return { bytes: concatBytes(head, tail.subarray(1)), how: 'byte-dropped' }
    case 4:
      return { bytes: concatBytes(head, Uint8Array.from(random.pick(badUtf8)), tail.subarray(1)), how: 'bad-utf8' }
    case 5:
      return { bytes: concatBytes(head, other.subarray(random.below(other.length + 1))), how: 'spliced' }
    default:
      return { bytes: concatBytes(head, tail.subarray(0, 1 + random.below(8)), tail), how: 'repeated' }
  }
}

function writeUint(value: bigint, spare: number): Uint8Array {
  const bytes: number[] = []
  let rest = value
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128)
    rest >>= 7n
  }
  bytes.push(Number(rest))
  for (let i = 0; i < spare; i++) {
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) | 128
    bytes.push(0)
  }
  return Uint8Array.from(bytes)
}
