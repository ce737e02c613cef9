// What one turn does to one channel, until it is committed: appended elements, deletions, new segments, changed records.
// It keeps copies; the facts stay as they came. Where an element goes, when a segment is sealed and when an annex opens is decided here.
import { assert } from '../base/assert.ts'
import { type Bytes, concatBytes } from '../base/bytes.ts'
import { type EntryId, idFromBytes, type SegmentId } from '../base/ids.ts'
import type { Random } from '../base/ports.ts'
import type { Entry } from './entry.ts'
import type { AcceptedEntry, ChannelFacts, ChannelState, Decision, EntryRecord, ReservedEntry, SegmentState } from './facts.ts'
import { joinRanges, rangesOf } from './ranges.ts'
import { eraseFromTape, tapeOfElement } from './tape.ts'
import { encodeAppend, encodeUpdate } from './update-bytes.ts'

export interface SegmentLimits {
  segmentPostsMax: number
  segmentBytesMax: number
  segmentElementsFull: number
  segmentBytesFull: number
}

export interface Staging {
  /** The record of an id as this turn has left it so far. */
  record(id: EntryId): EntryRecord | undefined
  nextSeq(): number
  /**
   * @param prefix what the relay puts before the entry @param bytes the entry as it came
   * @param about the segment of the post that the entry is about; `undefined`: it goes into the head
   */
  append(entry: Entry, prefix: Uint8Array, bytes: Uint8Array, about: SegmentId | undefined): void
  /** Deletes the post's element and those of all its edits; nothing where it is gone already. */
  deletePost(post: AcceptedEntry): void
  reserve(record: ReservedEntry): void
  finish(): Omit<Decision, 'answers'>
}

/** A segment in this turn. `start`: the clock of the first new cell. */
interface Staged {
  state: SegmentState
  start: number
  cells: Bytes[]
  deleted: Set<number>
}

