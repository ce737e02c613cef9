// SQLite at its bound: what fails is rolled back, what stands stays, and all goes on when there is room.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openDatabase } from '#relay/store/database.ts'
import { createDatabaseFigures } from '#relay/store/database-figures.ts'
import { isStoreFull } from '#relay/store/store-full.ts'

test('[ROOM-12] a transaction that finds no room leaves nothing behind, says so, and the next one may go through', () => {
  const folder = mkdtempSync(join(tmpdir(), 'dupecord-full-'))
  const path = join(folder, 'relay.db')
  const database = openDatabase(path)
  const { sql } = database
  sql.exec('CREATE TABLE words (nr INTEGER PRIMARY KEY, text BLOB)')
  const figures = createDatabaseFigures(database, path)
  const used = figures.usedBytes()
  sql.exec('PRAGMA max_page_count=200')
  const write = () =>
    database.transaction(() => {
      for (let i = 0; i < 3; i++) sql.prepare('INSERT INTO words (text) VALUES (?)').run(new Uint8Array(30_000))
    })
  const count = () => Number(sql.prepare('SELECT count(*) AS n FROM words').get()?.n)
  let failure: unknown
  let written = 0
  while (failure === undefined && written < 100) {
    try {
      write()
      written++
    } catch (error) {
      failure = error
    }
  }
  expect([isStoreFull(failure), sql.isTransaction, count()]).toEqual([true, false, 3 * written])
  expect(figures.usedBytes()).toBeGreaterThan(used)
  const atMost = figures.usedBytes()
  database.transaction(() => sql.exec('DELETE FROM words WHERE nr <= 6'))
  // Deleted pages count as room, though the file is as large as before.
  expect(figures.usedBytes()).toBeLessThan(atMost - 100_000)
  write()
  expect(sql.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' })
  database.close()
  rmSync(folder, { recursive: true })
})
