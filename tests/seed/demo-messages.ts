// The demo community's year, as a list of ops in time order: who writes what, where and when. Pure and seeded.
import type { Prng } from '#shared/base/prng.ts'
import { asides, demoChannels, emoji, people, replies } from './demo-words.ts'

export type DemoOp =
  | { kind: 'post'; at: number; person: number; channel: number; text: string }
  /** `back`: how many posts of that channel ago its target was written. */
  | { kind: 'react'; at: number; person: number; channel: number; back: number; emoji: string }
  | { kind: 'edit'; at: number; channel: number; back: number; text: string }

const dayMs = 86_400_000

/** `posts` posts between `from` and `until` (ms), more by day than by night, in bursts that answer each other; and reactions and edits on top. */
export function demoYear(prng: Prng, posts: number, from: number, until: number): DemoOp[] {
  const ops: DemoOp[] = []
  const gapMs = (until - from) / posts
  let channel = 0
  let left = 0
  for (let written = 0; written < posts; written++) {
    if (left === 0) {
      channel = weighted(prng, demoChannels)
      left = 1 + prng.below(9)
    }
    left--
    const at = Math.floor(daytime(from + written * gapMs, prng))
    const person = weighted(prng, people)
    const isOpener = left > 4 || prng.chance(0.45)
    ops.push({ kind: 'post', at, person, channel, text: isOpener ? opener(prng, channel) : prng.pick(replies) })
    if (prng.chance(0.16))
      ops.push({
        kind: 'react',
        at: at + 20_000,
        person: prng.below(people.length),
        channel,
        back: prng.below(6),
        emoji: prng.pick(emoji),
      })
    if (prng.chance(0.03))
      ops.push({ kind: 'edit', at: at + 40_000, channel, back: 0, text: `${opener(prng, channel)} (spelling)` })
  }
  return ops.sort((a, b) => a.at - b.at)
}

function opener(prng: Prng, channel: number): string {
  const words = demoChannels[channel] ?? demoChannels[0]
  if (!words) return ''
  const first = `${prng.pick(words.openers)} ${prng.pick(words.things)}`
  if (prng.chance(0.12)) return `${first}.\n${prng.pick(asides)}`
  return prng.chance(0.3) ? `${first}. ${prng.pick(asides)}` : `${first}.`
}

/** Moves a time of the night into the day that follows it; nobody waters at four in the morning. */
function daytime(at: number, prng: Prng): number {
  const hour = (at % dayMs) / 3_600_000
  return hour < 6.5 ? at + (7 - hour + prng.next() * 9) * 3_600_000 : at
}

function weighted(prng: Prng, list: readonly { share: number }[]): number {
  let rest = prng.next() * list.reduce((sum, one) => sum + one.share, 0)
  const found = list.findIndex((one) => {
    rest -= one.share
    return rest < 0
  })
  return Math.max(found, 0)
}
