// The world as the core may see it: time and randomness come in through these, so that a test can own them.
import type { Bytes } from './bytes.ts'

/** Milliseconds since 1970. */
export interface Clock {
  now(): number
}

/** Unpredictable bytes; seeded in tests. */
export interface Random {
  bytes(length: number): Bytes
}
