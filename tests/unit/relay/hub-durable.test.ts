// What is committed and not yet on the disk: nothing else happens in between as if it were there.
import { expect, test } from 'vitest'
import type { PostAnswer } from '#relay/hub-posts.ts'
import type { LogStore } from '#relay/store/log-store.ts'
import { createHubWorld } from './hub-world.ts'

/** A disk that is as slow as the test wants: what is committed can be read at once, and is there when `sync` was called. */
async function stage(steady?: { now(): number }) {
  const state = { isSlow: false, failed: undefined as (() => void) | undefined, committed: () => {} }
  let waiting: (() => void)[] = []
  const wrapLog = (log: LogStore): LogStore => ({
    ...log,
    async facts(...args) {
      if (!state.isSlow || waiting.length === 0 || !state.failed) return log.facts(...args)
      setImmediate(state.failed)
      state.failed = undefined
      throw new Error('cannot be read')
    },
    async commit(...args) {
      await log.commit(...args)
      state.committed()
      if (state.isSlow) await new Promise<void>((resolve) => waiting.push(resolve))
    },
  })
  const world = createHubWorld({ wrapLog, nextTurn, settings: { turnEntriesMax: 1, roomWaitMs: 1 }, ...(steady && { steady }) })
  const [ann, ben] = [await world.online(await world.person('ann')), await world.online(await world.person('ben'))]
  const { space, channel } = await world.community(ann, ben)
  const sync = () => {
    const all = waiting
    waiting = []
    for (const resolve of all) resolve()
  }
  return { world, state, ann, ben, space, channel, sync }
}

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve))
const someTurns = async () => {
  for (let i = 0; i < 20; i++) await nextTurn()
}

test('[DUR-1] no mark says more than the disk has, also where memory was read anew while a commit was under way', async () => {
  const { world, state, ann, ben, space, channel, sync } = await stage()
  const { account, dev } = ben.person
  const session = { account, dev, idHash: `hash of token-${dev}` }
  const answered = Promise.withResolvers<PostAnswer>()
  state.isSlow = true
  // The first turn is under way, the second fails, and the third comes when memory was forgotten.
  state.failed = () => {
    answered.resolve(world.hub.append(session, space, channel, [world.entry(ben.person, space, channel).bytes]))
  }
  for (const device of [ann, ben]) void world.append(device, channel, world.entry(device.person, space, channel))
  for (let i = 0; i < 3; i++) {
    await someTurns()
    sync()
  }
  expect(await answered.promise).toMatchObject({ kind: 'decided', verdicts: [{ kind: 'accepted', seq: 2 }] })
  await world.hub.idle()
  expect(world.hub.health().commits).toBe(world.tables.meta.commits)
})

test('[DUR-2] what an erased account left goes behind what was committed before it, also where its time comes in the middle of a turn', async () => {
  let [time, jumpsIn] = [1_000_000, 0]
  const steady = {
    now() {
      if (jumpsIn > 0 && --jumpsIn === 0) time += 20_000
      return time
    },
  }
  const { world, state, ann, ben, space, channel, sync } = await stage(steady)
  world.diskFails = true
  world.hub.erase(ben.person.account)
  await world.hub.idle()
  world.diskFails = false
  time += 9_000
  ann.forgetFrames()
  state.isSlow = true
  // Of the two looks at the clock behind a commit, the second finds that the erasing may be tried again.
  state.committed = () => {
    jumpsIn = jumpsIn === 0 ? 2 : jumpsIn
  }
  void world.append(ann, channel, world.entry(ann.person, space, channel))
  await someTurns()
  const early = ann.of('members').length
  state.committed = () => {}
  state.isSlow = false
  sync()
  await world.hub.idle()
  expect([early, ann.of('members').length]).toEqual([0, 1])
})
