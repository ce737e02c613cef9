// Whole runs of relay, devices and liar under every kind of trouble: the seeds that once found something, two hundred more, some on the real SQLite;
// and runs with planted faults, each of which must be found.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { RunFailed } from './faults.ts'
import { keptSeeds } from './kept-seeds.ts'
import { type Mutant, mutants } from './mutants.ts'
import { simulate } from './simulate.ts'
import { createSqliteFile } from './sqlite-stores.ts'

const seeds = 200
/** Several tests rather than one, so that a failure says early where. */
const perTest = 25
const sqliteSeeds = 12
const timeoutMs = 300_000

async function failuresOf(list: readonly number[], run: (seed: number) => Promise<unknown> = simulate): Promise<string[]> {
  const failures: string[] = []
  for (const seed of list) {
    try {
      await run(seed)
    } catch (error) {
      failures.push(`npm run sim -- --seed ${seed}: ${error instanceof Error ? error.message : error}`)
    }
  }
  return failures
}

test('seeds that once failed', { timeout: timeoutMs }, async () => {
  expect(await failuresOf(keptSeeds.map(([seed]) => seed))).toEqual([])
})

for (let from = 1; from <= seeds; from += perTest) {
  test(`everything comes together again, seeds ${from} to ${from + perTest - 1}`, { timeout: timeoutMs }, async () => {
    expect(await failuresOf(Array.from({ length: perTest }, (_, i) => from + i))).toEqual([])
  })
}

test('[SIM-3] the same on the real SQLite, which answers as its model does', { timeout: timeoutMs }, async () => {
  const list = Array.from({ length: sqliteSeeds }, (_, i) => seeds + i + 1)
  const onSqlite = async (seed: number) => {
    const folder = mkdtempSync(join(tmpdir(), 'dupecord-sim-'))
    const sqlite = createSqliteFile(folder)
    try {
      await simulate(seed, { sqlite })
    } finally {
      sqlite.database?.close()
      rmSync(folder, { recursive: true })
    }
  }
  expect(await failuresOf(list, onSqlite)).toEqual([])
})

test('the same seed is the same run', { timeout: timeoutMs }, async () => {
  expect(await simulate(7)).toEqual(await simulate(7))
})

/** Where to begin to look: most are found in the first runs. */
const findsAt: Record<string, number> = { 'no-put-back': 54, 'mark-ignored': 15, 'redacted-returns': 4, 'clock-goes-back': 4 }
const triesMax = 60

describe('[SIM-4] the oracles see', () => {
  test.each(Object.entries(mutants))('that %s', { timeout: timeoutMs }, async (name, mutant: Mutant) => {
    const from = findsAt[name] ?? 1
    let found: unknown
    for (let seed = from; seed < from + triesMax && !found; seed++)
      await simulate(seed, { mutant }).catch((error) => {
        found = error
      })
    expect(found).toBeDefined()
    // A line that nobody gives up breaks no promise; everything else does.
    if (found instanceof RunFailed) expect(found.broken).toContain(name === 'half-open-for-ever' ? 'liveness' : 'safety')
  })
})
