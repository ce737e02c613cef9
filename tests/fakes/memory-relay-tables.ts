// What a relay has stored of channels, as plain data: the memory stores of one relay share it, as the SQLite ones share a file.
// A copy of it is a backup; handing it to new stores is a restart.
import type { RelayMeta } from '#relay/store/log-store.ts'
import type { Bytes } from '#shared/base/bytes.ts'
import type { AccountId, ChannelId, EntryId, SegmentId, SpaceId } from '#shared/base/ids.ts'
import type { ChannelState, EntryRecord, SegmentState } from '#shared/log/facts.ts'
import type { ReadMarker } from '#shared/protocol/frames.ts'

export interface TapeRow {
  clock: number
  count: number
  tape: Bytes
}

export interface MemoryTables {
  /** Changed in place: the community store counts in it too. */
  meta: RelayMeta
  channels: Map<ChannelId, ChannelState>
  /** In order of creation. */
  segments: Map<SegmentId, SegmentState>
  rows: Map<SegmentId, TapeRow[]>
  entries: Map<ChannelId, Map<EntryId, EntryRecord>>
  markers: Map<AccountId, Map<ChannelId, ReadMarker>>
  blobs: Map<AccountId, Map<number, Bytes>>
}

export function createMemoryTables(incarnation = 'incarnation-1'): MemoryTables {
  return {
    meta: { incarnation, commits: 0, clock: 0, starts: [] },
    channels: new Map(),
    segments: new Map(),
    rows: new Map(),
    entries: new Map(),
    markers: new Map(),
    blobs: new Map(),
  }
}

/** What the real database shares between its stores: for the memory community store. */
export function worldOf(tables: MemoryTables): {
  meta: RelayMeta
  channelMade(space: SpaceId, channel: ChannelId): void
  channelDeleted(channel: ChannelId): void
} {
  return {
    meta: tables.meta,
    channelMade: (space, id) => void tables.channels.set(id, { id, space, seq: 0, rev: 0, head: 0, last: 0 }),
    channelDeleted(id) {
      tables.channels.delete(id)
      tables.entries.delete(id)
      for (const segment of [...tables.segments.values()]) {
        if (segment.channel !== id) continue
        tables.segments.delete(segment.id)
        tables.rows.delete(segment.id)
      }
      for (const markers of tables.markers.values()) markers.delete(id)
    },
  }
}
