// Databases as they were shipped, each opened by the program of today: brought to the newest version, whole, and read by its stores.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { verify } from '#relay/ops/verify.ts'
import { type Database, newestVersion, openDatabase } from '#relay/store/database.ts'
import { createIncarnationFile } from '#relay/store/incarnation-file.ts'
import { openMetaStore } from '#relay/store/relay-meta.ts'
import { createSqliteAccountStore } from '#relay/store/sqlite-account-store.ts'
import { createSqliteCommunityStore } from '#relay/store/sqlite-community-store.ts'
import { createSqliteLogStore } from '#relay/store/sqlite-log-store.ts'
import { createSqlitePrivateStore } from '#relay/store/sqlite-private-store.ts'
import { createPrng } from '#shared/base/prng.ts'
import { createReplica } from '#shared/log/document.ts'
import { readElement } from '#shared/log/entry-codec.ts'
import { serveSegment } from '#shared/log/update-bytes.ts'
import { copyGoldenDatabase } from '../../fakes/golden-database.ts'

let folder = ''
let database: Database
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dupecord-golden-'))
  copyGoldenDatabase(join(folder, 'relay.db'))
  database = openDatabase(join(folder, 'relay.db'))
})
afterEach(() => {
  database.close()
  rmSync(folder, { recursive: true })
})

test('[GOLD-D1] a database of the first version is brought to the newest, once, and nothing in it is wrong', async () => {
  const version = () => database.sql.prepare('PRAGMA user_version').get()?.user_version
  expect(version()).toBe(newestVersion)
  database.close()
  database = openDatabase(join(folder, 'relay.db'))
  expect(version()).toBe(newestVersion)
  expect(await verify(join(folder, 'relay.db'))).toMatchObject({
    findings: [],
    looked: { accounts: 6, communities: 2, commands: 21, channels: 4, segments: 8, elements: 149 },
  })
})

test('[GOLD-D2] its stores answer as they did', async () => {
  const file = createIncarnationFile(join(folder, 'incarnation'))
  writeFileSync(join(folder, 'incarnation'), 'wtWY-ckfqaQI_Kb9_CGwzA\n')
  const { meta, restored } = openMetaStore(database, file, createPrng(1))
  expect(restored).toBe(false)
  expect(await meta.read()).toMatchObject({ incarnation: 'wtWY-ckfqaQI_Kb9_CGwzA', commits: 178, clock: 1_740_907_097_021 })

  const accounts = createSqliteAccountStore(database)
  const yusra = await accounts.byEmail('YUSRA@people.example')
  const marit = await accounts.byUsername('marit')
  if (!yusra || !marit) throw new Error('two of its people')
  expect(yusra).toMatchObject({ username: 'yusra', operator: false, emailConfirmed: false, avatar: '' })
  expect(marit.operator).toBe(true)
  expect(await accounts.sessionsOf(yusra.id)).toHaveLength(1)
  expect(await accounts.devicesOf(yusra.id)).toHaveLength(1)
  expect(await createSqlitePrivateStore(database).blobs(yusra.id)).toMatchObject([{ nr: 1 }, { nr: 2 }])

  const community = createSqliteCommunityStore(database)
  const [space] = await community.spacesOf(yusra.id)
  if (!space) throw new Error('its community')
  expect((await community.head(space))?.state.name).toBe('Harbour Plots')
  expect((await community.members(space, 0)).map(({ username, left }) => [username, left > 0]).sort()).toEqual([
    ['bogdan.k', false],
    ['marit', false],
    ['ola', true],
    ['tam_le', true],
    ['yusra', false],
    ['zoe', false],
  ])
  expect((await community.invites(space)).map(({ usesMax, uses, revoked }) => [usesMax, uses, revoked]).sort()).toEqual([
    [0, 4, false],
    [1, 1, false],
    [5, 0, true],
  ])
})

test('[GOLD-D3] Yjs loads every segment of it, and every post can be read', async () => {
  const log = createSqliteLogStore(database)
  const texts: string[] = []
  for (const { id } of database.sql.prepare('SELECT id FROM segment').all()) {
    // reason: a segment's id, as the store itself reads it
    const segment = await log.segment(id as Parameters<typeof log.segment>[0])
    if (!segment) throw new Error('a segment that is listed is there')
    const replica = createReplica(segment.client)
    expect(replica.apply(serveSegment(segment, await log.tape(segment.id, 0), 0)).ok).toBe(true)
    expect(replica.next).toBe(segment.next)
    for (const { text } of replica.elements()) {
      const element = readElement(text)
      if (!element.ok) throw new Error(`no element: ${text}`)
      const { op, body } = element.value
      if (op === 'post' && typeof body === 'object' && body && 't' in body) texts.push(String(body.t))
    }
    replica.destroy()
  }
  expect(texts).toHaveLength(103)
  expect(texts).toContain('Nr. 3: よさそうですね、明日見に行きます。 🌱')
  expect(texts).toContain('is the gate code still in the shed?')
  expect(texts.filter((text) => /edited before it went|same turn|^Nr\. (7|8|96|99):/.test(text))).toEqual([])
})
