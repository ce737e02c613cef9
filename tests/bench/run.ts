// `npm run bench`: prints what things cost. Nothing passes or fails here. --json FILE writes the figures too; --cold adds a cold start from
// a clean clone; --posts N takes a smaller demo community than 20,000.
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
import { measureScripts } from './script-bytes.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
/** Lively, and read to the end by the first person. */
const channelToOpen = 'seeds-and-swaps'

const { values } = parseArgs({
  options: {
    json: { type: 'string', default: '' },
    cold: { type: 'boolean', default: false },
    posts: { type: 'string', default: '20000' },
  },
})
const figures: Figure[] = [...measureScripts(`${root}build`)]
if (values.cold) figures.push(...(await measureColdStart(root)))
else console.log('cold start: left out (npm run bench -- --cold)')
figures.push(...(await measureHub()), ...(await measureSeeded(Number(values.posts))))

console.log(tableOf(figures))
console.log(`on ${cpus().length} × ${cpus()[0]?.model ?? ''}, ${platform()}-${arch()}, Node ${process.versions.node}`)
if (values.json !== '') writeFileSync(values.json, `${JSON.stringify({ figures }, null, 2)}\n`)

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
