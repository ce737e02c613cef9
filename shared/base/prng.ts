// A seeded generator for tests, the simulator and the seed command. Not for secrets.
import type { Bytes } from './bytes.ts'
import type { Random } from './ports.ts'

export interface Prng extends Random {
  /** In [0, 1). */
  next(): number
  /** Integer in [0, bound). */
  below(bound: number): number
  chance(probability: number): boolean
  pick<T>(list: readonly T[]): T
}

/** mulberry32 over a 32-bit seed. */
export function createPrng(seed: number): Prng {
  let state = seed | 0
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let word = Math.imul(state ^ (state >>> 15), 1 | state)
    word = (word + Math.imul(word ^ (word >>> 7), 61 | word)) ^ word
    return ((word ^ (word >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (bound: number) => Math.floor(next() * bound)
  return {
    next,
    below,
    chance: (probability) => next() < probability,
    pick: <T>(list: readonly T[]): T => {
      // reason: callers hand in lists that are not empty, so the index holds an element
      return list[below(list.length)] as T
    },
    bytes: (length): Bytes => Uint8Array.from({ length }, () => below(256)),
  }
}
