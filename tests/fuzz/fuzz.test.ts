// Half a minute of fuzzing: a fixed number of cases from fixed seeds, the seeds that once failed, and faults that it must see. An hour: npm run fuzz.
import { expect, test } from 'vitest'
import { keptSeeds } from './kept-seeds.ts'
import { mutants } from './mutants.ts'
import { type FuzzFailure, runParsers, runRound } from './run-round.ts'
import { createTally } from './tally.ts'

const rounds = 20
const parserCases = 100_000
const timeoutMs = 300_000

const told = (failure: FuzzFailure | undefined) => failure && `${failure.command}\n${failure.message}\n${failure.sent.join('\n')}`

test('[FUZZ-1, FUZZ-2] parsers say of nearly right bytes what the rules say, and never throw', { timeout: timeoutMs }, () => {
  const tally = createTally()
  expect(told(runParsers(1, tally, undefined, parserCases))).toBeUndefined()
  // Nearly right ones do reach what lies behind the first checks.
  for (const outcome of ['ok', 'shape', 'op', 'ext', 'size']) expect(tally.has('parse entry nearly', outcome), outcome).toBe(true)
  for (const outcome of ['ok', 'shape', 'act', 'size']) expect(tally.has('parse command nearly', outcome), outcome).toBe(true)
  for (const kind of ['read update', 'read element']) expect(tally.has(`${kind} nearly`, 'ok'), kind).toBe(true)
})

test('[FUZZ-1 to FUZZ-4] a relay among hostile people says and keeps what the rules say', { timeout: timeoutMs }, async () => {
  const tally = createTally()
  for (let seed = 1; seed <= rounds; seed++) expect(told(await runRound(seed, tally, undefined))).toBeUndefined()
  const verdicts = [
    'accepted',
    'known',
    'shape',
    'session',
    'signature',
    'duplicate',
    'clock',
    'ext',
    'op',
    'forbidden',
    'notmember',
    'target',
    'notarget',
  ]
  for (const verdict of [...verdicts, 'nochannel', 'size', 'wait']) expect(tally.has('entry', verdict), verdict).toBe(true)
  for (const outcome of ['accepted', '404 nochannel', '403 device']) expect(tally.has('post', outcome), outcome).toBe(true)
  for (const outcome of ['ok', 'closed 4400', 'closed 4403']) expect(tally.has('reader', outcome), outcome).toBe(true)
  const answers = [
    'done',
    'known',
    'unreadable',
    'shape',
    'act',
    'session',
    'signature',
    'notmember',
    'forbidden',
    'stale',
    'taken',
    'name',
    'topic',
    'invite',
    'owner',
  ]
  for (const answer of answers) expect(tally.has('command', answer), answer).toBe(true)
  for (const status of ['200', '201', '400', '401', '403', '404', '409', '415'])
    expect(tally.has('http', status), status).toBe(true)
})

test('seeds that once failed', { timeout: timeoutMs }, async () => {
  for (const [seed] of keptSeeds) {
    expect(told(await runRound(seed, createTally(), undefined))).toBeUndefined()
    expect(told(runParsers(seed, createTally(), undefined, 2_000))).toBeUndefined()
  }
})

test.each(Object.entries(mutants))('[FUZZ-5] it is seen where %s', { timeout: timeoutMs }, async (_, mutant) => {
  let seen: FuzzFailure | undefined
  for (let seed = 1; seed <= 20 && !seen; seed++)
    seen = mutant.parsers ? runParsers(seed, createTally(), mutant, 5_000) : await runRound(seed, createTally(), mutant)
  expect(seen?.message).toBeDefined()
})

test('[FUZZ-6] a seed is always the same cases', { timeout: timeoutMs }, () => {
  const tables = [7, 7, 8].map((seed) => {
    const tally = createTally()
    runParsers(seed, tally, undefined, 1_000)
    return tally.table()
  })
  expect(tables[0]).toBe(tables[1])
  expect(tables[0]).not.toBe(tables[2])
})
