// Token buckets by key, on a clock that is handed in: a burst at once, then a steady refill. One bucket serves flush and flood alike.
/** Buckets kept at once. A full bucket says nothing and is dropped first. */
const bucketsMax = 100_000

export interface TokenBuckets<Key> {
  /** Whole tokens there now. */
  left(key: Key, now: number): number
  take(key: Key, count: number, now: number): void
  /** Until `count` tokens are there; at least a millisecond. */
  waitMs(key: Key, count: number, now: number): number
}

export function createTokenBuckets<Key>(burst: number, perMinute: number): TokenBuckets<Key> {
  const perMs = perMinute / 60_000
  const buckets = new Map<Key, { tokens: number; at: number }>()

  const tokensNow = (key: Key, now: number): number => {
    const bucket = buckets.get(key)
    return bucket ? Math.min(burst, bucket.tokens + Math.max(0, now - bucket.at) * perMs) : burst
  }
  const dropFull = (now: number) => {
    for (const key of buckets.keys()) if (tokensNow(key, now) >= burst) buckets.delete(key)
  }
  return {
    left: (key, now) => Math.max(0, Math.floor(tokensNow(key, now) + 1e-6)),
    take(key, count, now) {
      if (buckets.size >= bucketsMax) dropFull(now)
      buckets.set(key, { tokens: tokensNow(key, now) - count, at: now })
    },
    waitMs: (key, count, now) => Math.max(1, Math.ceil((Math.min(count, burst) - tokensNow(key, now)) / perMs)),
  }
}
