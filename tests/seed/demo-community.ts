// The demo community: six people, twelve channels and a year of talk, written through a relay whose clock is set to each moment in turn.
// Everything follows from `seed`, but for keys, what the relay draws by lot, and the end of the year.
import type { ChannelId, EntryId } from '#shared/base/ids.ts'
import { createPrng, type Prng } from '#shared/base/prng.ts'
import { loadSodium } from '#shared/crypto/sodium.ts'
import { type DemoOp, demoYear } from './demo-messages.ts'
import { demoChannels, demoCommunity, people } from './demo-words.ts'
import { type MadeCommunity, makeCommunity, type WantedChannel } from './seed-community.ts'
import { enterPerson, type SeedPerson, type Words } from './seed-person.ts'
import { openSeedRelay } from './seed-relay.ts'

export interface DemoSettings {
  password: string
  posts: number
  seed: number
  /** The end of the year, ms. */
  now: number
  onprogress?: (written: number, of: number) => void
}

export interface DemoMade extends MadeCommunity {
  people: string[]
  posts: number
  reactions: number
  edits: number
}

interface Post {
  id: EntryId
  seq: number
  by: number
  /** Of the version that is shown: the next edit is later. */
  at: number
}

const dayMs = 86_400_000
const yearMs = 365 * dayMs
/** The way from a device to the relay. */
const travelMs = 60
/** Channels that the first person has not read to the end: how many posts are new to him. */
const unreadOfFirst: ReadonlyMap<string, number> = new Map([
  ['general', 4],
  ['weather-watch', 1],
  ['harvest', 17],
  ['bees', 2],
  ['kitchen-table', 140],
])

export async function seedDemo(dataDir: string, { password, posts, seed, now, onprogress }: DemoSettings): Promise<DemoMade> {
  const prng = createPrng(seed)
  const begin = now - yearMs
  const relay = await openSeedRelay(dataDir, begin - dayMs)
  try {
    const { clock } = relay
    const sodium = await loadSodium()
    const [first, ...rest] = await inOrder(people, ({ username }) => {
      clock.time += 600_000
      return enterPerson(relay, sodium, prng, { username, email: `${username}@harbour.example`, password })
    })
    const [general, ...others] = demoChannels.map(({ name, topic }): WantedChannel => ({ name, topic, kind: 'text' }))
    if (!first || !general) throw new Error('there are people and channels')
    const all: [SeedPerson, ...SeedPerson[]] = [first, ...rest]
    const made = await makeCommunity(relay, prng, all, demoCommunity, [general, ...others])

    const ops = demoYear(prng, posts, begin, now)
    const history = made.channels.map((): Post[] => [])
    const counts = { post: 0, react: 0, edit: 0 }
    for (const [i, op] of ops.entries()) {
      await write(op)
      if (i % 500 === 499) onprogress?.(i + 1, ops.length)
    }
    clock.time = Math.max(clock.time, now)
    for (const person of all) await read(person, person === first)
    for (const person of all) await person.leave()
    return {
      ...made,
      people: all.map(({ username }) => username),
      posts: counts.post,
      reactions: counts.react,
      edits: counts.edit,
    }

    async function write(op: DemoOp): Promise<void> {
      const channel = made.channels[op.channel]
      const told = history[op.channel]
      if (!channel || !told) throw new Error('an op names one of the channels')
      const target = op.kind === 'post' ? undefined : told.at(-1 - op.back)
      if (op.kind !== 'post' && !target) return
      clock.time = Math.max(clock.time + 1, op.at, (target?.at ?? 0) + 1)
      const by = op.kind === 'edit' ? (target?.by ?? 0) : op.person
      const person = all[by]
      if (!person) throw new Error('an op names one of the people')
      const entry = person.sign({ space: made.space, channel }, wordsOf(op, target))
      const at = clock.time
      clock.time += travelMs
      const [verdict] = await person.append(channel, [entry.bytes])
      if (verdict?.kind !== 'accepted') throw new Error(`the relay does not take an entry: ${JSON.stringify(verdict)}`)
      counts[op.kind]++
      if (op.kind === 'post') told.push({ id: entry.id, seq: verdict.seq, by, at })
      else if (op.kind === 'edit' && target) target.at = at
    }

    async function read(person: SeedPerson, isFirst: boolean): Promise<void> {
      for (const [i, channel] of made.channels.entries()) {
        const unread = isFirst ? (unreadOfFirst.get(demoChannels[i]?.name ?? '') ?? 0) : unreadOfOther(prng)
        await readTo(person, channel, history[i] ?? [], unread)
      }
    }
  } finally {
    await relay.close()
  }
}

function wordsOf(op: DemoOp, target: Post | undefined): Words {
  if (op.kind === 'react') return { op: 'react', ref: target?.id ?? 0, body: op.emoji }
  return op.kind === 'edit'
    ? { op: 'edit', ref: target?.id ?? 0, body: { t: op.text } }
    : { op: 'post', ref: 0, body: { t: op.text } }
}

/** Most have read most. */
function unreadOfOther(prng: Prng): number {
  return prng.chance(0.6) ? 0 : prng.below(60)
}

async function readTo(person: SeedPerson, channel: ChannelId, posts: readonly Post[], unread: number): Promise<void> {
  const last = posts.at(-1 - unread)
  if (last) await person.markRead(channel, last.seq)
}

async function inOrder<From, To>(list: readonly From[], work: (one: From) => Promise<To>): Promise<To[]> {
  const done: To[] = []
  for (const one of list) done.push(await work(one))
  return done
}
