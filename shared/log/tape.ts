// The stored form of a segment: its elements in the order of their clocks, without any header, so that compaction is concatenation.
// A live element is byte for byte what Yjs writes for a string in ContentAny; headers are made when it is served.
// A tape comes from our own storage: where it is torn, that is a bug or a broken disk, and reading it throws.
import { assert } from '../base/assert.ts'
import { createByteReader, createByteWriter } from '../base/byte-cursor.ts'
import { type Bytes, concatBytes, parseUtf8 } from '../base/bytes.ts'

/** live: 77 len utf8 · deleted run: 00 n */
export const tapeLive = 0x77
const tapeDeleted = 0x00

/** One cell: a live element, or `count` deleted ones. `from` and `to` bound the whole cell in the tape, `text` the element's UTF-8. */
export type TapeCell =
  | { live: true; clock: number; count: 1; from: number; to: number; text: Uint8Array }
  | { live: false; clock: number; count: number; from: number; to: number }

/** What stands in a row between two clocks: the tape of live elements, or how many are deleted. */
export type TapeRun =
  | { live: true; clock: number; count: number; tape: Uint8Array }
  | { live: false; clock: number; count: number }

/** The cell of one live element. @param parts its text in UTF-8 */
export function tapeOfElement(...parts: Uint8Array[]): Bytes {
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  return concatBytes(createByteWriter(8).byte(tapeLive).uint(length).done(), ...parts)
}

/** @param clock the clock at which this tape begins */
export function* walkTape(tape: Uint8Array, clock = 0): Generator<TapeCell> {
  const reader = createByteReader(tape)
  let next = clock
  while (!reader.ended) {
    const from = reader.at
    const kind = reader.byte()
    const count = reader.uint()
    assert(count !== undefined && (kind === tapeLive || (kind === tapeDeleted && count > 0)), 'a tape holds whole cells')
    if (kind === tapeLive) {
      const text = reader.take(count)
      assert(text !== undefined, 'a tape holds whole cells')
      yield { live: true, clock: next++, count: 1, from, to: reader.at, text }
    } else {
      yield { live: false, clock: next, count, from, to: reader.at }
      next += count
    }
  }
}

/** The runs at and behind clock `n`. Live runs are views of the tape. */
export function runsFrom(tape: Uint8Array, clock: number, n: number): TapeRun[] {
  const runs: TapeRun[] = []
  const reader = createByteReader(tape)
  let start = 0
  let next = clock
  // Not by `walkTape`: a join walks a whole segment, and an object for each cell would be most of what it costs.
  while (!reader.ended) {
    const from = reader.at
    const kind = reader.byte()
    const length = reader.uint()
    const live = kind === tapeLive
    assert(length !== undefined && (live ? reader.skip(length) : kind === tapeDeleted && length > 0), 'a tape holds whole cells')
    const end = next + (live ? 1 : length)
    const at = Math.max(next, n)
    next = end
    if (end <= n) continue
    const last = runs.at(-1)
    if (last?.live === live) {
      last.count += end - at
      if (last.live) last.tape = tape.subarray(start, reader.at)
    } else if (live) {
      start = from
      runs.push({ live, clock: at, count: end - at, tape: tape.subarray(from, reader.at) })
    } else runs.push({ live, clock: at, count: end - at })
  }
  return runs
}

/** The tape without the text of these clocks: they join the deleted runs beside them. Clocks that the tape does not hold are no matter. */
export function eraseFromTape(tape: Uint8Array, clock: number, clocks: ReadonlySet<number>): Bytes {
  const writer = createByteWriter(tape.length)
  let deleted = 0
  const closeRun = () => {
    if (deleted > 0) writer.byte(tapeDeleted).uint(deleted)
    deleted = 0
  }
  for (const cell of walkTape(tape, clock)) {
    if (!cell.live) deleted += cell.count
    else if (clocks.has(cell.clock)) deleted++
    else {
      closeRun()
      writer.bytes(tape.subarray(cell.from, cell.to))
    }
  }
  closeRun()
  return writer.done()
}

/** The live elements as text, with their clocks. */
export function* elementsOfTape(tape: Uint8Array, clock = 0): Generator<{ clock: number; text: string }> {
  for (const cell of walkTape(tape, clock)) {
    if (!cell.live) continue
    const text = parseUtf8(cell.text)
    assert(text !== undefined, 'an element is UTF-8')
    yield { clock: cell.clock, text }
  }
}
