// What a relay has stored, as plain data: the memory stores of one relay share it, as the SQLite ones share a file.
// A copy of it is a backup; handing it to new stores is a restart.

import type { InviteRow } from '#relay/store/community-store.ts'
import type { RelayMeta } from '#relay/store/log-store.ts'
import type { Bytes } from '#shared/base/bytes.ts'
import type { AccountId, ChannelId, CommandId, EntryId, SegmentId, SpaceId } from '#shared/base/ids.ts'
import type { CommunityHead } from '#shared/community/state.ts'
import type { ChannelState, EntryRecord, SegmentState } from '#shared/log/facts.ts'
import type { CommandRecord, MemberRow } from '#shared/protocol/records.ts'

export interface TapeRow {
  clock: number
  count: number
  tape: Bytes
}

export interface MemoryTables {
  meta: RelayMeta
  /** In order of creation; of segments too. */
  channels: Map<ChannelId, ChannelState>
  segments: Map<SegmentId, SegmentState>
  rows: Map<SegmentId, TapeRow[]>
  entries: Map<ChannelId, Map<EntryId, EntryRecord>>
  /** `${account} ${channel}` */
  readMarkers: Map<string, { account: AccountId; channel: ChannelId; gen: number; seq: number }>
  blobs: Map<AccountId, Map<number, Bytes>>
  spaces: Map<SpaceId, CommunityHead>
  commands: Map<SpaceId, { id: CommandId; by: AccountId; record: CommandRecord }[]>
  members: Map<SpaceId, Map<AccountId, MemberRow>>
  invites: Map<string, InviteRow>
  structure: Map<SpaceId, { epoch: number; bytes: Bytes }[]>
}

export function createMemoryTables(incarnation = 'incarnation-1'): MemoryTables {
  return {
    meta: { incarnation, commits: 0, clock: 0 },
    channels: new Map(),
    segments: new Map(),
    rows: new Map(),
    entries: new Map(),
    readMarkers: new Map(),
    blobs: new Map(),
    spaces: new Map(),
    commands: new Map(),
    members: new Map(),
    invites: new Map(),
    structure: new Map(),
  }
}

/** What every commit of entries or commands writes beside its rows. */
export function countCommit(tables: MemoryTables, now: number): void {
  const { incarnation, commits, clock } = tables.meta
  tables.meta = { incarnation, commits: commits + 1, clock: Math.max(clock, now) }
}

export function makeChannel(tables: MemoryTables, space: SpaceId, id: ChannelId): void {
  tables.channels.set(id, { id, space, seq: 0, rev: 0, head: 0, last: 0 })
}

/** With all that is stored of it. */
export function deleteChannel(tables: MemoryTables, id: ChannelId): void {
  tables.channels.delete(id)
  tables.entries.delete(id)
  for (const segment of [...tables.segments.values()]) {
    if (segment.channel !== id) continue
    tables.segments.delete(segment.id)
    tables.rows.delete(segment.id)
  }
  for (const [key, marker] of [...tables.readMarkers]) if (marker.channel === id) tables.readMarkers.delete(key)
}
