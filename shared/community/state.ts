// What all members may know of a community: plain JSON, the same at the relay, in the chain's hashes, in the structure document and on devices.
import type { AccountId, ChannelId, SpaceId } from '../base/ids.ts'

export type ChannelKind = 'text' | 'voice'

export interface ChannelInfo {
  name: string
  kind: ChannelKind
  topic: string
  /** A fractional index: channels are in the order of (position, id). */
  position: string
}

export interface CommunityState {
  v: 1
  name: string
  owner: AccountId
  channels: { [id: ChannelId]: ChannelInfo }
}

/** One row of the roster, kept outside the state: people come and go more often than channels do. */
export interface MemberRow {
  account: AccountId
  username: string
  /** Relay's time of the command that let him in (again). */
  joined: number
  /** 0 while a member; else the relay's time at which he left or was removed. */
  left: number
  /** Number of the command that changed this row last. */
  n: number
}

export interface CommunityHead {
  space: SpaceId
  /** Number of the last command. */
  n: number
  /** h(n), 32 bytes. */
  hash: Uint8Array
  state: CommunityState
}
