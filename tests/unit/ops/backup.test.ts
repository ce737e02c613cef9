// Backup and restore as an operator meets them: what they refuse, in which words, and that nothing is spoilt by it; and a relay under a foreign reader.

import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { backUp } from '#relay/ops/backup.ts'
import { runCommandLine, usage } from '#relay/ops/command-line.ts'
import { restore } from '#relay/ops/restore.ts'
import { verify } from '#relay/ops/verify.ts'
import { lockData } from '#relay/store/data-lock.ts'
import { newestVersion, openDatabase } from '#relay/store/database.ts'
import { readDatabaseFile } from '#relay/store/database-file.ts'
import { copyGoldenDatabase } from '../../fakes/golden-database.ts'

let folder = ''
let dataDir = ''
let file = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dupecord-backup-'))
  dataDir = join(folder, 'data')
  file = join(folder, 'backup.db')
  mkdirSync(dataDir)
  copyGoldenDatabase(join(dataDir, 'relay.db'))
  openDatabase(join(dataDir, 'relay.db')).close()
})
afterEach(() => rmSync(folder, { recursive: true }))

test('[BAK-20] a backup says what it holds, is its owner’s alone, whole, and overwrites nothing', async () => {
  const { lines, code } = await runCommandLine(['backup', file], dataDir)
  expect(code).toBe(0)
  expect(lines[0]).toMatch(/^.*backup\.db: 2 communities, 4 channels, 103 messages, \d+ bytes, \d+\.\d s$/)
  expect(lines[1]).toContain('secrets.json')
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(readdirSync(folder).sort()).toEqual(['backup.db', 'data'])
  expect(await verify(file)).toMatchObject({ wrong: 0 })
  const before = readFileSync(file)
  expect(() => backUp(dataDir, file)).toThrow('overwrites nothing')
  expect(readFileSync(file).equals(before)).toBe(true)
})

test('[BAK-21] what cannot be backed up is said in a sentence, and leaves nothing half written', () => {
  expect(() => backUp(join(folder, 'elsewhere'), file)).toThrow("there is no relay's database")
  writeFileSync(`${file}.new`, '')
  expect(() => backUp(dataDir, file)).toThrow('another backup is being written')
  rmSync(`${file}.new`)
  writeFileSync(join(dataDir, 'relay.db'), 'spoilt')
  expect(() => backUp(dataDir, file)).toThrow()
  expect(readdirSync(folder)).toEqual(['data'])
})

test('[BAK-22] a database that another process reads and writes is backed up as of one moment', () => {
  const relay = openDatabase(join(dataDir, 'relay.db'))
  relay.sql.exec("UPDATE meta SET value = '900' WHERE key = 'commits'")
  relay.sql.exec("BEGIN IMMEDIATE; UPDATE meta SET value = '901' WHERE key = 'commits'")
  backUp(dataDir, file)
  relay.sql.exec('COMMIT')
  const made = readDatabaseFile(file)
  expect(made.get("SELECT value FROM meta WHERE key = 'commits'")).toEqual({ value: '900' })
  made.close()
  relay.close()
})

test('[BAK-23] a backup holds no byte of what was erased before it', () => {
  const relay = openDatabase(join(dataDir, 'relay.db'))
  relay.sql.exec('CREATE TABLE t (text TEXT)')
  relay.sql.prepare('INSERT INTO t VALUES (?)').run('abracadabra '.repeat(1000))
  // Even where neither secure_delete nor a scrub was at work.
  relay.sql.exec('PRAGMA secure_delete=OFF; DELETE FROM t')
  backUp(dataDir, file)
  expect(readFileSync(file).includes('abracadabra')).toBe(false)
  relay.close()
})

test('[BAK-24] a backup goes into a directory without a database only, and the next start knows that it was restored', () => {
  backUp(dataDir, file)
  expect(() => restore(dataDir, file)).toThrow('only where no database is')
  const empty = join(folder, 'empty')
  mkdirSync(empty)
  writeFileSync(join(empty, 'incarnation'), 'of the lost database')
  writeFileSync(join(empty, 'redactions'), 'kept')
  expect(restore(empty, file)).toMatchObject({ communities: 2, messages: 103, hasSecrets: false })
  expect(
    readdirSync(empty)
      .filter((name) => name !== 'lock')
      .sort(),
  ).toEqual(['redactions', 'relay.db'])
  expect(statSync(join(empty, 'relay.db')).mode & 0o777).toBe(0o600)
  writeFileSync(join(folder, 'only.db-wal'), '')
  mkdirSync(join(folder, 'log only'))
  writeFileSync(join(folder, 'log only', 'relay.db-wal'), '')
  expect(() => restore(join(folder, 'log only'), file)).toThrow('relay.db-wal is there')
})

