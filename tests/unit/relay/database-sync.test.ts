// The syncs of commits that overlap.
import { fdatasync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openDatabase } from '#relay/store/database.ts'

test('[DISK-2] commits that overlap wait by descriptors of their own: of two syncs on one, only one hears that the disk failed', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'dupecord-sync-'))
  const now: number[] = []
  const underWay: number[][] = []
  const database = openDatabase(join(folder, 'relay.db'), (file, done) => {
    now.push(file)
    underWay.push([...now])
    fdatasync(file, (error) => {
      now.splice(now.indexOf(file), 1)
      done(error)
    })
  })
  database.sql.exec('CREATE TABLE pile (nr INTEGER PRIMARY KEY) STRICT')
  const put = database.sql.prepare('INSERT INTO pile DEFAULT VALUES')
  for (let i = 0; i < 3; i++) await Promise.all([1, 2, 3].map(() => database.commit(() => void put.run())))
  expect(Math.max(...underWay.map((files) => files.length))).toBe(3)
  for (const files of underWay) expect(new Set(files).size).toBe(files.length)
  // And no more of them than are needed at once.
  expect(new Set(underWay.flat()).size).toBe(3)
  database.close()
  rmSync(folder, { recursive: true })
})
