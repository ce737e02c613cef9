// npm run kill -- [--times N] [--messages M] [--seed S]
// Kills a relay with SIGKILL amid a stream of messages, N times, and prints a line for each.
import { parseArgs } from 'node:util'
import { runPowerCuts } from './power-cuts.ts'

const { values } = parseArgs({
  options: {
    times: { type: 'string', default: '10' },
    messages: { type: 'string', default: '2000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
})
const [times, messages, seed] = [Number(values.times), Number(values.messages), Number(values.seed)]

console.log(`${times} times kill -9 amid ${messages} messages of 5 devices; npm run kill -- --seed ${seed}`)
console.log('round | accepted before | in flight | together again after | killed at')
await runPowerCuts({
  times,
  messages,
  seed,
  report: ({ nr, moment, acceptedBefore, inFlight, togetherSeconds }) => {
    const columns = [nr, acceptedBefore, inFlight, `${togetherSeconds.toFixed(2)} s`, moment]
    console.log(columns.map(String).join(' | '))
  },
})
console.log(`nothing lost, nothing doubled, one order on every device, nothing wrong in the files: ${times * messages} messages`)
