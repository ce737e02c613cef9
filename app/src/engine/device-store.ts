// The port for everything that this device keeps of one account. Two implementations, one contract suite.
// Rows are small and all loaded at the start; the bytes of segments are loaded one segment at a time.
import type { Bytes } from '#shared/base/bytes.ts'
import type { AccountId, ChannelId, CommandId, DeviceId, EntryId, SegmentId, SpaceId } from '#shared/base/ids.ts'
import type { Command } from '#shared/community/command.ts'
import type { CommunityState } from '#shared/community/state.ts'
import type { EntryExt, Json } from '#shared/log/entry.ts'
import type { DeviceKey } from '#shared/protocol/frames.ts'
import type { EntryOp, MemberRow } from '#shared/protocol/records.ts'
import type { RefusalCode } from '#shared/protocol/refusals.ts'

/** What the relay called itself when it was heard last. */
export interface MetaRow {
  incarnation: string
  mark: string
}

/** A community as far as its chain was checked here. `state` is `undefined` until the first record. */
export interface SpaceRow {
  id: SpaceId
  n: number
  hash: Bytes
  state: CommunityState | undefined
  /** The roster is complete up to this command: it may lag behind `n` where a link broke between the two. */
  membersN: number
}

export interface StoredMember extends MemberRow {
  space: SpaceId
}

export interface ChannelRow {
  id: ChannelId
  space: SpaceId
  /** All segments of the channel are held as they were at this rev; 0 = not all yet. */
  heldRev: number
  view: number
  head: SegmentId | ''
  /** seq of the newest standing post known. */
  last: number
  /** Posts of others behind the read marker, at most 100. */
  unread: number
}

/** A copy of a segment. Its key at the relay is (id, view). */
export interface SegmentRow {
  id: SegmentId
  space: SpaceId
  channel: ChannelId
  of: SegmentId | ''
  client: number
  view: number
  /** Place in the channel's chain; annexes stand behind it. */
  order: number
  /** Elements held. */
  n: number
  /** Id of the newest element held, '-' where it is deleted, '' at n = 0. */
  tail: EntryId | '-' | ''
  /** Updates stored behind the snapshot. */
  updates: number
}

/** Bytes as they were or will be sent. `dev`: whose key signed. */
export interface SignedText {
  dev: DeviceId
  sig: string
  text: string
}

export type OutboxState =
  | { kind: 'waiting' }
  /** The relay has it; its element has not reached a document here yet. */
  | { kind: 'accepted'; seq: number; at: number }
  /** It waits for the entry that it refers to. */
  | { kind: 'notarget'; since: number }
  /** Kept under "Not sent". `sure`: the relay said so itself, hence stores nothing of it. Names as they were. */
  | { kind: 'refused'; code: RefusalCode; sure: boolean; communityName: string; channelName: string }

/** What a person wrote here and no document holds yet. */
export interface OutboxRow {
  id: EntryId
  /** Order on this device. */
  n: number
  space: SpaceId
  channel: ChannelId
  /** When it was written, by `clock`. */
  at: number
  /** `device`: the skew is added when it is signed. `relay`: it was added already. */
  clock: 'device' | 'relay'
  /** An edit must be later than the version that its author saw, by the relay's clock; else 0. */
  after: number
  op: EntryOp
  ref: EntryId | 0
  ext: EntryExt | 0
  body: Json
  /** Saved before it is sent: signed means that the relay may have it. */
  signed: SignedText | undefined
  state: OutboxState
}

/** A command that waits for the network. */
export interface CommandRow {
  id: CommandId
  n: number
  space: SpaceId
  command: Command
  signed: SignedText | undefined
}

/** A queued command that the relay did not take. */
export interface OutcomeRow {
  id: CommandId
  n: number
  space: SpaceId
  text: string
  code: RefusalCode
  present: string
}

export interface MarkerRow {
  channel: ChannelId
  gen: number
  seq: number
  /** Not known to be at the relay yet. */
  dirty: boolean
}

/** The identity that an account showed first: another one later is shown to people, not believed. */
export interface PinRow {
  account: AccountId
  identity: string
}

export interface Tables {
  meta: MetaRow
  space: SpaceRow
  member: StoredMember
  channel: ChannelRow
  segment: SegmentRow
  outbox: OutboxRow
  command: CommandRow
  outcome: OutcomeRow
  marker: MarkerRow
  key: DeviceKey
  pin: PinRow
}
export type TableName = keyof Tables

/** The key of each row; a table has one row for a key. */
export const rowKeys: { [Name in TableName]: (row: Tables[Name]) => string } = {
  meta: () => 'meta',
  space: (row) => row.id,
  member: (row) => `${row.space} ${row.account}`,
  channel: (row) => row.id,
  segment: (row) => row.id,
  outbox: (row) => row.id,
  command: (row) => row.id,
  outcome: (row) => row.id,
  marker: (row) => row.channel,
  key: (row) => row.dev,
  pin: (row) => row.account,
}

// reason: Object.keys forgets the literal keys of the table above
export const tableNames = Object.keys(rowKeys) as TableName[]

/** `snapshot` replaces all bytes before it, so that nothing of a deleted element is left; `drop` removes them. */
export type ByteChange = { kind: 'append'; update: Uint8Array } | { kind: 'snapshot'; state: Uint8Array } | { kind: 'drop' }

/** One transaction. `undefined` as a row deletes it. */
export interface DeviceBatch {
  rows: { [Name in TableName]: Map<string, Tables[Name] | undefined> }
  bytes: Map<SegmentId, ByteChange[]>
}

export type DeviceRows = { [Name in TableName]: Tables[Name][] }

/** Another engine leads now: this one may not write any more. */
export class FencedError extends Error {
  override name = 'FencedError'
}

export interface DeviceStore {
  load(): Promise<DeviceRows>
  /** The snapshot, then the updates in order; empty where nothing is held. Together they are the copy. */
  loadSegment(segment: SegmentId): Promise<Uint8Array[]>
  /**
   * Resolves when all of it is saved; a failure leaves nothing of it. `strict`: on the disk, not only handed to the system.
   * @throws {FencedError} when another engine took over
   */
  commit(batch: DeviceBatch, how: { strict: boolean }): Promise<void>
  close(): void
}

export function emptyBatch(): DeviceBatch {
  return {
    rows: {
      meta: new Map(),
      space: new Map(),
      member: new Map(),
      channel: new Map(),
      segment: new Map(),
      outbox: new Map(),
      command: new Map(),
      outcome: new Map(),
      marker: new Map(),
      key: new Map(),
      pin: new Map(),
    },
    bytes: new Map(),
  }
}

export function isEmptyBatch(batch: DeviceBatch): boolean {
  return batch.bytes.size === 0 && tableNames.every((name) => batch.rows[name].size === 0)
}
