// Runs a round of cases, or a stretch of parser cases. All of it follows from the seed, but for the ids that the relay draws for itself.
import { toBase64Url, utf8 } from '#shared/base/bytes.ts'
import { makeTimeId } from '#shared/base/ids.ts'
import { createPrng, type Prng } from '#shared/base/prng.ts'
import { entrySignedBytes } from '#shared/crypto/signed-bytes.ts'
import { deliver } from './deliver.ts'
import { sealPlain } from './draw-frames.ts'
import { checkEnd } from './end-checks.ts'
import { httpCase } from './http-cases.ts'
import { appendCase, commandCase, crowdCase, privateCase, questionCase, strangerCase } from './link-cases.ts'
import type { Mutant } from './mutants.ts'
import { postCase, readerCase } from './outside-cases.ts'
import { parsers, runParserCase } from './parser-cases.ts'
import { asId, openRound, type Round, restorePlaces } from './round.ts'
import type { Tally } from './tally.ts'

export interface FuzzFailure {
  seed: number
  /** -1: not one of the cases but the checks behind them. */
  number: number
  command: string
  message: string
  sent: readonly string[]
}

/** Cases of one round of the hub: enough for segments to fill and for people to come and go. */
export const roundCases = 400
export const parserCases = 20_000

const kinds: readonly (readonly [weight: number, run: (round: Round, random: Prng) => Promise<void>])[] = [
  [40, appendCase],
  [8, crowdCase],
  [18, commandCase],
  [10, questionCase],
  [8, privateCase],
  [6, strangerCase],
  [10, httpCase],
  [5, postCase],
  [5, readerCase],
]

/** @param until the last case to run; the checks at the end come behind it all the same */
export async function runRound(
  seed: number,
  tally: Tally,
  mutant: Mutant | undefined,
  until = roundCases - 1,
): Promise<FuzzFailure | undefined> {
  const random = createPrng(seed)
  let number = -1
  let round: Round | undefined
  try {
    round = await openRound(seed, random, tally, mutant?.planted)
    for (number = 0; number <= until; number++) {
      const draw = createPrng(Math.imul(seed, 0x9e3779b1) ^ Math.imul(number + 1, 0xc2b2ae35))
      round.sent = []
      round.world.clock.time += 1_000
      if (number % 40 === 0) await restorePlaces(round, draw)
      await pickKind(draw)(round, draw)
      if (number % 8 === 7) await honestPost(round, draw)
    }
    number = -1
    round.sent = []
    await checkEnd(round)
    return undefined
  } catch (error) {
    const command = number < 0 ? `npm run fuzz -- --seed ${seed}` : `npm run fuzz -- --seed ${seed} --case ${number}`
    return {
      seed,
      number,
      command,
      message: error instanceof Error ? (error.stack ?? error.message) : String(error),
      sent: round?.sent ?? [],
    }
  } finally {
    await round?.world.close()
  }
}

/** The cases of the parsers with this seed. @param only one of them */
export function runParsers(
  seed: number,
  tally: Tally,
  mutant: Mutant | undefined,
  count = parserCases,
  only?: number,
): FuzzFailure | undefined {
  for (let number = only ?? 0; number < (only === undefined ? count : only + 1); number++) {
    try {
      runParserCase(mutant?.parsers ?? parsers, seed, number, tally)
    } catch (error) {
      const message = error instanceof Error ? (error.stack ?? error.message) : String(error)
      return { seed, number, command: `npm run fuzz -- --parsers --seed ${seed} --case ${number}`, message, sent: [] }
    }
  }
  return undefined
}

function pickKind(random: Prng): (round: Round, random: Prng) => Promise<void> {
  let left = random.below(kinds.reduce((sum, [weight]) => sum + weight, 0))
  for (const [weight, run] of kinds) {
    if (left < weight) return run
    left -= weight
  }
  return appendCase
}

/** Whatever went before: an honest message is accepted. */
async function honestPost(round: Round, random: Prng): Promise<void> {
  const { people, places, world, channels } = round
  const { account, dev, device } = people.honest
  // A command before it may have moved the relay's time a little ahead.
  world.clock.time += 10
  const seqBefore = channels.get(places.general)?.seq ?? 0
  const text = JSON.stringify([
    makeTimeId(world.clock.time, random.bytes(16)),
    account,
    dev,
    world.clock.time,
    'post',
    0,
    0,
    { t: `honest ${seqBefore}` },
  ])
  const sig = toBase64Url(device.sign(entrySignedBytes(asId(places.home), asId(places.general), utf8(text))))
  await deliver(round, 'honest', 'honest', sealPlain(places.general, [utf8(sig + text)], ++round.nr), [[]])
  if (channels.get(places.general)?.seq !== seqBefore + 1) throw new Error('an honest message is not accepted')
}
