// A fault at every place: each call of a disk that a story makes fails once, done or not, finds the disk full,
// or is the last that the process makes. And, on the real SQLite, each statement of a transaction fails once, its commit included.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Mishap } from './process.ts'
import { runStory, type Struck } from './scripted.ts'
import { createSqliteFile } from './sqlite-stores.ts'

/** That a process dies before a call is that it dies after the one before. */
const ways = ['dies-after', 'fails-before', 'fails-after', 'fills'] as const satisfies Mishap['how'][]
const timeoutMs = 300_000

async function failures(struck: Struck, how: Mishap['how']): Promise<string[]> {
  const list: string[] = []
  const { calls } = await runStory({ struck })
  expect(calls).toBeGreaterThan(10)
  for (let nr = 1; nr <= calls; nr++)
    await runStory({ struck, mishap: { calls: nr, how } }).catch((error) => list.push(`call ${nr} of ${calls} ${how}: ${error}`))
  return list
}

describe.each(['relay', 'owner', 'member'] as const)('[SIM-1] at every call of the disk of the %s', (struck) => {
  test.each(ways)('%s, and everything comes together', { timeout: timeoutMs }, async (how) => {
    expect(await failures(struck, how)).toEqual([])
  })
})

async function onSqlite(statement: number): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'dupecord-statement-'))
  const sqlite = createSqliteFile(folder)
  try {
    return (await runStory({ struck: 'relay', sqlite, statement })).statements
  } finally {
    sqlite.database?.close()
    rmSync(folder, { recursive: true })
  }
}

test('[SIM-2] a transaction of SQLite whose n-th statement fails leaves nothing, for every n', {
  timeout: timeoutMs,
}, async () => {
  const list: string[] = []
  const statements = await onSqlite(0)
  expect(statements).toBeGreaterThan(50)
  for (let nr = 1; nr <= statements; nr++)
    await onSqlite(nr).catch((error) => list.push(`statement ${nr} of ${statements}: ${error}`))
  expect(list).toEqual([])
})
