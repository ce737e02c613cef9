// What is erased leaves no byte in the files, also where SQLite has moved rows from page to page before: real files, many rows, each third erased.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Database, openDatabase } from '#relay/store/database.ts'
import { copyDatabase } from '#relay/store/database-file.ts'
import { createSqliteAccountStore } from '#relay/store/sqlite-account-store.ts'
import { createSqliteLogStore } from '#relay/store/sqlite-log-store.ts'
import { createSqlitePrivateStore } from '#relay/store/sqlite-private-store.ts'
import { utf8 } from '#shared/base/bytes.ts'
import { idFromBytes } from '#shared/base/ids.ts'
import { createPrng } from '#shared/base/prng.ts'
import type { ChannelBatch } from '#shared/log/facts.ts'
import { tapeOfElement } from '#shared/log/tape.ts'
import { filesWith } from '../../fakes/files-with.ts'

let folder = ''
let database: Database
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dupecord-erased-'))
  database = openDatabase(join(folder, 'relay.db'))
  database.waitForDisk(false)
})
afterEach(() => {
  database.close()
  rmSync(folder, { recursive: true })
})

const seed = 11
const prng = createPrng(seed)
const scrubbed = () => {
  database.noteErased()
  expect(database.scrub()).toBe(true)
}
/** Which of these stand in the database or a fresh copy of it. */
function found(words: readonly string[]): string[] {
  scrubbed()
  copyDatabase(join(folder, 'relay.db'), join(folder, 'copy.db'))
  const files = ['relay.db', 'copy.db'].map((name) => readFileSync(join(folder, name)))
  rmSync(join(folder, 'copy.db'))
  return words.filter((word) => files.some((bytes) => bytes.includes(word)))
}

test('[ERASE-1] rows and snapshots of sixty channels, written by turns and joined by turns: nothing of what is erased is left', async () => {
  const log = createSqliteLogStore(database)
  const space = idFromBytes<'space'>(prng.bytes(16))
  const places = Array.from({ length: 60 }, () => ({
    channel: idFromBytes<'channel'>(prng.bytes(16)),
    segment: idFromBytes<'segment'>(prng.bytes(16)),
    next: 0,
    deleted: new Set<number>(),
  }))
  const word = (place: number, clock: number) => `<${place}/${clock}>`
  const batchOf = (nr: number, change: Partial<ChannelBatch>): ChannelBatch => {
    const place = places[nr]
    if (!place) throw new Error('one of sixty')
    const { channel, segment, next } = place
    const base = {
      id: segment,
      channel,
      of: 0,
      client: nr + 1,
      next,
      bytes: 1,
      posts: 0,
      sealed: 0,
      rev: 1,
      deleted: [],
    } as const
    const head = { id: channel, space, seq: 0, rev: 1, head: segment, last: 0 }
    return { channel: head, segments: [base], rows: [], erase: [], entries: [], ...change }
  }
  for (const { channel } of places) database.sql.prepare("INSERT INTO channel VALUES (?, ?, 0, 0, '', 0)").run(channel, space)
  for (let round = 0; round < 60; round++) {
    const batches: ChannelBatch[] = []
    for (const [nr, place] of places.entries()) {
      if (prng.chance(0.3)) continue
      const clock = place.next++
      const size = prng.chance(0.05) ? prng.below(12_000) : prng.below(400)
      const tape = tapeOfElement(utf8(word(nr, clock) + 'x'.repeat(size) + word(nr, clock)))
      batches.push(batchOf(nr, { rows: [{ segment: place.segment, clock, count: 1, tape }] }))
    }
    await log.commit(batches, round + 1)
    for (const { segment } of places) if (prng.chance(0.03)) await log.compact(segment)
  }
  const gone: string[] = []
  for (const [nr, place] of places.entries()) {
    const clocks = Array.from({ length: place.next }, (_, clock) => clock).filter(() => prng.chance(0.33))
    for (const clock of clocks) {
      await log.commit([batchOf(nr, { erase: [{ segment: place.segment, clocks: [clock] }] })], 100)
      gone.push(word(nr, clock))
      if (prng.chance(0.05)) await log.compact(place.segment)
    }
  }
  expect(gone.length).toBeGreaterThan(500)
  expect(found(gone), `seed ${seed}`).toEqual([])
  const all = places.flatMap((place, nr) => Array.from({ length: place.next }, (_, clock) => word(nr, clock)))
  expect(found(all)).toHaveLength(all.length - gone.length)
})

