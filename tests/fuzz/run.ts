// `npm run fuzz`: rounds of the hub and stretches of the parsers by turns, an hour long or as long as is asked. Every seed is another run of cases.
//   --minutes N   how long (60)              --seed S      begin there, or with --case: that one
//   --case K      only up to this case       --parsers     of the parsers' cases
//   --mutant M    with a planted fault, until it is seen; `all` for each
import { parseArgs } from 'node:util'
import { mutants } from './mutants.ts'
import { type FuzzFailure, runParsers, runRound } from './run-round.ts'
import { createTally, type Tally } from './tally.ts'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    seed: { type: 'string' },
    case: { type: 'string' },
    parsers: { type: 'boolean', default: false },
    mutant: { type: 'string' },
  },
})
const first = Number(values.seed ?? Date.now() % 1e9)
const tally = createTally()
// Nothing that nobody waits for may fail either.
process.on('unhandledRejection', (error) =>
  tell({ seed: first, number: -1, command: `npm run fuzz -- --seed ${first}`, message: String(error), sent: [] }),
)

// What keeps a relay's process alive is its port, and there is none here: its threads alone do not.
const alive = setInterval(() => {}, 60_000)

if (values.mutant !== undefined) await runMutants(values.mutant === 'all' ? Object.keys(mutants) : [values.mutant])
else if (values.case !== undefined) await replay(first, Number(values.case))
else await runFor(Number(values.minutes) * 60_000)
clearInterval(alive)

async function runFor(ms: number): Promise<void> {
  const start = performance.now()
  let seed = first
  let failures = 0
  let toldAt = start
  for (; performance.now() - start < ms && failures < 20; seed++)
    for (const failure of [await runRound(seed, tally, undefined), runParsers(seed, tally, undefined)]) {
      if (failure) failures++
      if (failure) tell(failure)
      if (performance.now() - toldAt < 60_000) continue
      toldAt = performance.now()
      console.log(summary(tally, start, seed, failures))
    }
  console.log(tally.table())
  console.log(
    `let through although changed: ${[...tally.through]
      .sort((a, b) => b[1] - a[1])
      .map(([how, count]) => `${how} ${count}`)
      .join(', ')}`,
  )
  console.log(summary(tally, start, seed - 1, failures))
  if (failures > 0) process.exitCode = 1
}

function summary({ cases }: Tally, start: number, last: number, failures: number): string {
  const seconds = (performance.now() - start) / 1000
  return `${cases} cases in ${seconds.toFixed(0)} s, ${(cases / seconds).toFixed(0)} a second, seeds ${first} to ${last}, ${failures} failed`
}

/** The world as it was at that case, and the case itself in full. */
async function replay(seed: number, number: number): Promise<void> {
  const failure = values.parsers ? runParsers(seed, tally, undefined, 0, number) : await runRound(seed, tally, undefined, number)
  if (failure) tell(failure)
  else console.log(`seed ${seed} is good up to case ${number}`)
}

async function runMutants(names: readonly string[]): Promise<void> {
  for (const name of names) {
    const mutant = mutants[name]
    if (!mutant) throw new Error(`there is no mutant ${name}; there are ${Object.keys(mutants).join(', ')}`)
    const before = tally.cases
    let seen: FuzzFailure | undefined
    for (let seed = first; seed < first + 20 && !seen; seed++)
      seen = mutant.parsers ? runParsers(seed, tally, mutant) : await runRound(seed, tally, mutant)
    console.log(
      `mutant ${name} (${mutant.says}): ${seen ? `seen after ${tally.cases - before} cases: ${seen.message.split('\n')[0]?.slice(0, 160)}` : 'NOT SEEN'}`,
    )
    if (!seen) process.exitCode = 1
  }
}

function tell({ seed, number, command, message, sent }: FuzzFailure): void {
  console.error(`seed ${seed}, case ${number} fails: ${command}`)
  console.error(message)
  for (const one of sent) console.error(`  sent: ${one.slice(0, 4_000)}`)
  process.exitCode = 1
}
