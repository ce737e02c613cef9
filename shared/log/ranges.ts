// Sets of clocks as Yjs writes them in a delete set: sorted, disjoint, maximal [clock, length]. Plain values, never changed in place.
import type { Ranges } from './facts.ts'

/** The same set with `length` clocks from `clock` on; what touches is joined. */
export function addRange(ranges: Ranges, clock: number, length: number): Ranges {
  if (length === 0) return ranges
  let from = clock
  let to = clock + length
  const before: [number, number][] = []
  const after: [number, number][] = []
  for (const [start, count] of ranges) {
    const end = start + count
    if (end < from) before.push([start, count])
    else if (start > to) after.push([start, count])
    else {
      from = Math.min(from, start)
      to = Math.max(to, end)
    }
  }
  return [...before, [from, to - from], ...after]
}

/** @param clocks in any order, repeats allowed */
export function rangesOf(clocks: Iterable<number>): Ranges {
  const sorted = [...new Set(clocks)].sort((a, b) => a - b)
  const ranges: [number, number][] = []
  for (const clock of sorted) {
    const last = ranges.at(-1)
    if (last && last[0] + last[1] === clock) last[1]++
    else ranges.push([clock, 1])
  }
  return ranges
}

export function hasClock(ranges: Ranges, clock: number): boolean {
  let low = 0
  let high = ranges.length
  while (low < high) {
    const middle = (low + high) >> 1
    const range = ranges[middle]
    if (!range || range[0] > clock) high = middle
    else if (range[0] + range[1] <= clock) low = middle + 1
    else return true
  }
  return false
}

/** The first clock behind the set, 0 when it is empty. */
export function endOf(ranges: Ranges): number {
  const last = ranges.at(-1)
  return last ? last[0] + last[1] : 0
}
