// Communities in SQLite: chain, state, roster, invites, structure changes; makes and deletes the channels' rows with the command that says so.
import type { SQLOutputValue } from 'node:sqlite'
import { assert } from '#shared/base/assert.ts'
import type { Bytes } from '#shared/base/bytes.ts'
import { type AccountId, type ChannelId, parseAccountId, parseSpaceId, type SpaceId } from '#shared/base/ids.ts'
import type { CommunityHead, CommunityState } from '#shared/community/state.ts'
import type { CommandRecord, MemberRow } from '#shared/protocol/records.ts'
import type { CommandBatch, CommunityStore, InviteRow } from './community-store.ts'
import type { Database } from './database.ts'
import { countCommit, readMeta } from './relay-meta.ts'

type Row = Record<string, SQLOutputValue>

export function createSqliteCommunityStore(database: Database): CommunityStore {
  const { sql } = database
  const prepare = {
    head: sql.prepare('SELECT * FROM space WHERE id = ?'),
    putHead: sql.prepare('INSERT OR REPLACE INTO space VALUES (?, ?, ?, ?)'),
    spaceOf: sql.prepare('SELECT space FROM channel WHERE id = ?'),
    spacesOf: sql.prepare('SELECT space FROM member WHERE account = ? AND left_at = 0 ORDER BY space'),
    members: sql.prepare('SELECT * FROM member WHERE space = ? AND n > ? ORDER BY n, account'),
    member: sql.prepare('SELECT * FROM member WHERE space = ? AND account = ?'),
    putMember: sql.prepare('INSERT OR REPLACE INTO member VALUES (?, ?, ?, ?, ?, ?)'),
    spacesEver: sql.prepare('SELECT space FROM member WHERE account = ? ORDER BY space'),
    named: sql.prepare(
      `SELECT member.*, space.n AS head FROM member JOIN space ON space.id = member.space
        WHERE account = ? AND (username <> '' OR left_at = 0) ORDER BY space`,
    ),
    records: sql.prepare('SELECT n, at, text, sig, state FROM command WHERE space = ? AND n > ? ORDER BY n LIMIT ?'),
    executed: sql.prepare('SELECT n, by FROM command WHERE space = ? AND id = ?'),
    putRecord: sql.prepare('INSERT INTO command VALUES (?, ?, ?, ?, ?, ?, ?, ?)'),
    made: sql.prepare('SELECT 1 FROM command WHERE space = ? AND instr(text, ?) > 0 LIMIT 1'),
    invite: sql.prepare('SELECT * FROM invite WHERE hash = ?'),
    invites: sql.prepare('SELECT * FROM invite WHERE space = ? ORDER BY created, hash'),
    putInvite: sql.prepare('INSERT OR REPLACE INTO invite VALUES (?, ?, ?, ?, ?, ?, ?, ?)'),
    epoch: sql.prepare('SELECT max(epoch) AS epoch FROM structure_change WHERE space = ?'),
    changes: sql.prepare('SELECT bytes FROM structure_change WHERE space = ? AND epoch = ? ORDER BY nr'),
    putChange: sql.prepare(
      'INSERT INTO structure_change SELECT ?1, ?2, coalesce(max(nr), 0) + 1, ?3 FROM structure_change WHERE space = ?1 AND epoch = ?2',
    ),
    putChannel: sql.prepare("INSERT INTO channel VALUES (?, ?, 0, 0, '', 0)"),
  }
  // What hangs on a segment goes before the segments, by which it is found.
  const deleteChannel = [
    'DELETE FROM tape_row WHERE segment IN (SELECT id FROM segment WHERE channel = ?)',
    'DELETE FROM tape_snapshot WHERE segment IN (SELECT id FROM segment WHERE channel = ?)',
    'DELETE FROM segment WHERE channel = ?',
    'DELETE FROM entry WHERE channel = ?',
    'DELETE FROM read_marker WHERE channel = ?',
    'DELETE FROM channel WHERE id = ?',
  ].map((text) => sql.prepare(text))

  function write(batch: CommandBatch, now: number): void {
    const { space, id, by, record, head, members, invites, structure } = batch
    assert(record.n === Number(prepare.head.get(space)?.n ?? 0) + 1, 'commands of a space are committed in their order')
    assert(now > readMeta(database).clock, "a command's time lies above all that was accepted before")
    prepare.putRecord.run(space, record.n, id, by, record.at, record.text, record.sig, record.state)
    prepare.putHead.run(space, head.n, head.hash, JSON.stringify(head.state))
    for (const { account, username, joined, left, n } of members) prepare.putMember.run(space, account, username, joined, left, n)
    for (const { hash, space: of, by: maker, created, until, usesMax, uses, revoked } of invites)
      prepare.putInvite.run(hash, of, maker, created, until, usesMax, uses, Number(revoked))
    if (structure) prepare.putChange.run(space, structure.epoch, structure.bytes)
    for (const channel of batch.channelsMade) prepare.putChannel.run(channel, space)
    for (const channel of batch.channelsDeleted) for (const statement of deleteChannel) statement.run(channel)
    countCommit(database, now)
  }

  return {
    async head(space) {
      const row = prepare.head.get(space)
      return row && readHead(space, row)
    },
    async spaceOf(channel) {
      const row = prepare.spaceOf.get(channel)
      return row && spaceId(row.space)
    },
    spacesOf: async (account) => prepare.spacesOf.all(account).map((row) => spaceId(row.space)),
    members: async (space, after) => prepare.members.all(space, after).map(readMember),
    async member(space, account) {
      const row = prepare.member.get(space, account)
      return row && readMember(row)
    },
    records: async (space, after, limit) => prepare.records.all(space, after, limit).map(readRecord),
    async executed(space, id) {
      const row = prepare.executed.get(space, id)
      return row && { n: Number(row.n), by: accountId(row.by) }
    },
    channelUsed: async (space, channel) =>
      prepare.spaceOf.get(channel) !== undefined || prepare.made.get(space, writtenChannel(channel)) !== undefined,
    async invite(hash) {
      const row = prepare.invite.get(hash)
      return row && readInvite(row)
    },
    invites: async (space) => prepare.invites.all(space).map(readInvite),
    async structure(space) {
      const epoch = Number(prepare.epoch.get(space)?.epoch ?? 1)
      return { epoch, changes: prepare.changes.all(space, epoch).map((row) => blob(row.bytes)) }
    },
    clock: async () => readMeta(database).clock,
    async commit(batch, now) {
      database.transaction(() => write(batch, now))
      if (batch.channelsDeleted.length > 0) database.noteErased()
    },
    async eraseMember(account, at) {
      const changed = database.transaction(() =>
        prepare.named.all(account).map((found) => {
          const before = readMember(found)
          const row: MemberRow = {
            ...before,
            username: '',
            left: before.left === 0 ? at : before.left,
            n: Number(found.head) + 1,
          }
          prepare.putMember.run(String(found.space), account, row.username, row.joined, row.left, row.n)
          return { space: spaceId(found.space), row }
        }),
      )
      database.noteErased()
      return changed
    },
    spacesEver: async (account) => prepare.spacesEver.all(account).map((row) => spaceId(row.space)),
  }
}

