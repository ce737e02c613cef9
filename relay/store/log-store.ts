// The port for everything that is stored of channels: segments, tape, entry ids, read markers. Two implementations, one contract suite.
// Asynchronous, so that another database can stand behind it; `commit` is one transaction and resolves when it is on the disk.
import type { Bytes } from '#shared/base/bytes.ts'
import type { AccountId, ChannelId, EntryId, SegmentId, SpaceId } from '#shared/base/ids.ts'
import type { ChannelBatch, ChannelFacts, ChannelState, EntryRecord, SegmentState } from '#shared/log/facts.ts'
import type { ReadMarker, SegmentListing } from '#shared/protocol/frames.ts'
import type { EntryOp } from '#shared/protocol/records.ts'

export interface LogStore {
  /** `undefined`: no such channel. `ids`: ids and refs of the entries to decide; `redacts`: the targets of redacts among them. */
  facts(channel: ChannelId, ids: readonly EntryId[], redacts: readonly EntryId[]): Promise<Omit<ChannelFacts, 'now'> | undefined>
  /**
   * All batches of one turn; raises `commits` by one and stores `now` as the relay's clock. What is asked after the call sees it, also before
   * it resolves; it resolves when it is on the disk.
   */
  commit(batches: readonly ChannelBatch[], now: number): Promise<void>
  channels(space: SpaceId): Promise<ChannelState[]>
  /** The same with what is unread to this account: standing posts of others behind its read marker, counted to `most`. */
  heads(space: SpaceId, account: AccountId, most: number): Promise<(ChannelState & { unread: number })[]>
  segment(segment: SegmentId): Promise<SegmentState | undefined>
  /** Chain first, oldest first, then annexes; at most `limit` after the one named. */
  segments(channel: ChannelId, after: SegmentId | '', limit: number): Promise<{ list: SegmentListing[]; more: boolean }>
  /** Stored tape from a row or snapshot boundary at or before clock `n`: `clock` says where it begins. */
  tape(segment: SegmentId, n: number): Promise<{ clock: number; tape: Bytes }>
  /** Number of rows behind the snapshot. */
  rows(segment: SegmentId): Promise<number>
  /** What is known of this id; `undefined`: nothing. */
  entry(channel: ChannelId, id: EntryId): Promise<EntryRecord | undefined>
  /** Joins rows into the snapshot. */
  compact(segment: SegmentId): Promise<void>
  readMarkers(account: AccountId): Promise<ReadMarker[]>
  /** One transaction. The greatest (gen, seq) wins. Answers for each whether it changed. */
  markRead(marks: readonly MarkOf[]): Promise<boolean[]>
  eraseMarkers(account: AccountId): Promise<void>
  /**
   * What stands of the account's words and reactions among the next `most` ids of the channel behind `after`, in the order of their bytes.
   * `next`: where to go on, '' at the end.
   */
  wordsOf(
    channel: ChannelId,
    account: AccountId,
    after: EntryId | '',
    most: number,
  ): Promise<{ ids: EntryId[]; next: EntryId | '' }>
}

/** Ops that carry what a person wrote; all others hold ids alone. */
export const wordOps: ReadonlySet<string> = new Set<EntryOp>(['post', 'edit', 'react', 'unreact'])

export interface MarkOf {
  account: AccountId
  marker: ReadMarker
}

/** The account's private document: numbered blobs of Yjs bytes that the relay never reads. */
export interface PrivateStore {
  blobs(account: AccountId): Promise<{ nr: number; bytes: Bytes }[]>
  /** One transaction: deletes the blobs named, adds this one. Answers its number. */
  put(account: AccountId, bytes: Bytes, replaces: readonly number[]): Promise<number>
  erase(account: AccountId): Promise<void>
}

/** The relay's identity over time. `renew`: the database is older than what was promised from it (it was restored). */
export interface MetaStore {
  read(): Promise<RelayMeta>
  /** A new incarnation: every segment is closed for ever (sealed 2), no channel has a head. One transaction. */
  renew(): Promise<RelayMeta>
}

/** What must survive with the database itself. */
export interface RelayMeta {
  incarnation: string
  /** Commits ever made: the `mark` that devices carry says how many there were. */
  commits: number
  /** The relay's clock, ms: the greatest `at` ever used. */
  clock: number
  /** The last starts of the relay in this incarnation, oldest first, and how many commits there were at each. */
  starts: readonly RelayStart[]
}

export interface RelayStart {
  /** Random: a start after the database was set back is another one. */
  id: string
  commits: number
}
