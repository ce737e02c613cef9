// How often somebody may ask: so many at once, then one after the other as they come back. In this process only (DESIGN §9), and ends with it.
import type { Clock } from '#shared/base/ports.ts'
import { createTokenBuckets } from '../channel/token-bucket.ts'
import type { RateLimit } from './settings.ts'

export interface Limiter {
  /** Counts one. 0: go on; else the seconds until it may be tried again, at least 1. */
  take(key: string): Promise<number>
  /** Takes one back: what was counted turned out not to count. */
  giveBack(key: string): Promise<void>
  /** The key starts anew. */
  forget(key: string): Promise<void>
}

export function createLimiter({ points, seconds }: RateLimit, clock: Clock): Limiter {
  const buckets = createTokenBuckets<string>(points, (points * 60) / seconds)
  return {
    async take(key) {
      const now = clock.now()
      if (buckets.left(key, now) < 1) return Math.ceil(buckets.waitMs(key, 1, now) / 1000)
      buckets.take(key, 1, now)
      return 0
    },
    async giveBack(key) {
      buckets.take(key, -1, clock.now())
    },
    async forget(key) {
      buckets.forget(key)
    },
  }
}
