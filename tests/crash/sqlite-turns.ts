// Turns of a channel that follow from a seed: whoever replays them knows what a store must hold after any number of them.
import type { LogStore } from '#relay/store/log-store.ts'
import { createWorld, type Ledger, type Person, submit, type World, type Written } from '../unit/log/channel-world.ts'

export interface Turns {
  readonly ledger: Ledger
  /** Turns made. */
  readonly made: number
  /** Decides the next one; with a store it is committed there, and its rows are joined now and then. */
  next(store?: LogStore): Promise<void>
}

const compactEvery = 9

export function createTurns(seed: number): Turns {
  const world = createWorld(seed, { segmentPostsMax: 20, segmentElementsFull: 30 })
  const people = [world.person(), world.person({ manage: true })]
  let made = 0
  return {
    ledger: world.ledger,
    get made() {
      return made
    },
    async next(store) {
      const person = world.prng.pick(people)
      const { batch } = world.ledger.turn(submit(person, someEntries(world, person)))
      if (!batch) throw new Error('every turn has something to commit')
      made++
      if (!store) return
      await store.commit([batch], world.ledger.now)
      if (made % compactEvery === 0 && batch.channel.head !== 0) await store.compact(batch.channel.head)
    },
  }
}

/** A post at least; then posts, edits and redacts, of long texts too, so that a commit is more than one write. */
function someEntries({ prng, ledger }: World, person: Person): Written[] {
  const own = [...ledger.records.values()].flatMap((one) =>
    one.kind === 'accepted' && one.op === 'post' && !one.gone && one.by === person.by ? [one.id] : [],
  )
  const text = () => ({ t: 'word '.repeat(1 + prng.below(prng.chance(0.1) ? 2_000 : 20)) })
  const list = [person.write({ body: text() })]
  for (let more = prng.below(12); more > 0; more--) {
    const ref = own.length > 0 ? prng.pick(own) : undefined
    if (ref && prng.chance(0.2)) list.push(person.write({ op: 'edit', ref, body: text() }))
    else if (ref && prng.chance(0.1)) list.push(person.write({ op: 'redact', ref, body: 0 }))
    else list.push(person.write({ body: text() }))
  }
  return list
}
