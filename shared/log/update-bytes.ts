// A segment's Yjs updates (V1), written and read by hand: with one author and one root there is little to say, and the relay needs no Y.Doc.
// Byte for byte what Yjs 13 itself emits; the proof is a unit test, so Yjs stays pinned to 13.
//
//   append        01 structs client clock  struct*  ds
//   struct        ( 08 01 03 "log" | 88 client clock-1 ) k k*( 77 len utf8 )      first form at clock 0 only
//   deleted run   ( 01 01 03 "log" | 81 client clock-1 ) n
//   ds            00 | 01 client ranges*( clock len )                            sorted, disjoint, maximal
//   deletes only  00 ds        nothing  00 00        state vector  00 | 01 client n
import { assert } from '../base/assert.ts'
import { type ByteReader, type ByteWriter, createByteReader, createByteWriter } from '../base/byte-cursor.ts'
import { type Bytes, concatBytes, parseUtf8 } from '../base/bytes.ts'
import type { Ranges, SegmentState } from './facts.ts'
import { endOf, hasClock } from './ranges.ts'
import { runsFrom, type TapeRun, tapeLive } from './tape.ts'

const contentDeleted = 1
const contentAny = 8
/** Set in a struct's first byte when it names the item to its left. */
const hasOrigin = 0x80
/** The parent is a root (01) named by 3 bytes, "log". */
const parentLog = Uint8Array.of(0x01, 0x03, 0x6c, 0x6f, 0x67)
const numberMax = 0xffff_ffff

/** Any update of a segment: runs that follow on each other, and a delete set; both may be empty. */
export function encodeUpdate(client: number, runs: readonly TapeRun[], deleted: Ranges): Bytes {
  // Heads are written one by one; tapes, which may be a megabyte, are copied once.
  const parts: Uint8Array[] = []
  let writer = createByteWriter(32)
  const first = runs[0]
  if (first) writer.byte(1).uint(runs.length).uint(client).uint(first.clock)
  else writer.byte(0)
  for (const run of runs) {
    const content = run.live ? contentAny : contentDeleted
    if (run.clock === 0) writer.byte(content).bytes(parentLog)
    else
      writer
        .byte(hasOrigin | content)
        .uint(client)
        .uint(run.clock - 1)
    writer.uint(run.count)
    if (!run.live) continue
    parts.push(writer.done(), run.tape)
    writer = createByteWriter(32)
  }
  writeDeleteSet(writer, client, deleted)
  return concatBytes(...parts, writer.done())
}

/** What one turn did to a segment. @param tape the new elements' tape, from `clock` on @param deleted clocks deleted in this turn */
export function encodeAppend(client: number, clock: number, tape: Uint8Array, deleted: Ranges): Bytes {
  return encodeUpdate(client, runsFrom(tape, clock, clock), deleted)
}

/** What a device that holds the first `n` elements lacks: later elements, and the whole delete set, as Yjs answers a state vector. */
export function serveSegment(
  state: Pick<SegmentState, 'client' | 'next' | 'deleted'>,
  stored: { clock: number; tape: Uint8Array },
  n: number,
): Bytes {
  assert(n <= state.next, 'nobody holds more of a segment than there is')
  assert(n === state.next || stored.clock <= n, 'the stored tape begins at or before what is lacking')
  return encodeUpdate(state.client, n === state.next ? [] : runsLacking(state, stored, n), state.deleted)
}

/** A tape that begins at `n` with nothing deleted is one run as it lies there. */
function runsLacking(
  { next, deleted }: Pick<SegmentState, 'next' | 'deleted'>,
  { clock, tape }: { clock: number; tape: Uint8Array },
  n: number,
): TapeRun[] {
  return clock === n && deleted.length === 0 ? [{ live: true, clock, count: next - n, tape }] : runsFrom(tape, clock, n)
}

export function encodeStateVector(client: number, n: number): Bytes {
  const writer = createByteWriter(16)
  return (n === 0 ? writer.byte(0) : writer.byte(1).uint(client).uint(n)).done()
}

