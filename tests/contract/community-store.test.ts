// One suite for every community store: a command is stored whole or not at all, in its order, and what it deletes is gone.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import type { CommandBatch, CommunityStore, InviteRow } from '#relay/store/community-store.ts'
import { type Database, openDatabase } from '#relay/store/database.ts'
import { createSqliteCommunityStore } from '#relay/store/sqlite-community-store.ts'
import { toBase64Url, utf8 } from '#shared/base/bytes.ts'
import { type AccountId, type ChannelId, type CommandId, idFromBytes, type SpaceId } from '#shared/base/ids.ts'
import { createPrng } from '#shared/base/prng.ts'
import type { CommunityState } from '#shared/community/state.ts'
import type { MemberRow } from '#shared/protocol/records.ts'
import { createMemoryCommunityStore } from '../fakes/memory-community-store.ts'

const random = createPrng(11)
const makeAccount = () => idFromBytes<'account'>(random.bytes(16))
const makeSpace = () => idFromBytes<'space'>(random.bytes(16))
const makeChannel = () => idFromBytes<'channel'>(random.bytes(16))
const makeCommand = () => idFromBytes<'command'>(random.bytes(16))

const opened: Database[] = []
afterEach(() => {
  for (const database of opened.splice(0)) database.close()
})

function openMemoryDatabase(): Database {
  const database = openDatabase(':memory:')
  opened.push(database)
  return database
}

const stateNamed = (name: string, owner: AccountId): CommunityState => ({ v: 1, name, owner, channels: {} })

function batchOf(
  space: SpaceId,
  by: AccountId,
  n: number,
  more: Partial<CommandBatch> & { id?: CommandId; text?: string } = {},
): CommandBatch {
  const { text = `["command ${n}"]`, ...rest } = more
  return {
    space,
    id: makeCommand(),
    by,
    record: { n, at: n * 10, text, sig: toBase64Url(random.bytes(64)), state: toBase64Url(random.bytes(32)) },
    head: { space, n, hash: random.bytes(32), state: stateNamed(`name ${n}`, by) },
    members: [],
    invites: [],
    channelsMade: [],
    channelsDeleted: [],
    structure: undefined,
    ...rest,
  }
}

const member = (account: AccountId, n: number, left = 0): MemberRow => ({
  account,
  username: `user${n}`,
  joined: n * 10,
  left,
  n,
})
const inviteOf = (space: SpaceId, by: AccountId, hash: string): InviteRow => ({
  hash,
  space,
  by,
  created: 5,
  until: 99,
  usesMax: 3,
  uses: 0,
  revoked: false,
})

const makers: { name: string; make: () => CommunityStore }[] = [
  { name: 'memory', make: () => createMemoryCommunityStore() },
  { name: 'sqlite', make: () => createSqliteCommunityStore(openMemoryDatabase()) },
]

