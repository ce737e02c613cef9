// After a restore the journal is done again: on a real database of before, what was taken away since is gone, and cannot come back.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { redoTaken } from '#relay/ops/redo-taken.ts'
import { verify } from '#relay/ops/verify.ts'
import { type Database, openDatabase } from '#relay/store/database.ts'
import { createIncarnationFile } from '#relay/store/incarnation-file.ts'
import type { LogStore } from '#relay/store/log-store.ts'
import type { Taken } from '#relay/store/redaction-journal.ts'
import { createRedoneMark, openMetaStore } from '#relay/store/relay-meta.ts'
import { createSqliteLogStore } from '#relay/store/sqlite-log-store.ts'
import { type AccountId, type ChannelId, type EntryId, idFromBytes, parseAccountId, parseChannelId } from '#shared/base/ids.ts'
import { limits } from '#shared/base/limits.ts'
import { createPrng } from '#shared/base/prng.ts'
import { copyGoldenDatabase } from '../../fakes/golden-database.ts'

let folder = ''
let database: Database
let log: LogStore
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dupecord-redo-'))
  copyGoldenDatabase(join(folder, 'relay.db'))
  database = openDatabase(join(folder, 'relay.db'))
  log = createSqliteLogStore(database)
})
afterEach(() => {
  database.close()
  rmSync(folder, { recursive: true })
})

const random = createPrng(7)
const newId = () => idFromBytes<'entry'>(random.bytes(16))

/** The restored relay's first start: a new incarnation, then the journal. */
async function redo(taken: readonly Taken[], store: Pick<LogStore, 'facts' | 'commit'> = log): Promise<AccountId[]> {
  const erased: AccountId[] = []
  const { meta } = openMetaStore(database, createIncarnationFile(join(folder, 'incarnation')), random)
  const eraseAccount = async (account: AccountId) => void erased.push(account)
  const [redone, clock] = [createRedoneMark(database), { now: () => 1_800_000_000_000 }]
  const journal = { read: () => [...taken] }
  await redoTaken({ journal, log: store, meta, redone, eraseAccount, clock, decision: { random, limits } })
  return erased
}

/** Standing posts of the largest channel, oldest first: they lie in four closed segments. */
function posts(): { channel: ChannelId; list: { id: EntryId; by: AccountId }[] } {
  const rows = database.sql
    .prepare(
      `SELECT channel, id, by FROM entry WHERE op = 'post' AND gone = 0
        AND channel = (SELECT channel FROM entry GROUP BY channel ORDER BY count(*) DESC LIMIT 1) ORDER BY seq`,
    )
    .all()
  const channel = parseChannelId(rows[0]?.channel)
  if (!channel) throw new Error('a channel with posts')
  const list = rows.map(({ id, by }) => {
    const author = parseAccountId(by)
    if (!author || !(id instanceof Uint8Array)) throw new Error('a post has an id and an author')
    return { id: idFromBytes<'entry'>(id), by: author }
  })
  return { channel, list }
}

test('[BAK-15] what is there is deleted with its edits and its bytes, what is not is kept from coming, what never bound does not bind', async () => {
  const { channel, list } = posts()
  const [edited, own, others, managed] = list
  const newest = list.at(-1)
  if (!edited || !own || !others || !managed || !newest) throw new Error('a hundred posts')
  const [late, early, foreign] = [newId(), newId(), newId()]
  const somebody = list.find(({ by }) => by !== others.by)?.by ?? others.by
  expect(readFileSync(join(folder, 'relay.db')).includes('Nr. 0: the ferry')).toBe(true)
  await redo([
    { kind: 'gone', channel, id: edited.id },
    { kind: 'gone', channel, id: newest.id },
    { kind: 'gone', channel, id: late },
    { kind: 'gone', channel, id: late },
    { kind: 'reserved', channel, id: own.id, by: own.by, manage: false },
    { kind: 'reserved', channel, id: others.id, by: somebody, manage: false },
    { kind: 'reserved', channel, id: managed.id, by: somebody, manage: true },
    { kind: 'reserved', channel, id: early, by: somebody, manage: false },
    { kind: 'gone', channel: idFromBytes<'channel'>(random.bytes(16)), id: foreign },
  ])
  const entry = (id: EntryId) => log.entry(channel, id)
  for (const id of [edited.id, newest.id, own.id, managed.id])
    expect(await entry(id)).toMatchObject({ kind: 'accepted', gone: true })
  expect(await entry(others.id)).toMatchObject({ kind: 'accepted', gone: false })
  expect(await entry(late)).toEqual({ kind: 'reserved', id: late, redactors: [], manage: true })
  expect(await entry(early)).toEqual({ kind: 'reserved', id: early, redactors: [somebody], manage: false })
  expect(database.scrub()).toBe(true)
  // Its edit too.
  expect(readFileSync(join(folder, 'relay.db')).includes('Nr. 0: the ferry')).toBe(false)
  expect(await verify(join(folder, 'relay.db'))).toMatchObject({ findings: [] })
})

test('[BAK-16] it is done once for an incarnation; cut short, it is done again', async () => {
  const { channel, list } = posts()
  const taken = list.map(({ id }): Taken => ({ kind: 'gone', channel, id }))
  const failing = { ...log, commit: () => Promise.reject(new Error('a power cut')) }
  await expect(redo(taken, failing)).rejects.toThrow('a power cut')
  expect(posts().list).toHaveLength(list.length)
  await redo(taken)
  expect(
    database.sql.prepare("SELECT count(*) AS n FROM entry WHERE op = 'post' AND gone = 0 AND channel = ?").get(channel),
  ).toEqual({ n: 0 })
  await redo([], { facts: log.facts, commit: () => Promise.reject(new Error('not asked')) })
  await redo([{ kind: 'gone', channel, id: newId() }], failing)
  expect(await verify(join(folder, 'relay.db'))).toMatchObject({ findings: [] })
})

test('[BAK-17] an erased account is erased again', async () => {
  const [somebody] = posts().list
  if (!somebody) throw new Error('a post')
  expect(await redo([{ kind: 'erased', account: somebody.by }])).toEqual([somebody.by])
})