/** As it stands in the text of the command that made it: the ids of deleted channels are nowhere else. */
function writtenChannel(channel: ChannelId): string {
  return `"channel":"${channel}"`
}

function readHead(space: SpaceId, row: Row): CommunityHead {
  // reason: written by `commit` from a CommunityState, and by nobody else
  const state = JSON.parse(String(row.state)) as CommunityState
  return { space, n: Number(row.n), hash: blob(row.hash), state }
}

function readMember(row: Row): MemberRow {
  return {
    account: accountId(row.account),
    username: String(row.username),
    joined: Number(row.joined),
    left: Number(row.left_at),
    n: Number(row.n),
  }
}

function readRecord(row: Row): CommandRecord {
  return { n: Number(row.n), at: Number(row.at), text: String(row.text), sig: String(row.sig), state: String(row.state) }
}

function readInvite(row: Row): InviteRow {
  return {
    hash: String(row.hash),
    space: spaceId(row.space),
    by: accountId(row.by),
    created: Number(row.created),
    until: Number(row.until_at),
    usesMax: Number(row.uses_max),
    uses: Number(row.uses),
    revoked: row.revoked === 1,
  }
}

function accountId(value: SQLOutputValue | undefined): AccountId {
  const id = parseAccountId(value)
  assert(id, 'the database holds ids only where ids belong')
  return id
}

function spaceId(value: SQLOutputValue | undefined): SpaceId {
  const id = parseSpaceId(value)
  assert(id, 'the database holds ids only where ids belong')
  return id
}

function blob(value: SQLOutputValue | undefined): Bytes {
  assert(value instanceof Uint8Array, 'a BLOB column gives bytes')
  return new Uint8Array(value)
}