/** An update as read: `cells` from `clock` on, `undefined` where an element is deleted. `client` is 0 in one that says nothing. */
export interface SegmentContent {
  client: number
  clock: number
  cells: (string | undefined)[]
  deleted: Ranges
}

/**
 * Strict: only what the relay can have written, with the shortest numbers, below 2^32, every deleted run named in the delete set,
 * and nothing behind it. Else `undefined`; never throws.
 */
export function readUpdate(bytes: Uint8Array): SegmentContent | undefined {
  const reader = createByteReader(bytes)
  const content: SegmentContent = { client: 0, clock: 0, cells: [], deleted: [] }
  const blocks = reader.byte()
  if (blocks === undefined || blocks > 1) return undefined
  if (blocks === 1 && !readStructs(reader, content)) return undefined
  if (!readDeleteSet(reader, content) || !reader.ended) return undefined
  const isNamed = (_: unknown, i: number) => content.cells[i] !== undefined || hasClock(content.deleted, content.clock + i)
  return content.cells.every(isNamed) ? content : undefined
}

function writeDeleteSet(writer: ByteWriter, client: number, ranges: Ranges): void {
  if (ranges.length === 0) {
    writer.byte(0)
    return
  }
  writer.byte(1).uint(client).uint(ranges.length)
  for (const [clock, length] of ranges) writer.uint(clock).uint(length)
}

function readNumber(reader: ByteReader): number | undefined {
  const value = reader.uint()
  return value !== undefined && value <= numberMax ? value : undefined
}

function readStructs(reader: ByteReader, content: SegmentContent): boolean {
  const structs = readNumber(reader)
  const client = readNumber(reader)
  const clock = readNumber(reader)
  if (!structs || !client || clock === undefined) return false
  content.client = client
  content.clock = clock
  for (let i = 0; i < structs; i++) {
    const at = clock + content.cells.length
    const info = reader.byte()
    if (info === undefined || !readParent(reader, info, client, at)) return false
    const count = readNumber(reader)
    // A deleted run costs few bytes and may be long: bounded, or a hostile one fills the memory.
    if (!count || at + count > numberMax || count > cellsMax - content.cells.length) return false
    const kind = info & ~hasOrigin
    if (kind === contentDeleted) for (let k = 0; k < count; k++) content.cells.push(undefined)
    else if (kind !== contentAny || !readTexts(reader, count, content.cells)) return false
  }
  return true
}

/** Far above what a segment may hold. */
const cellsMax = 1_000_000

function readParent(reader: ByteReader, info: number, client: number, clock: number): boolean {
  if ((info & hasOrigin) !== 0) return clock > 0 && readNumber(reader) === client && readNumber(reader) === clock - 1
  const parent = reader.take(parentLog.length)
  return clock === 0 && parent !== undefined && parent.every((byte, i) => byte === parentLog[i])
}

function readTexts(reader: ByteReader, count: number, cells: (string | undefined)[]): boolean {
  for (let k = 0; k < count; k++) {
    const kind = reader.byte()
    const length = readNumber(reader)
    if (kind !== tapeLive || length === undefined) return false
    const bytes = reader.take(length)
    const text = bytes && parseUtf8(bytes)
    if (text === undefined) return false
    cells.push(text)
  }
  return true
}

function readDeleteSet(reader: ByteReader, content: SegmentContent): boolean {
  const clients = reader.byte()
  if (clients === 0) return true
  const client = readNumber(reader)
  const count = readNumber(reader)
  if (clients !== 1 || !client || !count || (content.client !== 0 && content.client !== client)) return false
  content.client = client
  const ranges: [number, number][] = []
  for (let i = 0; i < count; i++) {
    const clock = readNumber(reader)
    const length = readNumber(reader)
    if (clock === undefined || !length || clock + length > numberMax) return false
    if (i > 0 && clock <= endOf(ranges)) return false
    ranges.push([clock, length])
  }
  content.deleted = ranges
  return true
}
