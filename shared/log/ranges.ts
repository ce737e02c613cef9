// Sets of clocks as Yjs writes them in a delete set: sorted, disjoint, maximal [clock, length]. Plain values, never changed in place.
import type { Ranges } from './facts.ts'

/** Both sets as one; what touches is joined. */
export function joinRanges(a: Ranges, b: Ranges): Ranges {
  if (b.length === 0) return a
  const joined: [number, number][] = []
  let i = 0
  let j = 0
  while (i < a.length || j < b.length) {
    const left = a[i]
    const right = b[j]
    const takesLeft = left !== undefined && (right === undefined || left[0] <= right[0])
    const range = takesLeft ? left : right
    if (takesLeft) i++
    else j++
    if (range) append(joined, range[0], range[1])
  }
  return joined
}

/** @param clocks in any order, repeats allowed */
export function rangesOf(clocks: Iterable<number>): Ranges {
  const sorted = [...new Set(clocks)].sort((a, b) => a - b)
  const ranges: [number, number][] = []
  for (const clock of sorted) append(ranges, clock, 1)
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

/** @param clock not before the last range's beginning */
function append(ranges: [number, number][], clock: number, length: number): void {
  const last = ranges.at(-1)
  if (last && clock <= last[0] + last[1]) last[1] = Math.max(last[1], clock + length - last[0])
  else ranges.push([clock, length])
}
