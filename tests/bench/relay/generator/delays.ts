// How long messages took from the writer to each reader, by the marks in them.
import { eachMark, numbersMax, writersMax } from './marks.ts'
import type { Take } from './peer.ts'

export interface Delays {
  /** Message `number` of `writer` leaves now. */
  sent(writer: number, number: number): void
  readonly take: Take
  /** From now on delays count, of what is sent from now on. */
  start(): void
  end(): void
  /** ms, sorted. */
  sorted(): Float64Array
  readonly sentCount: number
  readonly delivered: number
}

export function createDelays(writers: number): Delays {
  const sentAt = Array.from({ length: Math.min(writers, writersMax) }, () => new Map<number, number>())
  const taken: number[] = []
  let from = Number.POSITIVE_INFINITY
  let to = Number.POSITIVE_INFINITY
  let sentCount = 0
  let delivered = 0
  return {
    sent(writer, number) {
      sentCount++
      sentAt[writer]?.set(number % numbersMax, performance.now())
    },
    take(buffer, first, end) {
      const now = performance.now()
      eachMark(buffer, first, end, (writer, number) => {
        delivered++
        const at = sentAt[writer]?.get(number) ?? 0
        if (at >= from && at < to) taken.push(now - at)
      })
    },
    start() {
      from = performance.now()
    },
    end() {
      to = performance.now()
    },
    sorted: () => Float64Array.from(taken).sort(),
    get sentCount() {
      return sentCount
    },
    get delivered() {
      return delivered
    },
  }
}
