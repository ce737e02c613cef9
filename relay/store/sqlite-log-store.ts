// Channels in SQLite: rows of tape behind a snapshot, one row per entry id, segments, read markers. No Y.Doc: serving and compacting is concatenation.
import type { SQLOutputValue } from 'node:sqlite'
import { assert } from '#shared/base/assert.ts'
import { type Bytes, concatBytes } from '#shared/base/bytes.ts'
import { type EntryId, type Id, idBytes, idFromBytes, isId, type SegmentId } from '#shared/base/ids.ts'
import type { ChannelBatch, ChannelState, EntryRecord, SegmentState } from '#shared/log/facts.ts'
import { eraseFromTape } from '#shared/log/tape.ts'
import type { Database } from './database.ts'
import { farBlob, nearBlob } from './far-blob.ts'
import { type LogStore, wordOps } from './log-store.ts'
import { type RedactionJournal, takenBy } from './redaction-journal.ts'
import { countCommit } from './relay-meta.ts'

type Row = Record<string, SQLOutputValue>
type Prepared = ReturnType<typeof prepareAll>

/** @param journal told of what a commit takes away, before it does; without it nothing of that outlives a restore */
export function createSqliteLogStore(database: Database, journal?: Pick<RedactionJournal, 'add'>): LogStore {
  const prepare = prepareAll(database)

  return {
    async facts(channelId, ids, redacts) {
      const row = prepare.channel.get(channelId)
      if (!row) return undefined
      const channel = readChannel(row)
      const entries = new Map<EntryId, EntryRecord>()
      const add = (found: Row) => entries.set(idFromBytes(blob(found.id)), readEntry(found))
      const greatest = greatestId(prepare, channelId)
      for (const id of new Set(ids)) {
        const bytes = idBytes(id)
        // Ids begin with their time: a new one mostly lies above all that there are, and need not be looked for.
        const found = isAbove(bytes, greatest) ? undefined : prepare.entry.get(channelId, bytes)
        if (found) add(found)
      }
      for (const id of new Set(redacts)) prepare.edits.all(channelId, idBytes(id)).forEach(add)
      const records = [...entries.values()]
      const newestPosts = prepare.newestPosts.all(channelId, redacts.length + 1).map((post) => Number(post.seq))
      return { channel, segments: segmentsFor(prepare, channel.head, records), entries: records, newestPosts }
    },
    async commit(batches, now) {
      await database.commit(() => {
        for (const batch of batches) write(prepare, batch)
        countCommit(database, now)
        journal?.add(takenBy(batches))
      })
      if (batches.some((batch) => batch.erase.length > 0)) database.noteErased()
    },
    channels: async (space) => prepare.channels.all(space).map(readChannel),
    heads: async (space, account, most) =>
      prepare.heads.all(account, most, space).map((row) => ({ ...readChannel(row), unread: Number(row.unread) })),
    async segment(segment) {
      const row = prepare.segment.get(segment)
      return row && readSegment(row)
    },
    async segments(channel, after, limit) {
      const behind = after === '' ? undefined : prepare.segment.get(after)
      const annexes = Number(behind?.of !== undefined && behind.of !== '')
      const rows = prepare.listing.all(channel, annexes, Number(behind?.nr ?? -1), limit + 1)
      const list = rows.slice(0, limit).map((row) => {
        const { id, of, client, next, rev, sealed } = readSegment(row)
        return { seg: id, of: of === 0 ? ('' as const) : of, client, n: next, rev, sealed }
      })
      return { list, more: rows.length > limit }
    },
    tape: async (segment, n) => readTape(prepare, segment, n),
    rows: async (segment) => Number(prepare.countRows.get(segment)?.count ?? 0),
    async entry(channel, id) {
      const row = prepare.entry.get(channel, idBytes(id))
      return row && readEntry(row)
    },
    async compact(segment) {
      database.transaction(() => {
        const { tape } = readTape(prepare, segment, 0)
        const end = Number(prepare.lastRow.get(segment)?.end ?? 0)
        if (end === 0) return
        prepare.putSnapshot.run(segment, end, farBlob(tape))
        prepare.deleteRows.run(segment)
      })
    },
    readMarkers: async (account) =>
      prepare.markers.all(account).map((row) => ({
        channel: id<Id<'channel'>>(row.channel),
        gen: Number(row.gen),
        seq: Number(row.seq),
      })),
    markRead: async (marks) =>
      database.transaction(() =>
        marks.map(
          ({ account, marker: { channel, gen, seq } }) => Number(prepare.markRead.run(account, channel, gen, seq).changes) > 0,
        ),
      ),
    async eraseMarkers(account) {
      prepare.eraseMarkers.run(account)
    },
    async wordsOf(channel, account, after, most) {
      const rows = prepare.entriesAfter.all(channel, after === '' ? new Uint8Array() : idBytes(after), most)
      const stands = (row: Row) => row.by === account && row.gone === 0 && wordOps.has(String(row.op))
      const idOf = (row: Row) => idFromBytes<'entry'>(blob(row.id))
      const last = rows.length < most ? undefined : rows.at(-1)
      return { ids: rows.filter(stands).map(idOf), next: last ? idOf(last) : '' }
    },
  }
}

