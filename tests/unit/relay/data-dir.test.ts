// What lies in the data directory beside the database: the incarnation, the secrets, the lock.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openSecrets } from '#relay/ops/secrets.ts'
import { lockData } from '#relay/store/data-lock.ts'
import { openDatabase } from '#relay/store/database.ts'
import { createIncarnationFile } from '#relay/store/incarnation-file.ts'
import { openMetaStore } from '#relay/store/relay-meta.ts'
import { createPrng } from '#shared/base/prng.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dupecord-dir-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const random = createPrng(4)
const segmentAndHead = `
  INSERT INTO channel VALUES ('c', 's', 1, 1, 'g', 1);
  INSERT INTO segment VALUES ('g', 'c', 1, '', 5, 1, 10, 1, 0, 1, '[]')`

async function open() {
  const database = openDatabase(join(folder, 'relay.db'))
  const { meta, restored } = openMetaStore(database, createIncarnationFile(join(folder, 'incarnation')), random)
  const { incarnation } = await meta.read()
  return { database, meta, restored, incarnation }
}

test('a fresh relay gets an incarnation and keeps it over restarts', async () => {
  const first = await open()
  expect(first).toMatchObject({ restored: false, incarnation: expect.stringMatching(/^[\w-]{22}$/) })
  first.database.close()
  const second = await open()
  expect(second).toMatchObject({ restored: false, incarnation: first.incarnation })
  second.database.close()
})

test.each([
  ['is missing', () => unlinkSync(join(folder, 'incarnation'))],
  ['is of another time', () => writeFileSync(join(folder, 'incarnation'), 'AAAAAAAAAAAAAAAAAAAAAA\n')],
])(
  'where the token beside the database %s, it was restored: a new incarnation, and every segment closed for ever',
  async (_, spoil) => {
    const first = await open()
    first.database.sql.exec(segmentAndHead)
    first.database.close()
    spoil()
    const second = await open()
    expect(second.restored).toBe(true)
    expect(second.incarnation).not.toBe(first.incarnation)
    expect(second.database.sql.prepare('SELECT sealed FROM segment').get()).toMatchObject({ sealed: 2 })
    expect(second.database.sql.prepare('SELECT head FROM channel').get()).toMatchObject({ head: '' })
    second.database.close()
    const third = await open()
    expect(third).toMatchObject({ restored: false, incarnation: second.incarnation })
    third.database.close()
  },
)

test('secrets are made once, for their owner only, and never made anew over a spoilt file', () => {
  const path = join(folder, 'secrets.json')
  const made = openSecrets(path, random)
  expect(made.pepper).toHaveLength(32)
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(openSecrets(path, random)).toEqual(made)
  writeFileSync(path, '{"pepper":"short"}')
  expect(() => openSecrets(path, random)).toThrow('pepper')
  writeFileSync(path, 'torn')
  expect(() => openSecrets(path, random)).toThrow()
})

test('one relay a data directory', () => {
  const path = join(folder, 'lock')
  const unlock = lockData(path)
  expect(() => lockData(path)).toThrow('another relay')
  unlock()
  lockData(path)()
})

test('a disk too full to carry the log over ends no relay and keeps none from starting', () => {
  // Files of at most 4,000 blocks: the log still fits, the database would not.
  const program = `
    import { openDatabase } from '${new URL('../../../relay/store/database.ts', import.meta.url).pathname}'
    const database = openDatabase('${join(folder, 'relay.db')}')
    database.sql.exec('CREATE TABLE t (x BLOB)')
    const scrubs = [1, 2].map(() => {
      for (let i = 0; i < 15; i++) database.sql.prepare('INSERT INTO t VALUES (?)').run(new Uint8Array(100_000))
      database.noteErased()
      return database.scrub()
    })
    const again = openDatabase('${join(folder, 'relay.db')}')
    console.log(JSON.stringify([...scrubs, again.sql.prepare('SELECT count(*) AS n FROM t').get().n]))`
  writeFileSync(join(folder, 'full.ts'), program)
  const ran = spawnSync('sh', ['-c', `ulimit -f 4000; exec "${process.execPath}" "${join(folder, 'full.ts')}"`], {
    encoding: 'utf8',
  })
  expect(ran.stdout.trim(), ran.stderr).toBe('[true,false,30]')
})

test('a database that lies elsewhere behind a link is opened, and its own log is the one that is synced', async () => {
  mkdirSync(join(folder, 'elsewhere'))
  symlinkSync(join(folder, 'elsewhere', 'other.db'), join(folder, 'relay.db'))
  const { database } = await open()
  await database.commit(() => database.sql.exec(segmentAndHead))
  expect(statSync(join(folder, 'elsewhere', 'other.db-wal')).size).toBeGreaterThan(0)
  database.close()
})

test('[OBS-4] a secrets file that is cut off is named, and nothing of it is quoted', () => {
  const path = join(folder, 'secrets.json')
  openSecrets(path, random)
  const whole = readFileSync(path, 'utf8')
  const { pepper } = JSON.parse(whole)
  for (const text of [whole.replace('"pepper"', 'pepper'), whole.replaceAll('"', ''), pepper]) {
    writeFileSync(path, text)
    expect(() => openSecrets(path, random)).toThrow(`${path} is not JSON: bring the file back from its copy`)
  }
})
