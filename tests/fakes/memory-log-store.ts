// Channels in memory: the contract's second implementation, for tests and the simulator.
import { type LogStore, type MetaStore, wordOps } from '#relay/store/log-store.ts'
import { assert } from '#shared/base/assert.ts'
import { concatBytes } from '#shared/base/bytes.ts'
import { type ChannelId, type EntryId, idBytes, type SegmentId } from '#shared/base/ids.ts'
import type { AcceptedEntry, ChannelBatch, EntryRecord, SegmentState } from '#shared/log/facts.ts'
import { eraseFromTape } from '#shared/log/tape.ts'
import { createMemoryTables, type MemoryTables } from './memory-relay-tables.ts'

/** @param tables survive the store: a new store over them is the relay after a restart */
export function createMemoryLogStore(tables: MemoryTables = createMemoryTables()): LogStore {
  const entriesOf = (channel: ChannelId) => [...(tables.entries.get(channel)?.values() ?? [])]
  const isStandingPost = (record: EntryRecord): record is AcceptedEntry =>
    record.kind === 'accepted' && record.op === 'post' && !record.gone
  const listing = ({ id, of, client, next, rev, sealed }: SegmentState) => ({
    seg: id,
    of: of === 0 ? ('' as const) : of,
    client,
    n: next,
    rev,
    sealed,
  })

  function segmentsFor(channel: ChannelId, head: SegmentId | 0, records: readonly EntryRecord[]): SegmentState[] {
    const found = new Map<SegmentId, SegmentState>()
    const add = (segment: SegmentState | undefined) => segment && found.set(segment.id, segment)
    if (head !== 0) add(tables.segments.get(head))
    for (const record of records) {
      const segment = record.kind === 'accepted' ? tables.segments.get(record.segment) : undefined
      if (!segment) continue
      const root = segment.of === 0 ? segment.id : segment.of
      add(segment)
      add(tables.segments.get(root))
      add([...tables.segments.values()].filter((one) => one.channel === channel && one.of === root).at(-1))
    }
    return [...found.values()]
  }

  function write(batch: ChannelBatch): void {
    const { channel, segments, rows, erase, entries } = batch
    assert(tables.channels.has(channel.id), 'a batch is for a channel that there is')
    for (const segment of segments) tables.segments.set(segment.id, segment)
    for (const { segment, clock, count, tape } of rows)
      tables.rows.set(segment, [...(tables.rows.get(segment) ?? []), { clock, count, tape }])
    for (const { segment, clocks } of erase) {
      const gone = new Set(clocks)
      const kept = (tables.rows.get(segment) ?? []).map((row) => ({ ...row, tape: eraseFromTape(row.tape, row.clock, gone) }))
      tables.rows.set(segment, kept)
    }
    const held = tables.entries.get(channel.id) ?? new Map<EntryId, EntryRecord>()
    tables.entries.set(channel.id, held)
    for (const record of entries) held.set(record.id, record)
    tables.channels.set(channel.id, channel)
  }

  return {
    async facts(channelId, ids, redacts) {
      const channel = tables.channels.get(channelId)
      if (!channel) return undefined
      const held = tables.entries.get(channelId)
      const wanted = new Set(ids)
      const targets = new Set<EntryId | 0>(redacts)
      const entries = [...wanted].map((id) => held?.get(id)).filter((record) => record !== undefined)
      for (const record of held?.values() ?? [])
        if (record.kind === 'accepted' && record.op === 'edit' && targets.has(record.ref) && !wanted.has(record.id))
          entries.push(record)
      const standing = entriesOf(channelId).filter(isStandingPost)
      const newestPosts = standing
        .map(({ seq }) => seq)
        .sort((a, b) => b - a)
        .slice(0, redacts.length + 1)
      return copy({ channel, entries, segments: segmentsFor(channelId, channel.head, entries), newestPosts })
    },
    async commit(batches, now) {
      for (const batch of copy(batches)) write(batch)
      tables.meta.commits++
      tables.meta.clock = Math.max(tables.meta.clock, now)
    },
    heads: async (space, account, most) =>
      [...tables.channels.values()]
        .filter((channel) => channel.space === space)
        .sort(byId)
        .map((channel) => {
          const read = tables.markers.get(account)?.get(channel.id)?.seq ?? 0
          const behind = entriesOf(channel.id).filter(
            (record) => isStandingPost(record) && record.seq > read && record.by !== account,
          )
          return { ...copy(channel), unread: Math.min(behind.length, most) }
        }),
    channels: async (space) => copy([...tables.channels.values()].filter((channel) => channel.space === space).sort(byId)),
    segment: async (segment) => copy(tables.segments.get(segment)),
    async segments(channel, after, limit) {
      const all = [...tables.segments.values()].filter((segment) => segment.channel === channel)
      const ordered = [...all.filter(({ of }) => of === 0), ...all.filter(({ of }) => of !== 0)]
      const from = after === '' ? 0 : ordered.findIndex(({ id }) => id === after) + 1
      return { list: ordered.slice(from, from + limit).map(listing), more: ordered.length > from + limit }
    },
    async tape(segment, n) {
      const rows = tables.rows.get(segment) ?? []
      const kept = rows.filter(({ clock, count }) => clock + count > n)
      return { clock: kept[0]?.clock ?? n, tape: concatBytes(...kept.map(({ tape }) => tape)) }
    },
    rows: async (segment) => Math.max(0, (tables.rows.get(segment)?.length ?? 0) - 1),
    entry: async (channel, id) => tables.entries.get(channel)?.get(id),
    async compact(segment) {
      const rows = tables.rows.get(segment) ?? []
      if (rows.length < 2) return
      const count = rows.reduce((sum, row) => sum + row.count, 0)
      tables.rows.set(segment, [{ clock: 0, count, tape: concatBytes(...rows.map(({ tape }) => tape)) }])
    },
    readMarkers: async (account) =>
      copy([...(tables.markers.get(account)?.values() ?? [])].sort((a, b) => (a.channel < b.channel ? -1 : 1))),
    markRead: async (marks) =>
      marks.map(({ account, marker: { channel, gen, seq } }) => {
        const markers = tables.markers.get(account) ?? new Map()
        tables.markers.set(account, markers)
        const before = markers.get(channel)
        if (before && (before.gen > gen || (before.gen === gen && before.seq >= seq))) return false
        markers.set(channel, { channel, gen, seq })
        return true
      }),
    async eraseMarkers(account) {
      tables.markers.delete(account)
    },
    async wordsOf(channel, account, after, most) {
      const bytes = (id: EntryId) => Buffer.from(idBytes(id))
      const ordered = entriesOf(channel).sort((a, b) => Buffer.compare(bytes(a.id), bytes(b.id)))
      const page = ordered.filter(({ id }) => after === '' || Buffer.compare(bytes(id), bytes(after)) > 0).slice(0, most)
      const stands = (one: EntryRecord) => one.kind === 'accepted' && one.by === account && !one.gone && wordOps.has(one.op)
      return { ids: page.filter(stands).map(({ id }) => id), next: page.length < most ? '' : (page.at(-1)?.id ?? '') }
    },
  }
}

/** Opening it is a start of the relay. @param makeIncarnation a new one at each call */
export function createMemoryMetaStore(tables: MemoryTables, makeIncarnation: () => string): MetaStore {
  const start = { id: makeIncarnation(), commits: tables.meta.commits }
  tables.meta.starts = [...tables.meta.starts, start]
  return {
    read: async () => copy(tables.meta),
    async renew() {
      tables.meta.starts = [{ ...start, commits: tables.meta.commits }]
      tables.meta.incarnation = makeIncarnation()
      for (const segment of tables.segments.values()) tables.segments.set(segment.id, { ...segment, sealed: 2 })
      for (const channel of tables.channels.values()) tables.channels.set(channel.id, { ...channel, head: 0 })
      return copy(tables.meta)
    },
  }
}

function byId(a: { id: string }, b: { id: string }): number {
  return a.id < b.id ? -1 : 1
}

/** Callers may change what they are given; the tables may not notice. */
function copy<Value>(value: Value): Value {
  return structuredClone(value)
}