function prepareAll({ sql }: Database) {
  return {
    channel: sql.prepare('SELECT * FROM channel WHERE id = ?'),
    channels: sql.prepare('SELECT * FROM channel WHERE space = ? ORDER BY id'),
    putChannel: sql.prepare('UPDATE channel SET seq = ?2, rev = ?3, head = ?4, last = ?5 WHERE id = ?1'),
    segment: sql.prepare('SELECT * FROM segment WHERE id = ?'),
    annex: sql.prepare("SELECT * FROM segment WHERE of = ? AND of <> '' ORDER BY nr DESC LIMIT 1"),
    listing: sql.prepare(
      "SELECT * FROM segment WHERE channel = ?1 AND ((of <> '') > ?2 OR ((of <> '') = ?2 AND nr > ?3)) ORDER BY of <> '', nr LIMIT ?4",
    ),
    putSegment: sql.prepare(
      `INSERT INTO segment SELECT ?1, ?2, coalesce(max(nr), 0) + 1, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10 FROM segment WHERE channel = ?2
        ON CONFLICT(id) DO UPDATE SET next = excluded.next, bytes = excluded.bytes, posts = excluded.posts, sealed = excluded.sealed,
        rev = excluded.rev, deleted = excluded.deleted`,
    ),
    snapshot: sql.prepare('SELECT n, tape FROM tape_snapshot WHERE segment = ?'),
    snapshotEnd: sql.prepare('SELECT n FROM tape_snapshot WHERE segment = ?'),
    putSnapshot: sql.prepare(
      'INSERT INTO tape_snapshot VALUES (?, ?, ?) ON CONFLICT(segment) DO UPDATE SET n = excluded.n, tape = excluded.tape',
    ),
    rowsFrom: sql.prepare('SELECT clock, count, tape FROM tape_row WHERE segment = ? AND clock >= ? ORDER BY clock'),
    rowAt: sql.prepare('SELECT clock, count, tape FROM tape_row WHERE segment = ? AND clock <= ? ORDER BY clock DESC LIMIT 1'),
    lastRow: sql.prepare('SELECT clock + count AS end FROM tape_row WHERE segment = ? ORDER BY clock DESC LIMIT 1'),
    countRows: sql.prepare('SELECT count(*) AS count FROM tape_row WHERE segment = ?'),
    putRow: sql.prepare('INSERT INTO tape_row VALUES (?, ?, ?, ?)'),
    setRow: sql.prepare('UPDATE tape_row SET tape = ? WHERE segment = ? AND clock = ?'),
    deleteRows: sql.prepare('DELETE FROM tape_row WHERE segment = ?'),
    entry: sql.prepare('SELECT * FROM entry WHERE channel = ? AND id = ?'),
    greatest: sql.prepare('SELECT id FROM entry WHERE channel = ? ORDER BY id DESC LIMIT 1'),
    edits: sql.prepare("SELECT * FROM entry WHERE channel = ? AND ref = ? AND op = 'edit'"),
    putEntry: sql.prepare('INSERT OR REPLACE INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)'),
    newestPosts: sql.prepare("SELECT seq FROM entry WHERE channel = ? AND op = 'post' AND gone = 0 ORDER BY seq DESC LIMIT ?"),
    heads: sql.prepare(
      `SELECT c.*, CASE WHEN c.last <= coalesce(m.seq, 0) THEN 0 ELSE
          (SELECT count(*) FROM (SELECT 1 FROM entry
            WHERE channel = c.id AND seq > coalesce(m.seq, 0) AND op = 'post' AND gone = 0 AND by <> ?1 LIMIT ?2)) END AS unread
        FROM channel c LEFT JOIN read_marker m ON m.account = ?1 AND m.channel = c.id WHERE c.space = ?3 ORDER BY c.id`,
    ),
    markers: sql.prepare('SELECT channel, gen, seq FROM read_marker WHERE account = ? ORDER BY channel'),
    markRead: sql.prepare(
      `INSERT INTO read_marker VALUES (?, ?, ?, ?) ON CONFLICT(account, channel) DO UPDATE SET gen = excluded.gen, seq = excluded.seq
        WHERE (excluded.gen, excluded.seq) > (gen, seq)`,
    ),
    eraseMarkers: sql.prepare('DELETE FROM read_marker WHERE account = ?'),
    entriesAfter: sql.prepare('SELECT id, by, op, gone FROM entry WHERE channel = ? AND id > ? ORDER BY id LIMIT ?'),
  }
}