test('[ERASE-2] parts of private documents that were replaced are gone', async () => {
  const store = createSqlitePrivateStore(database)
  const people = Array.from({ length: 40 }, () => idFromBytes<'account'>(prng.bytes(16)))
  const gone: string[] = []
  for (let round = 0; round < 20; round++)
    for (const [who, account] of people.entries()) {
      const held = await store.blobs(account)
      const replaced = held.filter(() => prng.chance(0.3)).map(({ nr }) => nr)
      const nr = await store.put(account, utf8(`<${who}/${(held.at(-1)?.nr ?? 0) + 1}>${'x'.repeat(prng.below(600))}`), replaced)
      expect(nr).toBe((held.at(-1)?.nr ?? 0) + 1)
      gone.push(...replaced.map((old) => `<${who}/${old}>`))
    }
  expect(gone.length).toBeGreaterThan(200)
  expect(found(gone), `seed ${seed}`).toEqual([])
})

test('[ERASE-3] of an erased account neither name, address, digest nor vault is left, and everybody else is as before', async () => {
  const store = createSqliteAccountStore(database)
  const people = Array.from({ length: 400 }, (_, nr) => ({ nr, id: idFromBytes<'account'>(prng.bytes(16)) }))
  const traces = (nr: number) => [`name-${nr}-`, `mail-${nr}-`, `digest-${nr}-`, `vault-${nr}-`]
  const put = database.sql.prepare('INSERT INTO member VALUES (?, ?, ?, 1, 0, 1)')
  for (const { nr, id } of people) {
    const identity = prng.bytes(32)
    const [username, email, passwordDigest, vault] = traces(nr).map((trace) => trace + 'x'.repeat(prng.below(40)))
    if (!username || !email || !passwordDigest || !vault) throw new Error('four traces')
    const rest = { emailConfirmed: false, salt: prng.bytes(16), identity, vaultRev: 1, avatar: '', created: 1 }
    expect(await store.create({ id, username, email, passwordDigest, vault: utf8(vault), ...rest })).toBe('created')
    for (let space = 0; space < 3; space++) put.run(idFromBytes(prng.bytes(16)), id, username)
  }
  const erased = people.filter(() => prng.chance(0.05))
  for (const { id, nr } of erased) {
    await store.erase(id, 5, `~${nr}`)
    database.sql.prepare("UPDATE member SET username = '' WHERE account = ?").run(id)
    await store.finishErasing(id)
  }
  const gone = erased.flatMap(({ nr }) => traces(nr))
  expect(gone.length).toBeGreaterThan(20)
  expect(found(gone), `seed ${seed}`).toEqual([])
  expect(filesWith(folder, gone[0] ?? '')).toEqual([])
  for (const { id, nr } of people) {
    const row = await store.byId(id)
    if (erased.some((one) => one.id === id)) expect(row).toBeUndefined()
    else expect(row?.username).toContain(`name-${nr}-`)
  }
  expect(database.sql.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' })
  expect(database.sql.prepare('PRAGMA foreign_keys').get()).toEqual({ foreign_keys: 1 })
  const names = database.sql
    .prepare("SELECT name FROM sqlite_schema WHERE tbl_name = 'member' AND type = 'index' ORDER BY name")
    .all()
  expect(names.map(({ name }) => name)).toEqual(
    ['member_account', 'member_n'].concat(names.length > 2 ? [String(names[2]?.name)] : []),
  )
})
