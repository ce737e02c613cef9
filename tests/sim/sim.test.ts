// Whole runs of relay, devices and liar under every kind of trouble: the seeds that once found something, and two hundred more.
import { expect, test } from 'vitest'
import { keptSeeds } from './kept-seeds.ts'
import { mutants } from './mutants.ts'
import { simulate } from './simulate.ts'

const seeds = 200
/** Several tests rather than one, so that a failure says early where. */
const perTest = 25
const timeoutMs = 300_000

async function failuresOf(list: readonly number[]): Promise<string[]> {
  const failures: string[] = []
  for (const seed of list) {
    try {
      await simulate(seed)
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

test('the same seed is the same run', { timeout: timeoutMs }, async () => {
  expect(await simulate(7)).toEqual(await simulate(7))
})

test('the oracles see a planted fault', { timeout: timeoutMs }, async () => {
  const mutant = mutants['no-rewrite']
  const seen: unknown[] = []
  for (let seed = 1; seed <= 10 && seen.length === 0; seed++) await simulate(seed, mutant).catch((error) => seen.push(error))
  expect(seen).toHaveLength(1)
})