function greatestId(prepare: Prepared, channel: string): Bytes {
  const row = prepare.greatest.get(channel)
  return row ? blob(row.id) : new Uint8Array()
}

/** As SQLite orders blobs. */
function isAbove(id: Bytes, greatest: Bytes): boolean {
  const at = id.findIndex((byte, i) => byte !== greatest[i])
  return at >= 0 && (id[at] ?? 0) > (greatest[at] ?? -1)
}

/** The head; and of every entry its segment, that one's root, and the root's newest annex. */
function segmentsFor(prepare: Prepared, head: SegmentId | 0, records: readonly EntryRecord[]): SegmentState[] {
  const found = new Map<SegmentId, SegmentState>()
  const add = (row: Row | undefined) => {
    if (!row) return undefined
    const segment = readSegment(row)
    found.set(segment.id, segment)
    return segment
  }
  if (head !== 0) add(prepare.segment.get(head))
  const roots = new Set<SegmentId>()
  for (const record of records) {
    if (record.kind !== 'accepted') continue
    const segment = found.get(record.segment) ?? add(prepare.segment.get(record.segment))
    if (segment) roots.add(segment.of === 0 ? segment.id : segment.of)
  }
  for (const root of roots) {
    if (!found.has(root)) add(prepare.segment.get(root))
    add(prepare.annex.get(root))
  }
  return [...found.values()]
}

function readTape(prepare: Prepared, segment: SegmentId, n: number): { clock: number; tape: Bytes } {
  const end = Number(prepare.snapshotEnd.get(segment)?.n ?? 0)
  const parts: Bytes[] = []
  let clock = 0
  let from = end
  if (n < end) parts.push(nearBlob(blob(prepare.snapshot.get(segment)?.tape)))
  else {
    // Past the snapshot: the row that holds n, or begins there, is enough.
    clock = Number(prepare.rowAt.get(segment, n)?.clock ?? end)
    from = clock
  }
  for (const row of prepare.rowsFrom.iterate(segment, from)) parts.push(nearBlob(blob(row.tape)))
  const [only, ...rest] = parts
  return { clock, tape: only && rest.length === 0 ? only : concatBytes(...parts) }
}

function write(prepare: Prepared, { channel, segments, rows, erase, entries }: ChannelBatch): void {
  for (const { id, channel: of, of: root, client, next, bytes, posts, sealed, rev, deleted } of segments)
    prepare.putSegment.run(id, of, root === 0 ? '' : root, client, next, bytes, posts, sealed, rev, JSON.stringify(deleted))
  for (const { segment, clock, count, tape } of rows) prepare.putRow.run(segment, clock, count, farBlob(tape))
  for (const { segment, clocks } of erase) eraseText(prepare, segment, clocks)
  for (const record of entries) writeEntry(prepare, channel.id, record)
  const { changes } = prepare.putChannel.run(
    channel.id,
    channel.seq,
    channel.rev,
    channel.head === 0 ? '' : channel.head,
    channel.last,
  )
  assert(Number(changes) === 1, 'a batch is for a channel that there is')
}