describe.each(makers)('$name', ({ make }) => {
  test('[STORE-C1] an empty store knows nothing', async () => {
    const store = make()
    const space = makeSpace()
    expect(await store.head(space)).toBeUndefined()
    expect(await store.spaceOf(makeChannel())).toBeUndefined()
    expect(await store.spacesOf(makeAccount())).toEqual([])
    expect(await store.members(space, 0)).toEqual([])
    expect(await store.member(space, makeAccount())).toBeUndefined()
    expect(await store.records(space, 0, 10)).toEqual([])
    expect(await store.executed(space, makeCommand())).toBeUndefined()
    expect(await store.invite('none')).toBeUndefined()
    expect(await store.structure(space)).toEqual({ epoch: 1, changes: [] })
    expect(await store.clock()).toBe(0)
  })

  test('[STORE-C2] what a commit brings is there, by every way to ask for it', async () => {
    const store = make()
    const [space, owner, guest, channel] = [makeSpace(), makeAccount(), makeAccount(), makeChannel()]
    const first = batchOf(space, owner, 1, { members: [member(owner, 1)], channelsMade: [channel] })
    const second = batchOf(space, owner, 2, { invites: [inviteOf(space, owner, 'h2'), inviteOf(space, owner, 'h1')] })
    const third = batchOf(space, guest, 3, {
      members: [member(guest, 3)],
      invites: [{ ...inviteOf(space, owner, 'h1'), uses: 1 }],
    })
    await store.commit(first, 10)
    await store.commit(second, 20)
    await store.commit(third, 31)
    expect(await store.head(space)).toEqual(third.head)
    expect(await store.spaceOf(channel)).toBe(space)
    expect(await store.spacesOf(guest)).toEqual([space])
    expect(await store.member(space, guest)).toEqual(member(guest, 3))
    expect(await store.members(space, 0)).toEqual([member(owner, 1), member(guest, 3)])
    expect(await store.members(space, 1)).toEqual([member(guest, 3)])
    expect(await store.records(space, 0, 2)).toEqual([first.record, second.record])
    expect(await store.records(space, 2, 2)).toEqual([third.record])
    expect(await store.executed(space, second.id)).toEqual({ n: 2, by: owner })
    expect(await store.executed(makeSpace(), second.id)).toBeUndefined()
    expect(await store.invite('h1')).toEqual({ ...inviteOf(space, owner, 'h1'), uses: 1 })
    expect((await store.invites(space)).map(({ hash }) => hash)).toEqual(['h1', 'h2'])
    expect(await store.clock()).toBe(31)
  })

  test('[STORE-C3] a commit out of order, twice, or before its time throws and leaves no trace', async () => {
    const store = make()
    const [space, owner, channel] = [makeSpace(), makeAccount(), makeChannel()]
    const first = batchOf(space, owner, 1, { members: [member(owner, 1)], channelsMade: [channel] })
    await store.commit(first, 10)
    const more = { members: [member(makeAccount(), 2)], invites: [inviteOf(space, owner, 'h')], channelsMade: [makeChannel()] }
    const wrong: [CommandBatch, number][] = [
      [batchOf(space, owner, 1, more), 20],
      [batchOf(space, owner, 3, more), 20],
      [batchOf(space, owner, 2, { ...more, id: first.id }), 20],
      [batchOf(space, owner, 2, { ...more, channelsMade: [channel] }), 20],
      [batchOf(space, owner, 2, more), 10],
    ]
    for (const [batch, now] of wrong) {
      await expect(store.commit(batch, now)).rejects.toThrow()
      expect(await store.head(space)).toEqual(first.head)
      expect(await store.members(space, 0)).toEqual([member(owner, 1)])
      expect(await store.invites(space)).toEqual([])
      expect(await store.clock()).toBe(10)
    }
    await store.commit(batchOf(space, owner, 2, more), 20)
    expect((await store.head(space))?.n).toBe(2)
  })

  test('[STORE-C4] who left stays in the roster and is in no list of members', async () => {
    const store = make()
    const [space, other, owner] = [makeSpace(), makeSpace(), makeAccount()]
    await store.commit(batchOf(space, owner, 1, { members: [member(owner, 1)] }), 10)
    await store.commit(batchOf(other, owner, 1, { members: [member(owner, 1)] }), 11)
    expect(await store.spacesOf(owner)).toEqual([space, other].sort())
    await store.commit(batchOf(space, owner, 2, { members: [member(owner, 2, 20)] }), 20)
    expect(await store.spacesOf(owner)).toEqual([other])
    expect(await store.members(space, 1)).toEqual([member(owner, 2, 20)])
  })

  test('[STORE-C5] a deleted channel is none, but its id stays known in its space', async () => {
    const store = make()
    const [space, owner, channel] = [makeSpace(), makeAccount(), makeChannel()]
    const text = JSON.stringify(['id', owner, 'dev', 1, 'channel.create', { channel }, 0])
    expect(await store.channelUsed(space, channel)).toBe(false)
    await store.commit(batchOf(space, owner, 1, { channelsMade: [channel], text }), 10)
    expect(await store.channelUsed(makeSpace(), channel)).toBe(true)
    await store.commit(batchOf(space, owner, 2, { channelsDeleted: [channel] }), 20)
    expect(await store.spaceOf(channel)).toBeUndefined()
    expect(await store.channelUsed(space, channel)).toBe(true)
    expect(await store.channelUsed(space, makeChannel())).toBe(false)
  })

  test('[STORE-C6] changes come in their order, of the newest epoch only', async () => {
    const store = make()
    const [space, owner] = [makeSpace(), makeAccount()]
    const bytes = Array.from({ length: 12 }, () => random.bytes(20))
    for (const [i, change] of bytes.entries()) {
      const structure = { epoch: 1, bytes: change }
      await store.commit(batchOf(space, owner, i + 1, { structure }), i + 1)
    }
    expect(await store.structure(space)).toEqual({ epoch: 1, changes: bytes })
    const next = random.bytes(20)
    await store.commit(batchOf(space, owner, 13, { structure: { epoch: 2, bytes: next } }), 13)
    expect(await store.structure(space)).toEqual({ epoch: 2, changes: [next] })
  })

  test('[ERA-9] a member’s name leaves every roster without a command, and whoever asks from the present number on is told', async () => {
    const store = make()
    const spaces = [makeSpace(), makeSpace()].sort()
    const [here = makeSpace(), there = makeSpace()] = spaces
    const elsewhere = makeSpace()
    const [owner, guest] = [makeAccount(), makeAccount()]
    await store.commit(batchOf(here, owner, 1, { members: [member(owner, 1)] }), 10)
    await store.commit(batchOf(here, guest, 2, { members: [member(guest, 2)] }), 20)
    await store.commit(batchOf(there, guest, 1, { members: [member(guest, 1, 25)] }), 30)
    await store.commit(batchOf(elsewhere, owner, 1, { members: [member(owner, 1)] }), 40)
    const [left, gone] = [
      { account: guest, username: '', joined: 20, left: 50, n: 3 },
      { account: guest, username: '', joined: 10, left: 25, n: 2 },
    ]
    expect(await store.eraseMember(guest, 50)).toEqual([
      { space: here, row: left },
      { space: there, row: gone },
    ])
    expect(await store.members(here, 2)).toEqual([left])
    expect(await store.members(there, 0)).toEqual([gone])
    expect(await store.spacesOf(guest)).toEqual([])
    expect(await store.spacesEver(guest)).toEqual([here, there])
    expect(await store.head(here)).toMatchObject({ n: 2 })
    expect(await store.eraseMember(guest, 60)).toEqual([])
    await store.commit(batchOf(here, owner, 3), 70)
    expect(await store.members(here, 2)).toEqual([left])
    expect((await store.members(here, 0)).map(({ username }) => username)).toEqual(['user1', ''])
  })
})

