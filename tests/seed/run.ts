// `npm run seed`: fills an empty DATA_DIR with the demo community; with `--sample` with the first data model's two users and one message.
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { seedDemo } from './demo-community.ts'
import { demoCommunity } from './demo-words.ts'
import { samplePeople, seedSample } from './sample-community.ts'

const password = 'harbour-kettle-borage-31'

try {
  await seed()
} catch (error) {
  console.error(`nothing is seeded: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
}

async function seed(): Promise<void> {
  const { values } = parseArgs({
    options: {
      sample: { type: 'boolean', default: false },
      posts: { type: 'string', default: '20000' },
      seed: { type: 'string', default: '1' },
    },
  })
  const given = process.env.DATA_DIR?.trim() ?? ''
  const dataDir = resolve(given || './data')
  const start = performance.now()
  if (values.sample) {
    await seedSample(dataDir, password, Date.now())
    console.log('Sample Server: channels general and voice, one message')
    tell(samplePeople)
  } else {
    const made = await seedDemo(dataDir, {
      password,
      posts: wholeNumber('posts', values.posts),
      seed: wholeNumber('seed', values.seed),
      now: Date.now(),
      onprogress: (written, of) => say(`\r${written} of ${of} entries`),
    })
    say('\r')
    const { people, channels, posts, reactions, edits } = made
    console.log(
      `${demoCommunity}: ${people.length} people, ${channels.length} channels, ${posts} posts over a year, ${reactions} reactions, ${edits} edits`,
    )
    tell(people)
  }

  function tell(people: readonly string[]): void {
    console.log(`in ${dataDir}, ${((performance.now() - start) / 1000).toFixed(1)} s`)
    console.log(`start it:  ${given === '' ? '' : `DATA_DIR=${given} `}npm start`)
    console.log(`sign in:   ${people.join(', ')}`)
    console.log(`password:  ${password}`)
  }
}

/** Only to somebody who waits before a screen. */
function say(progress: string): void {
  if (process.stderr.isTTY) process.stderr.write(progress)
}

function wholeNumber(name: string, raw: string): number {
  if (!/^\d{1,9}$/.test(raw) || Number(raw) < 1) throw new Error(`--${name} is a whole number from 1`)
  return Number(raw)
}
