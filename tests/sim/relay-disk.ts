// What the relay has on its disk, as plain data: copied for a backup, brought back for a restore, and read by the oracles without asking the relay.
import type { AccountId, ChannelId, EntryId, SegmentId, SpaceId } from '#shared/base/ids.ts'
import { type ChannelRights, channelRights } from '#shared/community/permissions.ts'
import type { AcceptedEntry, EntryRecord } from '#shared/log/facts.ts'
import { type CommunityDisk, createCommunityDisk } from '../fakes/memory-community-store.ts'
import { createMemoryTables, type MemoryTables } from '../fakes/memory-relay-tables.ts'

export interface RelayDisk {
  tables: MemoryTables
  community: CommunityDisk
}

export function createRelayDisk(incarnation: string): RelayDisk {
  return { tables: createMemoryTables(incarnation), community: createCommunityDisk() }
}

export function copyRelayDisk(disk: RelayDisk): RelayDisk {
  return structuredClone(disk)
}

export function recordOf(disk: RelayDisk, channel: ChannelId, id: EntryId): EntryRecord | undefined {
  return disk.tables.entries.get(channel)?.get(id)
}

export function acceptedIn(disk: RelayDisk, channel: ChannelId): AcceptedEntry[] {
  return [...(disk.tables.entries.get(channel)?.values() ?? [])].filter((record) => record.kind === 'accepted')
}

export function isMemberOf(disk: RelayDisk, space: SpaceId, account: AccountId): boolean {
  return disk.community.spaces.get(space)?.members.get(account)?.left === 0
}

export function spacesOf(disk: RelayDisk, account: AccountId): SpaceId[] {
  return [...disk.community.spaces.keys()].filter((space) => isMemberOf(disk, space, account))
}

/** `undefined`: there is no such channel now. */
export function spaceOfChannel(disk: RelayDisk, channel: ChannelId): SpaceId | undefined {
  return disk.community.channels.get(channel)
}

export function channelOfSegment(disk: RelayDisk, segment: SegmentId): ChannelId | undefined {
  return disk.tables.segments.get(segment)?.channel
}

/** What this person may do in the channel, by what is on the disk now. */
export function rightsIn(disk: RelayDisk, account: AccountId, channel: ChannelId): ChannelRights | undefined {
  const space = spaceOfChannel(disk, channel)
  const state = space && disk.community.spaces.get(space)?.head.state
  if (!space || !state) return undefined
  return channelRights(state, account, isMemberOf(disk, space, account), state.channels[channel])
}
