// `npm run bench`: prints what things cost. Nothing passes or fails here. --json FILE writes the figures too; --cold adds a cold start from
// a clean clone; --posts N takes a smaller demo community than 20,000.
// `npm run bench -- relay`: the relay under load, beside others (relay/relay-bench.ts). --quick is short; --only fan-out,rate,… takes some
// groups; --runs N instead of three; --profiles DIR keeps V8's profiles of the relay.
import { writeFileSync } from 'node:fs'
import { arch, cpus, platform } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { nodePassword } from '../fakes/node-device.ts'
import { startRelay } from '../fakes/relay-process.ts'
import { seedDemo } from '../seed/demo-community.ts'
import { demoChannels, people } from '../seed/demo-words.ts'
import { measureColdStart } from './cold-start.ts'
import { type Figure, tableOf } from './figures.ts'
import { measureFirstSync } from './first-sync.ts'
import { measureHub } from './hub-throughput.ts'
import { measureOfflineOpening } from './offline-opening.ts'
import { benchRelay } from './relay/relay-bench.ts'
import { measureScripts } from './script-bytes.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
/** Lively, and read to the end by the first person. */
const channelToOpen = 'seeds-and-swaps'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'string', default: '' },
    cold: { type: 'boolean', default: false },
    posts: { type: 'string', default: '20000' },
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    runs: { type: 'string', default: '' },
    profiles: { type: 'string', default: '' },
  },
})
const [what = 'app', ...rest] = positionals
if (rest.length > 0 || (what !== 'app' && what !== 'relay')) throw new Error(`there is no bench of ${positionals.join(' ')}`)
await (what === 'relay' ? measureRelay() : measureApp())

async function measureApp(): Promise<void> {
  const figures: Figure[] = [...measureScripts(`${root}build`)]
  if (values.cold) figures.push(...(await measureColdStart(root)))
  else console.log('cold start: left out (npm run bench -- --cold)')
  figures.push(...(await measureHub()), ...(await measureSeeded(Number(values.posts))))

  console.log(tableOf(figures))
  console.log(`on ${cpus().length} × ${cpus()[0]?.model ?? ''}, ${platform()}-${arch()}, Node ${process.versions.node}`)
  if (values.json !== '') writeFileSync(values.json, `${JSON.stringify({ figures }, null, 2)}\n`)
}

async function measureRelay(): Promise<void> {
  const { quick, json, profiles } = values
  const only = values.only.split(',').filter((name) => name !== '')
  await benchRelay({ quick, only, runs: Number(values.runs) || (quick ? 1 : 3), json, profiles })
}

async function measureSeeded(posts: number): Promise<Figure[]> {
  const relay = await startRelay()
  try {
    await relay.stop()
    const start = performance.now()
    const { space, channels } = await seedDemo(relay.dataDir, { password: nodePassword, posts, seed: 1, now: Date.now() })
    const seconds = (performance.now() - start) / 1000
    await relay.start()
    const channel = channels[demoChannels.findIndex(({ name }) => name === channelToOpen)]
    const { username } = people[0]
    return [
      { name: 'seed', value: seconds, unit: 's', note: `${posts} posts over a year, one decision and one commit each` },
      ...(await measureFirstSync(relay.url, username)),
      ...(await measureOfflineOpening(relay, { username, password: nodePassword, path: `/c/${space}/${channel}` })),
    ]
  } finally {
    await relay.remove()
  }
}