test('[BAK-25] what is no whole backup is not restored', async () => {
  const empty = join(folder, 'empty')
  expect(() => restore(empty, join(folder, 'nothing'))).toThrow('there is no')
  writeFileSync(file, 'a letter, and no database. '.repeat(100))
  expect(() => restore(empty, file)).toThrow('cannot be read as a database')
  rmSync(file)
  const other = new DatabaseSync(file)
  other.exec('CREATE TABLE t (x); PRAGMA user_version=2')
  other.close()
  expect(() => restore(empty, file)).toThrow("no relay's database")
  rmSync(file)
  backUp(dataDir, file)
  const whole = readFileSync(file)
  writeFileSync(file, whole.fill(7, 8192, 20_000))
  expect(() => restore(empty, file)).toThrow(/damaged|malformed/)
  rmSync(file)
  backUp(dataDir, file)
  const newer = new DatabaseSync(file)
  newer.exec(`PRAGMA user_version=${newestVersion + 1}`)
  newer.close()
  expect(() => restore(empty, file)).toThrow('take a newer relay')
  expect(() => openDatabase(file)).toThrow('take a newer relay')
  expect(readdirSync(empty).filter((name) => name !== 'lock')).toEqual([])
  await expect(runCommandLine(['restore', file], empty)).rejects.toThrow('newer')
})

test('[BAK-26] nothing is restored under a running relay', () => {
  backUp(dataDir, file)
  const empty = join(folder, 'empty')
  mkdirSync(empty)
  const unlock = lockData(join(empty, 'lock'))
  expect(() => restore(empty, file)).toThrow('another relay')
  unlock()
  restore(empty, file)
  expect(existsSync(join(empty, 'relay.db'))).toBe(true)
})

test('[BAK-27] a database copied by hand with its log beside it is restored with what is in the log', () => {
  const relay = openDatabase(join(dataDir, 'relay.db'))
  relay.sql.exec("UPDATE meta SET value = '900' WHERE key = 'commits'")
  copyFileSync(join(dataDir, 'relay.db'), file)
  copyFileSync(join(dataDir, 'relay.db-wal'), `${file}-wal`)
  relay.close()
  const empty = join(folder, 'empty')
  restore(empty, file)
  const made = readDatabaseFile(join(empty, 'relay.db'))
  expect(made.get("SELECT value FROM meta WHERE key = 'commits'")).toEqual({ value: '900' })
  made.close()
})

test('[BAK-28] while somebody reads, a scrub holds nobody up, and the text goes when he is done', () => {
  const relay = openDatabase(join(dataDir, 'relay.db'))
  relay.sql.exec("CREATE TABLE t (text TEXT); INSERT INTO t VALUES ('abracadabra')")
  const reader = readDatabaseFile(join(dataDir, 'relay.db'))
  relay.sql.exec('DELETE FROM t')
  relay.noteErased()
  const started = performance.now()
  expect(relay.scrub()).toBe(false)
  relay.sql.exec("INSERT INTO t VALUES ('the relay goes on')")
  // It waited five seconds for the reader, with the whole relay.
  expect(performance.now() - started).toBeLessThan(1_000)
  reader.close()
  expect(relay.scrub()).toBe(true)
  const files = readdirSync(dataDir).map((name) => readFileSync(join(dataDir, name)))
  expect(files.some((bytes) => bytes.includes('abracadabra'))).toBe(false)
  relay.close()
})

test('[BAK-29] an unknown command, or one without its file, is told what there is', async () => {
  for (const words of [['dance'], ['backup'], ['restore'], ['backup', file, 'more'], ['--help']])
    expect(await runCommandLine(words, dataDir)).toEqual({ lines: usage, code: 2 })
})
