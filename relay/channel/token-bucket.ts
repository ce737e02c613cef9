// Token buckets by key, on a clock that is handed in: a burst at once, then a steady refill. One bucket serves flush and flood alike.
/** Buckets kept at once: some 20 MB where keys are long. */
const bucketsMax = 100_000

export interface TokenBuckets<Key> {
  /** Whole tokens there now. */
  left(key: Key, now: number): number
  take(key: Key, count: number, now: number): void
  /** Until `count` tokens are there; at least a millisecond. */
  waitMs(key: Key, count: number, now: number): number
  /** The bucket is full again. */
  forget(key: Key): void
  /** Buckets that are not full, as far as is known. */
  readonly size: number
}

interface Bucket {
  tokens: number
  at: number
}

export function createTokenBuckets<Key>(burst: number, perMinute: number): TokenBuckets<Key> {
  const perMs = perMinute / 60_000
  // Two generations instead of one list by use: under a flood of keys every step stays cheap, and what nobody used for a whole generation,
  // and has filled up most, goes with its like.
  let young = new Map<Key, Bucket>()
  let old = new Map<Key, Bucket>()

  const tokensNow = (key: Key, now: number): number => {
    const bucket = young.get(key) ?? old.get(key)
    if (!bucket) return burst
    // A clock that was set back: what is missing comes back from here on, and not only when the old time is reached again.
    if (now < bucket.at) bucket.at = now
    return Math.min(burst, bucket.tokens + (now - bucket.at) * perMs)
  }
  const forget = (key: Key) => {
    young.delete(key)
    old.delete(key)
  }
  return {
    left: (key, now) => Math.max(0, Math.floor(tokensNow(key, now) + 1e-6)),
    take(key, count, now) {
      const tokens = Math.min(burst, tokensNow(key, now) - count)
      // A full bucket says nothing.
      if (tokens >= burst) return forget(key)
      old.delete(key)
      young.set(key, { tokens, at: now })
      if (young.size < bucketsMax / 2) return
      old = young
      young = new Map()
    },
    waitMs: (key, count, now) => Math.max(1, Math.ceil((Math.min(count, burst) - tokensNow(key, now)) / perMs - 1e-6)),
    forget,
    get size() {
      return young.size + old.size
    },
  }
}
