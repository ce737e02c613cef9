// The shapes of what travels between a device and the relay. Byte 0 of a frame is its kind; frame-codec.ts has the bytes.
// An unknown optional field is kept, an unknown `t` closes the link upwards and is skipped downwards.
import type { AccountId, ChannelId, CommandId, DeviceId, SegmentId, SpaceId } from '../base/ids.ts'
import type { CommandRecord, MemberRow, Sealed, Verdict } from './records.ts'
import type { RefusalCode } from './refusals.ts'

export const protocolVersion = 1

/** The one stream of stock y-protocols messages so far: the account's private document. */
export const privateStream = 1

export type ControlUp =
  /** First frame of a link. `incarnation` and `mark` as last heard, '' at first. */
  | { t: 'hello'; v: number; token: string; incarnation: string; mark: string }
  /** `req` grows per link. `n`: elements held. `tail`: id of the newest element held, '-' where it is deleted here, '' at n = 0. */
  | { t: 'open'; req: number; seg: SegmentId; n: number; view: number; tail: string }
  | { t: 'close'; seg: SegmentId }
  /** The channel's segments, oldest first, after the one named ('' = from the first); annexes follow the chain. */
  | { t: 'segments'; channel: ChannelId; after: SegmentId | '' }
  /** `secret`: what proves a right and must not stand in the chain (an invite's code), else ''. */
  | { t: 'command'; space: SpaceId; text: string; sig: string; secret: string }
  /** Records and changed roster rows after command `after`. */
  | { t: 'chain'; space: SpaceId; after: number }
  | { t: 'keys'; devs: DeviceId[] }
  | { t: 'read'; incarnation: string; channel: ChannelId; gen: number; seq: number }
  | { t: 'beat' }

export interface ChannelHead {
  id: ChannelId
  rev: number
  /** 0, or the time before which nothing is shown (comes with roles). Part of a copy's key. */
  view: number
  head: SegmentId | ''
  /** seq of the newest standing post. */
  last: number
  /** Standing posts behind one's read marker, counted to 100 at most. */
  unread: number
}

export interface SegmentListing {
  seg: SegmentId
  of: SegmentId | ''
  client: number
  n: number
  rev: number
  sealed: Sealed
}

/** A device's certified key. `certificate` and `sig` are the statement as it was signed. `until` 0 = valid. */
export interface DeviceKey {
  dev: DeviceId
  account: AccountId
  identity: string
  key: string
  certificate: string
  sig: string
  from: number
  until: number
}

export interface ReadMarker {
  channel: ChannelId
  gen: number
  seq: number
}

export type ControlDown =
  | {
      t: 'welcome'
      v: number
      incarnation: string
      now: number
      mark: string
      account: AccountId
      dev: DeviceId
      username: string
    }
  /** One a space, paged: `more` = further channels of the same space follow. Only at `ready` is purged what was not named. */
  | { t: 'space'; id: SpaceId; n: number; channels: ChannelHead[]; more: boolean }
  | { t: 'ready' }
  /** Updates of `seg` count from here on, if `req` is the newest sent for it. */
  | { t: 'opened'; req: number; client: number }
  /** A new segment, told before its first update; open it with n = 0. */
  | { t: 'segment'; channel: ChannelId; seg: SegmentId; of: SegmentId | ''; client: number }
  /** One page. `more`: ask again, after the last one listed. Everywhere else the frames after a `more` follow unasked. */
  | { t: 'segments'; channel: ChannelId; rev: number; list: SegmentListing[]; more: boolean }
  /** The answer to append `nr`: verdicts up to the first entry that has to wait, for `wait` ms; `why`, where it is not the sender's own pace. `mark`: as in a beat. */
  | { t: 'result'; nr: number; verdicts: Verdict[]; wait: number; why?: RefusalCode | undefined; mark?: string | undefined }
  /**
   * The copy opened by `req` is not of this history, or its reader was too slow: drop it (own entries kept) and open with n = 0.
   * In answer to an open with n = 0: there is no such segment (any more); ask for the channel's `segments`.
   */
  | { t: 'stale'; req: number }
  /** The channel may not be seen any more, or is no more: purge it. */
  | { t: 'gone'; channel: ChannelId }
  /** The space may not be seen any more: purge it; why, in a code. */
  | { t: 'left'; space: SpaceId; code: 'notmember' }
  | { t: 'done'; id: CommandId; space: SpaceId; n: number; mark?: string | undefined }
  | { t: 'done'; id: CommandId; space: SpaceId; code: RefusalCode; present: unknown }
  | { t: 'record'; space: SpaceId; records: CommandRecord[]; more: boolean }
  | { t: 'members'; space: SpaceId; n: number; rows: MemberRow[]; more: boolean }
  | { t: 'keys'; rows: DeviceKey[] }
  | { t: 'read'; rows: ReadMarker[] }
  | { t: 'beat'; mark: string; now: number }
  /** The relay stops, and closes the link: everything that was answered is on its disk. Come back after `ms`, each device at a time of its own. */
  | { t: 'restarting'; ms: number }

export type FrameUp =
  | { kind: 'control'; message: ControlUp }
  | { kind: 'append'; nr: number; channel: ChannelId; entries: Uint8Array[] }
  | { kind: 'stock'; stream: number; bytes: Uint8Array }

export type FrameDown =
  | { kind: 'control'; message: ControlDown }
  | { kind: 'update'; seg: SegmentId; update: Uint8Array }
  | { kind: 'stock'; stream: number; bytes: Uint8Array }

/** Why the relay closed a link. 44xx is final for this token or this version; 45xx: try again later. */
export const closeCodes = {
  malformed: 4400,
  unauthorized: 4401,
  forbidden: 4403,
  replaced: 4409,
  /** What the reader holds is no copy of this document: it begins anew. */
  history: 4410,
  tooLarge: 4413,
  version: 4426,
  busy: 4503,
  restarting: 4512,
} as const
