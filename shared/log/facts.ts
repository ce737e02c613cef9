// What the decision is told and what it answers: plain data, so that the relay's stores, the hub and the simulator can share it.
import type { Bytes } from '../base/bytes.ts'
import type { AccountId, ChannelId, DeviceId, EntryId, SegmentId, SpaceId } from '../base/ids.ts'
import type { EntryOp, Sealed, Verdict } from '../protocol/records.ts'
import type { ReceivedEntry } from './entry-codec.ts'

/** Deleted clocks of a segment: sorted, disjoint, maximal [clock, length]. */
export type Ranges = readonly (readonly [clock: number, length: number])[]

export interface SegmentState {
  id: SegmentId
  channel: ChannelId
  /** The segment that this is an annex of; 0 for one of the channel's own chain. */
  of: SegmentId | 0
  /** The Yjs clientID: random 32 bit, not 0, for life. */
  client: number
  /** Elements ever appended = the next Yjs clock. */
  next: number
  bytes: number
  posts: number
  sealed: Sealed
  rev: number
  deleted: Ranges
}

export interface ChannelState {
  id: ChannelId
  space: SpaceId
  /** Entries ever accepted. */
  seq: number
  /** Counts every change of the channel's documents; a device that holds this rev lacks nothing. */
  rev: number
  /** The segment that takes new posts; 0 before the first. */
  head: SegmentId | 0
  /** seq of the newest standing post, 0 without one. */
  last: number
}

/** One row per entry id of a channel, for ever. `gone`: its element was deleted; the id stays taken. */
export interface AcceptedEntry {
  kind: 'accepted'
  id: EntryId
  segment: SegmentId
  clock: number
  seq: number
  by: AccountId
  op: EntryOp
  ref: EntryId | 0
  gone: boolean
}

/** An id that was redacted before it arrived. Binds if `manage`, or if the author is among the redactors. */
export interface ReservedEntry {
  kind: 'reserved'
  id: EntryId
  redactors: AccountId[]
  manage: boolean
}

export type EntryRecord = AcceptedEntry | ReservedEntry

/** Who sends, and what this person may do in this channel now. From `may` of shared/community/permissions.ts. */
export interface Author {
  by: AccountId
  dev: DeviceId
  /** Ed25519, 32 bytes. */
  key: Uint8Array
  may: ReadonlySet<EntryOp>
  /** May redact, pin and unpin what others wrote. */
  manage: boolean
}

/** One append frame of one link. `allowed`: how many new entries its token bucket lets through now; behind that, `wait`. */
export interface Submission {
  author: Author
  entries: readonly ReceivedEntry[]
  allowed: number
  /** What to tell the device when `allowed` is used up. */
  waitMs: number
}

/** All that a decision about one channel may depend on. */
export interface ChannelFacts {
  channel: ChannelState
  /** The channel's head; the segment of every accepted record in `entries`; and for each of those its root and that root's newest annex. */
  segments: readonly SegmentState[]
  /** A record for each id that the submissions bring or refer to, where there is one, and all edits of each redact's target. */
  entries: readonly EntryRecord[]
  /** seq of the newest standing posts, greatest first: one more than the submissions hold redacts, so that `last` is right behind them. */
  newestPosts: readonly number[]
  /** The relay's clock; never goes back. */
  now: number
}

export interface SubmissionAnswer {
  /** One per entry, up to the first that has to wait; behind it nothing was processed. */
  verdicts: Verdict[]
  /** Tokens used: one for each verdict that is not `known`. */
  spent: number
  wait?: { ms: number }
}

/** What one commit writes for one channel. Rows hold tape (log/tape.ts); `erase` rewrites stored tape so that no byte of the text is left. */
export interface ChannelBatch {
  channel: ChannelState
  segments: SegmentState[]
  rows: { segment: SegmentId; clock: number; count: number; tape: Bytes }[]
  erase: { segment: SegmentId; clocks: number[] }[]
  entries: EntryRecord[]
}

/** One struct per segment and turn: written once, sent to every subscriber. */
export interface SegmentUpdate {
  segment: SegmentId
  update: Bytes
}

export interface Decision {
  answers: SubmissionAnswer[]
  /** `undefined` when nothing was accepted: nothing to commit. */
  batch: ChannelBatch | undefined
  updates: SegmentUpdate[]
  /** Segments that this turn opened: their subscribers-to-be are told before the first update. */
  opened: SegmentState[]
}
