// How many entries a second the hub takes, in one process with nothing but the disk behind it: signatures checked, every turn committed FULL.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createPrng } from '#shared/base/prng.ts'
import { loadSodium } from '#shared/crypto/sodium.ts'
import { makeCommunity } from '../seed/seed-community.ts'
import { enterPerson } from '../seed/seed-person.ts'
import { openSeedRelay } from '../seed/seed-relay.ts'
import type { Figure } from './figures.ts'

const writers = 6
const entriesEach = 2_000
const alone = 500

export async function measureHub(): Promise<Figure[]> {
  const dataDir = mkdtempSync(join(tmpdir(), 'dupecord-'))
  const relay = await openSeedRelay(dataDir, Date.now(), true)
  try {
    const prng = createPrng(1)
    const sodium = await loadSodium()
    const enter = (i: number) =>
      enterPerson(relay, sodium, prng, {
        username: `writer${i}`,
        email: `writer${i}@bench.example`,
        password: 'Larch-umbrella-4071-quietly',
      })
    const first = await enter(0)
    const people = [first]
    for (let i = 1; i < writers; i++) people.push(await enter(i))
    const channel = (name: string) => ({ name, topic: '', kind: 'text' as const })
    const names = people.slice(1).map((_, i) => channel(`channel-${i + 1}`))
    const { space, channels } = await makeCommunity(relay, prng, [first, ...people.slice(1)], 'Bench', [
      channel('general'),
      ...names,
    ])

    const batches = people.flatMap((person, i) => {
      const channel = channels[i]
      if (!channel) return []
      const words = (nr: number) => ({
        op: 'post' as const,
        ref: 0 as const,
        body: { t: `message ${nr} of about twelve words, as people write them here` },
      })
      const entries = Array.from({ length: entriesEach }, (_, nr) => person.sign({ space, channel }, words(nr)).bytes)
      const single = Array.from({ length: i === 0 ? alone : 0 }, (_, nr) => person.sign({ space, channel }, words(nr)).bytes)
      return [{ person, channel, entries, single }]
    })

    const floodStart = performance.now()
    const answers = await Promise.all(batches.map(({ person, channel, entries }) => person.append(channel, entries)))
    const floodMs = performance.now() - floodStart
    const accepted = answers.flat().filter(({ kind }) => kind === 'accepted').length
    if (accepted !== writers * entriesEach) throw new Error(`the hub took ${accepted} of ${writers * entriesEach} entries`)

    const singleStart = performance.now()
    for (const { person, channel, single } of batches) for (const entry of single) await person.append(channel, [entry])
    const singleMs = performance.now() - singleStart
    for (const person of people) await person.leave()
    return [
      {
        name: 'hub: entries, many at once',
        value: accepted / (floodMs / 1000),
        unit: '/s',
        note: `${accepted} entries of ${writers} people in ${writers} channels, up to 512 a commit`,
      },
      { name: 'hub: one entry, alone', value: singleMs / alone, unit: 'ms', note: `mean of ${alone}, a commit each` },
    ]
  } finally {
    await relay.close()
    rmSync(dataDir, { recursive: true, force: true })
  }
}
