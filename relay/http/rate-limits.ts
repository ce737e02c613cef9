// The door of rate-limiter-flexible: counters in this process, by key. They may be per process (DESIGN §9), and end with it.
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import type { RateLimit } from './settings.ts'

export interface Limiter {
  /** Counts one. 0: go on; else the seconds until it may be tried again, at least 1. */
  take(key: string): Promise<number>
  /** Takes one back: what was counted turned out not to count. */
  giveBack(key: string): Promise<void>
  /** The key starts anew. */
  forget(key: string): Promise<void>
}

export function createLimiter({ points, seconds }: RateLimit): Limiter {
  const counters = new RateLimiterMemory({ points, duration: seconds, keyPrefix: '' })
  return {
    async take(key) {
      try {
        await counters.consume(key)
        return 0
      } catch (refusal) {
        if (!(refusal instanceof RateLimiterRes)) throw refusal
        return Math.max(1, Math.ceil(refusal.msBeforeNext / 1000))
      }
    },
    async giveBack(key) {
      const { consumedPoints } = await counters.reward(key)
      // Nothing is kept of what did not count: neither memory, nor a credit for the next window where this one ended meanwhile.
      if (consumedPoints <= 0) await counters.delete(key)
    },
    async forget(key) {
      await counters.delete(key)
    },
  }
}
