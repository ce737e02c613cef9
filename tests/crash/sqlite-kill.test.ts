// A process that is killed amid commits to the real SQLite: what it had been answered is there, and no half of a turn.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Database, openDatabase } from '#relay/store/database.ts'
import { readMeta } from '#relay/store/relay-meta.ts'
import { createSqliteLogStore } from '#relay/store/sqlite-log-store.ts'
import { createPrng, type Prng } from '#shared/base/prng.ts'
import { elementsOfTape } from '#shared/log/tape.ts'
import { createTurns, type Turns } from './sqlite-turns.ts'

const writer = new URL('./sqlite-writer.ts', import.meta.url)

/** @returns the last turn that it was answered */
async function writeAndDie(path: string, seed: number, prng: Prng): Promise<number> {
  const child = spawn(process.execPath, [writer.pathname, path, String(seed)], { stdio: ['ignore', 'pipe', 'inherit'] })
  const gone = once(child, 'exit')
  let answered = 0
  let heard = 0
  let left = 5 + prng.below(40)
  let rest = ''
  child.stdout.on('data', (chunk) => {
    const lines = (rest + String(chunk)).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      answered = Number(line)
      heard++
    }
    left -= lines.length
    // Some turns later, at any moment of one.
    if (left <= 0) setTimeout(() => child.kill('SIGKILL'), prng.below(4))
  })
  await gone
  expect(heard, 'it was amid its turns').toBeGreaterThan(0)
  return answered
}

async function expectToHold(database: Database, { ledger, made }: Turns): Promise<void> {
  const store = createSqliteLogStore(database)
  const { channel } = ledger
  expect(database.sql.prepare('PRAGMA integrity_check').all()).toEqual([{ integrity_check: 'ok' }])
  expect(readMeta(database)).toMatchObject({ commits: made, clock: ledger.now })
  expect(await store.channels(channel.space)).toEqual([channel])
  for (const segment of ledger.segments.values()) {
    expect(await store.segment(segment.id)).toEqual(segment)
    const { tape } = await store.tape(segment.id, 0)
    expect(elementsOfTape(tape, 0)).toEqual(elementsOfTape(new Uint8Array(ledger.tapes.get(segment.id) ?? []), 0))
  }
  for (const record of ledger.records.values()) expect(await store.entry(channel.id, record.id)).toEqual(record)
  expect(database.sql.prepare('SELECT count(*) AS count FROM entry').get()?.count).toBe(ledger.records.size)
  expect(database.sql.prepare('SELECT count(*) AS count FROM segment').get()?.count).toBe(ledger.segments.size)
}

test.each([1, 2, 3])(
  '[CRASH-2] killed five times amid commits, the database holds whole turns, and all that was answered: seed %i',
  {
    timeout: 120_000,
  },
  async (seed) => {
    const folder = mkdtempSync(join(tmpdir(), 'dupecord-kill-'))
    const path = join(folder, 'relay.db')
    const prng = createPrng(seed)
    const turns = createTurns(seed)
    for (let life = 1; life <= 5; life++) {
      const answered = await writeAndDie(path, seed, prng)
      const database = openDatabase(path)
      const { commits } = readMeta(database)
      expect(commits).toBeGreaterThanOrEqual(answered)
      expect(commits).toBeGreaterThan(turns.made)
      while (turns.made < commits) await turns.next()
      await expectToHold(database, turns)
      database.close()
    }
    rmSync(folder, { recursive: true })
  },
)