export function createStaging(facts: ChannelFacts, random: Random, limits: SegmentLimits): Staging {
  const channel: ChannelState = { ...facts.channel }
  const known = new Map(facts.segments.map((segment) => [segment.id, segment]))
  const records = new Map(facts.entries.map((record) => [record.id, record]))
  const changed = new Map<EntryId, EntryRecord>()
  const staged = new Map<SegmentId, Staged>()
  const opened: SegmentState[] = []
  const deletedPosts = new Set<number>()
  const newPosts: number[] = []

  const put = (record: EntryRecord) => {
    records.set(record.id, record)
    changed.set(record.id, record)
  }
  const stage = (id: SegmentId): Staged => {
    const before = staged.get(id)
    if (before) return before
    const segment = known.get(id)
    assert(segment, 'the facts hold every segment that an entry concerns')
    const one: Staged = { state: { ...segment }, start: segment.next, cells: [], deleted: new Set() }
    staged.set(id, one)
    return one
  }
  const stateOf = (id: SegmentId): SegmentState | undefined => staged.get(id)?.state ?? known.get(id)
  const open = (of: SegmentId | 0): Staged => {
    const state: SegmentState = {
      id: idFromBytes<'segment'>(random.bytes(16)),
      channel: channel.id,
      of,
      client: randomClient(random),
      next: 0,
      bytes: 0,
      posts: 0,
      sealed: 0,
      rev: 0,
      deleted: [],
    }
    known.set(state.id, state)
    if (of === 0) channel.head = state.id
    const one = stage(state.id)
    opened.push(one.state)
    return one
  }
  /** The segment that takes posts: seals the one that has enough, opens the next. */
  const head = (): Staged => {
    const state = channel.head === 0 ? undefined : stateOf(channel.head)
    assert(channel.head === 0 || state, 'the facts hold the head of the channel')
    if (state?.sealed === 0 && !isEnough(state, limits)) return stage(state.id)
    if (state?.sealed === 0) stage(state.id).state.sealed = 1
    return open(0)
  }
  /** Where an op on a post of this segment goes: into its root, or the root's annex that has room, or a new one. */
  const beside = (about: SegmentId): Staged => {
    const state = stateOf(about)
    assert(state, 'the facts hold the segment of every record')
    const root = state.of === 0 ? state : stateOf(state.of)
    assert(root, 'the facts hold the root of every annex')
    if (hasRoom(root, limits)) return stage(root.id)
    // Only the newest annex can have room: the next one opens when it has none.
    const annex = [...known.keys()].map(stateOf).find((one) => one?.of === root.id && hasRoom(one, limits))
    return annex ? stage(annex.id) : open(root.id)
  }
  const deleteElement = (record: AcceptedEntry) => {
    put({ ...record, gone: true })
    stage(record.segment).deleted.add(record.clock)
    if (record.op === 'post') deletedPosts.add(record.seq)
  }

  const newestStanding = (): number => {
    const before = deletedPosts.size === 0 ? [facts.channel.last] : facts.newestPosts
    return [...newPosts.toReversed(), ...before].find((seq) => !deletedPosts.has(seq)) ?? 0
  }

  return {
    record: (id) => records.get(id),
    nextSeq: () => ++channel.seq,
    append: (entry, prefix, bytes, about) => {
      const one = about === undefined ? head() : beside(about)
      const { id, by, op, ref } = entry
      put({ kind: 'accepted', id, segment: one.state.id, clock: one.state.next, seq: channel.seq, by, op, ref, gone: false })
      const cell = tapeOfElement(prefix, bytes)
      one.cells.push(cell)
      one.state.next++
      one.state.bytes += cell.length
      if (op !== 'post') return
      one.state.posts++
      newPosts.push(channel.seq)
    },
    deletePost: (post) => {
      if (post.gone) return
      deleteElement(post)
      for (const record of [...records.values()])
        if (record.kind === 'accepted' && record.op === 'edit' && record.ref === post.id && !record.gone) deleteElement(record)
    },
    reserve: put,
    finish: () => {
      if (staged.size === 0) return { batch: undefined, updates: [], opened: [] }
      channel.rev++
      channel.last = newestStanding()
      const segments = [...staged.values()].map(finishSegment)
      return {
        batch: {
          channel,
          segments: segments.map((one) => one.state),
          rows: segments.flatMap((one) => one.rows),
          erase: segments.flatMap((one) => one.erase),
          entries: [...changed.values()],
        },
        updates: segments.flatMap((one) => one.updates),
        opened,
      }
    },
  }
}

function isEnough(state: SegmentState, limits: SegmentLimits): boolean {
  return state.posts >= limits.segmentPostsMax || state.bytes >= limits.segmentBytesMax || !hasRoom(state, limits)
}

function hasRoom(state: SegmentState, limits: SegmentLimits): boolean {
  return state.sealed !== 2 && state.next < limits.segmentElementsFull && state.bytes < limits.segmentBytesFull
}

/** What the turn did to one segment, as it is stored and as it is sent. What is deleted in the turn that brought it is never stored. */
function finishSegment({ state, start, cells, deleted }: Staged) {
  state.rev++
  const segment = state.id
  const count = cells.length
  const whole = concatBytes(...cells)
  if (deleted.size === 0) {
    // Most turns: one run of new elements, which need not be walked to be known.
    const runs = count === 0 ? [] : [{ live: true as const, clock: start, count, tape: whole }]
    return {
      state,
      rows: runs.map(({ tape }) => ({ segment, clock: start, count, tape })),
      erase: [],
      updates: count === 0 ? [] : [{ segment, update: encodeUpdate(state.client, runs, []) }],
    }
  }
  state.deleted = joinRanges(state.deleted, rangesOf(deleted))
  const tape = eraseFromTape(whole, start, deleted)
  const clocks = [...deleted].filter((clock) => clock < start).sort((a, b) => a - b)
  return {
    state,
    rows: count === 0 ? [] : [{ segment, clock: start, count, tape }],
    erase: clocks.length === 0 ? [] : [{ segment, clocks }],
    updates: [{ segment, update: encodeAppend(state.client, start, tape, rangesOf(deleted)) }],
  }
}

/** 32 random bits, never 0: the frames use that for "none". */
function randomClient(random: Random): number {
  const bytes = random.bytes(4)
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0) || 1
}