describe('sqlite', () => {
  test('[STORE-C7] every commit counts, and stores the clock that the relay shares', async () => {
    const database = openMemoryDatabase()
    const store = createSqliteCommunityStore(database)
    const [space, owner] = [makeSpace(), makeAccount()]
    await store.commit(batchOf(space, owner, 1), 10)
    await store.commit(batchOf(space, owner, 2), 25)
    const meta = Object.fromEntries(
      database.sql
        .prepare('SELECT key, value FROM meta')
        .all()
        .map(({ key, value }) => [key, value]),
    )
    expect(meta).toMatchObject({ commits: '2', clock: '25' })
  })

  test('[ERASE-1] deleting a channel leaves no byte of its words in any file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'dupecord-erase-'))
    const database = openDatabase(join(folder, 'relay.sqlite'))
    try {
      const store = createSqliteCommunityStore(database)
      const [space, owner] = [makeSpace(), makeAccount()]
      const [doomed, kept] = [makeChannel(), makeChannel()]
      await store.commit(batchOf(space, owner, 1, { channelsMade: [doomed, kept] }), 10)
      fill(database, doomed, owner, 'doomedword')
      fill(database, kept, owner, 'keptword')
      await store.commit(batchOf(space, owner, 2, { channelsDeleted: [doomed] }), 20)
      expect(database.scrub()).toBe(true)
      const files = readdirSync(folder).map((name) => readFileSync(join(folder, name)).toString('latin1'))
      expect(files.some((file) => file.includes('doomedword'))).toBe(false)
      expect(files.some((file) => file.includes('keptword'))).toBe(true)
      for (const table of ['segment', 'entry', 'read_marker'])
        expect(database.sql.prepare(`SELECT DISTINCT channel FROM ${table}`).all()).toMatchObject([{ channel: kept }])
      for (const table of ['tape_row', 'tape_snapshot'])
        expect(database.sql.prepare(`SELECT count(DISTINCT segment) AS n FROM ${table}`).get()).toMatchObject({ n: 1 })
    } finally {
      database.close()
      rmSync(folder, { recursive: true })
    }
  })
})

/** Rows as the log has them, with a word that can be looked for. */
function fill({ sql, transaction }: Database, channel: ChannelId, by: AccountId, word: string): void {
  const segment = idFromBytes(random.bytes(16))
  const tape = utf8(`${word} `.repeat(600))
  transaction(() => {
    sql.prepare("INSERT INTO segment VALUES (?, ?, 1, '', 7, 9, 100, 9, 0, 1, '[]')").run(segment, channel)
    sql.prepare('INSERT INTO tape_snapshot VALUES (?, 5, ?)').run(segment, tape)
    for (let clock = 5; clock < 9; clock++) {
      sql.prepare('INSERT INTO tape_row VALUES (?, ?, 1, ?)').run(segment, clock, tape)
      sql
        .prepare("INSERT INTO entry VALUES (?, ?, 'accepted', ?, ?, ?, ?, 'post', NULL, 0, '[]', 0)")
        .run(channel, random.bytes(16), segment, clock, clock, by)
    }
    sql.prepare('INSERT INTO read_marker VALUES (?, ?, 0, 3)').run(by, channel)
  })
}
