// The database's log is carried over beside the loop: it begins anew instead of growing, and nothing of it is missing.
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { startCarryOver } from '#relay/store/carry-over.ts'
import { openDatabase } from '#relay/store/database.ts'

test('[DISK-1] a long log is carried over by the thread, and what is written next begins it anew', {
  timeout: 60_000,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'dupecord-log-'))
  const path = join(folder, 'relay.db')
  const database = openDatabase(path)
  database.sql.exec('CREATE TABLE pile (nr INTEGER PRIMARY KEY, bytes BLOB) STRICT')
  const failures: unknown[] = []
  const carryOver = startCarryOver(path, database, (error) => failures.push(error))
  const put = database.sql.prepare('INSERT INTO pile (bytes) VALUES (?)')
  let rows = 0
  const write = async (count: number) => {
    rows += count
    await database.commit(() => {
      for (let i = 0; i < count; i++) put.run(new Uint8Array(4_000))
    })
  }

  await write(2_000)
  expect(database.pagesToCarryOver()).toBeGreaterThan(1_000)
  await vi.waitUntil(() => database.pagesToCarryOver() === 0, { timeout: 30_000 })
  const length = statSync(`${path}-wal`).size
  await write(500)
  expect(database.pagesToCarryOver()).toBeLessThan(1_000)
  expect(statSync(`${path}-wal`).size).toBe(length)

  await carryOver.close()
  database.close()
  const again = openDatabase(path)
  expect(again.sql.prepare('SELECT count(*) AS n, sum(length(bytes)) AS bytes FROM pile').get()).toEqual({
    n: rows,
    bytes: rows * 4_000,
  })
  again.close()
  rmSync(folder, { recursive: true })
  expect(failures).toEqual([])
})
