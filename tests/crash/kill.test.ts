// A relay that is killed in the middle of a stream: what any device saw accepted is there, and the rest arrives in the end, once.
// `npm run kill` does the same ten times with 2,000 messages.
import { expect, test } from 'vitest'
import { type Round, runPowerCuts } from './power-cuts.ts'

test('[CRASH-1] kill -9 amid three rounds of 300 messages from five devices loses nothing and doubles nothing', {
  timeout: 300_000,
}, async () => {
  const rounds: Round[] = []
  await runPowerCuts({ times: 3, messages: 300, seed: 1, report: (round) => rounds.push(round) })
  expect(rounds).toHaveLength(3)
  for (const { acceptedBefore } of rounds) expect(acceptedBefore).toBeGreaterThan(0)
})
