// What was served last of segments, kept so that a channel which many open, or come back to, is read and put together once, not for each of them.
// An answer is good for one rev of its segment; with anything that happens to the segment it is dropped, deleted text with it.
import type { Bytes } from '#shared/base/bytes.ts'
import type { SegmentId } from '#shared/base/ids.ts'
import type { SegmentState } from '#shared/log/facts.ts'

export interface Served {
  /** What a device that holds `n` elements lacks. @param make the answer in its frame, where it is not at hand */
  serve(segment: Pick<SegmentState, 'id' | 'rev'>, n: number, make: () => Promise<Bytes>): Promise<Bytes>
  /** Something happened to it. */
  drop(segment: SegmentId): void
  forgetAll(): void
}

interface Answer {
  rev: number
  n: number
  bytes: Bytes
}

/** Of each segment the whole, and the newest other answer: all who were away equally long lack the same. */
export function createServed(bytesMax: number): Served {
  /** In the order of their use. */
  const answers = new Map<string, Answer>()
  let size = 0
  const keysOf = (segment: SegmentId) => ({ whole: segment, rest: `${segment}+` })

  function dropAnswer(key: string): void {
    size -= answers.get(key)?.bytes.length ?? 0
    answers.delete(key)
  }

  return {
    async serve({ id, rev }, n, make) {
      const key = n === 0 ? keysOf(id).whole : keysOf(id).rest
      const known = answers.get(key)
      const bytes = known?.rev === rev && known.n === n ? known.bytes : await make()
      dropAnswer(key)
      if (bytes.length > bytesMax) return bytes
      answers.set(key, { rev, n, bytes })
      size += bytes.length
      for (const oldest of answers.keys()) {
        if (size <= bytesMax) break
        dropAnswer(oldest)
      }
      return bytes
    },
    drop(segment) {
      const { whole, rest } = keysOf(segment)
      dropAnswer(whole)
      dropAnswer(rest)
    },
    forgetAll() {
      answers.clear()
      size = 0
    },
  }
}
