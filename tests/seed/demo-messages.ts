// The demo community's year, as a list of ops in time order: who writes what, where and when. Pure and seeded.
import type { Prng } from '#shared/base/prng.ts'
import { asides, demoChannels, emoji, people, replies } from './demo-words.ts'

export type DemoOp =
  | { kind: 'post'; at: number; person: number; channel: number; text: string }
  /** `back`: how many posts of that channel ago its target was written. */
  | { kind: 'react'; at: number; person: number; channel: number; back: number; emoji: string }
  | { kind: 'edit'; at: number; channel: number; back: number; text: string }

const dayMs = 86_400_000

/** `posts` posts between `from` and `until` (ms), by day, in bursts that answer each other; and reactions and edits on top. */
export function demoYear(prng: Prng, posts: number, from: number, until: number): DemoOp[] {
  const ops: DemoOp[] = []
  const gapMs = (until - from) / posts
  for (let written = 0; written < posts; ) {
    const channel = weighted(prng, demoChannels)
    const burst = Math.min(1 + prng.below(9), posts - written)
    let at = daytime(from + written * gapMs, until, prng)
    let person = weighted(prng, people)
    for (let left = burst; left > 0; left--) {
      // Now and then somebody goes on himself; mostly it is another's turn.
      if (prng.chance(0.75)) person = weighted(prng, people)
      const isOpener = left === burst || prng.chance(0.3)
      ops.push({ kind: 'post', at, person, channel, text: isOpener ? opener(prng, channel) : prng.pick(replies) })
      if (prng.chance(0.16)) ops.push({ kind: 'react', at: at + 9_000, ...reaction(prng), channel })
      if (prng.chance(0.03))
        ops.push({ kind: 'edit', at: at + 8_000, channel, back: 0, text: `${opener(prng, channel)} (spelling)` })
      at += 10_000 + prng.below(150_000)
    }
    written += burst
  }
  // What would lie in the future is said now, in its order.
  return ops.sort((a, b) => a.at - b.at).map((op) => ({ ...op, at: Math.min(Math.floor(op.at), until) }))
}

function reaction(prng: Prng): { person: number; back: number; emoji: string } {
  return { person: prng.below(people.length), back: prng.below(6), emoji: prng.pick(emoji) }
}

function opener(prng: Prng, channel: number): string {
  const words = demoChannels[channel] ?? demoChannels[0]
  if (!words) return ''
  const first = `${prng.pick(words.openers)} ${prng.pick(words.things)}`
  if (prng.chance(0.12)) return `${first}.\n${prng.pick(asides)}`
  return prng.chance(0.3) ? `${first}. ${prng.pick(asides)}` : `${first}.`
}

/** Moves a time of the night into the day that follows it; nobody waters at four in the morning. */
function daytime(at: number, until: number, prng: Prng): number {
  const hour = (at % dayMs) / 3_600_000
  const moved = hour < 6.5 ? at + (7 - hour + prng.next() * 9) * 3_600_000 : at
  return moved < until ? moved : at
}

function weighted(prng: Prng, list: readonly { share: number }[]): number {
  let rest = prng.next() * list.reduce((sum, one) => sum + one.share, 0)
  const found = list.findIndex((one) => {
    rest -= one.share
    return rest < 0
  })
  return Math.max(found, 0)
}
