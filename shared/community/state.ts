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

export interface CommunityHead {
  space: SpaceId
  /** Number of the last command. */
  n: number
  /** h(n), 32 bytes. */
  hash: Uint8Array
  state: CommunityState
}