function eraseText(prepare: Prepared, segment: SegmentId, clocks: readonly number[]): void {
  const gone = new Set(clocks)
  const end = Number(prepare.snapshotEnd.get(segment)?.n ?? 0)
  if (clocks.some((clock) => clock < end))
    prepare.putSnapshot.run(segment, end, farBlob(eraseFromTape(nearBlob(blob(prepare.snapshot.get(segment)?.tape)), 0, gone)))
  const rewritten = new Set<number>()
  for (const clock of clocks) {
    const row = clock < end ? undefined : prepare.rowAt.get(segment, clock)
    if (!row || rewritten.has(Number(row.clock))) continue
    rewritten.add(Number(row.clock))
    prepare.setRow.run(farBlob(eraseFromTape(nearBlob(blob(row.tape)), Number(row.clock), gone)), segment, row.clock ?? 0)
  }
}

function writeEntry(prepare: Prepared, channel: string, record: EntryRecord): void {
  const { putEntry } = prepare
  if (record.kind === 'reserved') {
    const { id: reserved, redactors, manage } = record
    putEntry.run(channel, idBytes(reserved), 'reserved', '', 0, 0, '', '', null, 1, JSON.stringify(redactors), Number(manage))
    return
  }
  const { id: accepted, segment, clock, seq, by, op, ref, gone } = record
  const target = ref === 0 ? null : idBytes(ref)
  putEntry.run(channel, idBytes(accepted), 'accepted', segment, clock, seq, by, op, target, Number(gone), '', 0)
}

function readEntry(row: Row): EntryRecord {
  const entry = idFromBytes<'entry'>(blob(row.id))
  if (row.kind === 'reserved') {
    // reason: written by `writeEntry` from a ReservedEntry, and by nobody else
    const redactors = JSON.parse(String(row.redactors)) as (EntryRecord & { kind: 'reserved' })['redactors']
    return { kind: 'reserved', id: entry, redactors, manage: row.manage === 1 }
  }
  return {
    kind: 'accepted',
    id: entry,
    segment: id(row.segment),
    clock: Number(row.clock),
    seq: Number(row.seq),
    by: id(row.by),
    // reason: written by `writeEntry` from an AcceptedEntry, and by nobody else
    op: String(row.op) as (EntryRecord & { kind: 'accepted' })['op'],
    ref: row.ref === null || row.ref === undefined ? 0 : idFromBytes(blob(row.ref)),
    gone: row.gone === 1,
  }
}

function readChannel(row: Row): ChannelState {
  return {
    id: id(row.id),
    space: id(row.space),
    seq: Number(row.seq),
    rev: Number(row.rev),
    head: row.head === '' ? 0 : id(row.head),
    last: Number(row.last),
  }
}

function readSegment(row: Row): SegmentState {
  return {
    id: id(row.id),
    channel: id(row.channel),
    of: row.of === '' ? 0 : id(row.of),
    client: Number(row.client),
    next: Number(row.next),
    bytes: Number(row.bytes),
    posts: Number(row.posts),
    // reason: written by `write` from a SegmentState, and by nobody else
    sealed: Number(row.sealed) as SegmentState['sealed'],
    rev: Number(row.rev),
    // reason: written by `write` from a SegmentState, and by nobody else
    deleted: JSON.parse(String(row.deleted)) as SegmentState['deleted'],
  }
}

function id<Kind extends Id>(value: SQLOutputValue | undefined): Kind {
  assert(isId(value), 'the database holds ids only where ids belong')
  // reason: each column holds ids of one kind, which only its reader knows
  return value as Kind
}

function blob(value: SQLOutputValue | undefined): Bytes {
  assert(value instanceof Uint8Array, 'a BLOB column gives bytes')
  return value.buffer instanceof ArrayBuffer
    ? new Uint8Array(value.buffer, value.byteOffset, value.length)
    : new Uint8Array(value)
}
