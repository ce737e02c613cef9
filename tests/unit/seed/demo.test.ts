// The demo seed, small: a relay serves what was written, a device signs in, holds all of it, and finds every signature good.
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { lockData } from '#relay/store/data-lock.ts'
import { createPrng } from '#shared/base/prng.ts'
import type { TimelinePost } from '#shared/log/post-view.ts'
import { nodePassword } from '../../fakes/node-device.ts'
import { type DemoMade, seedDemo } from '../../seed/demo-community.ts'
import { demoYear } from '../../seed/demo-messages.ts'
import { demoChannels, people } from '../../seed/demo-words.ts'
import { type SeededRelay, startSeededRelay } from './seeded-relay.ts'

const posts = 200
const now = Date.now()
const yearMs = 365 * 86_400_000
let made: DemoMade
let seeded: SeededRelay

beforeAll(async () => {
  seeded = await startSeededRelay(async (dataDir) => {
    made = await seedDemo(dataDir, { password: nodePassword, posts, seed: 3, now })
  })
})
afterAll(() => seeded.end())

test('a year is the same for the same seed, in order, and ends now', () => {
  const year = () => demoYear(createPrng(5), 500, now - yearMs, now)
  const ops = year()
  expect(year()).toEqual(ops)
  expect(ops.filter(({ kind }) => kind === 'post')).toHaveLength(500)
  expect(ops.map(({ at }) => at)).toEqual(ops.map(({ at }) => at).sort((a, b) => a - b))
  expect(ops.at(-1)?.at).toBeLessThanOrEqual(now)
  expect(ops.at(-1)?.at).toBeGreaterThan(now - 7 * 86_400_000)
})

test('the first person signs in and holds every segment, with every word signed by who wrote it', async () => {
  const device = await seeded.visit(people[0].username)
  const { world } = device.core
  const channels = [...world.tables.channel.values()]
  const state = [...world.tables.space.values()][0]?.state
  expect(Object.values(state?.channels ?? {}).map(({ name, topic }) => ({ name, topic }))).toEqual(
    demoChannels.map(({ name, topic }) => ({ name, topic })),
  )
  expect([...world.tables.segment.values()].every((row) => row.n > 0)).toBe(true)

  const held: TimelinePost[] = []
  for (const { id, head } of channels) {
    if (head === '') continue
    const shown = () => world.views.get(id)?.timeline.window(posts).posts ?? []
    const isChecked = (post: TimelinePost) =>
      [post.element, post.edit].every((element) => !element || world.checked.get(element) === true)
    device.core.watch(id, posts)
    // The newest screenful is checked unasked.
    await device.until(() => world.views.has(id) && shown().slice(-50).every(isChecked))
    held.push(...shown())
  }
  expect(held).toHaveLength(made.posts)
  expect(made.posts).toBe(posts)
  expect(new Set(held.map(({ by }) => by)).size).toBeGreaterThan(3)
  expect(held.filter(({ edited }) => edited > 0).length).toBeGreaterThan(0)
  expect(held.flatMap(({ reactions }) => reactions).length).toBeGreaterThan(0)
  // Nothing looks as if it had been written offline.
  expect(held.every(({ at, arrived }) => arrived - at >= 0 && arrived - at < 1_000)).toBe(true)
  expect(Math.min(...held.map(({ at }) => at))).toBeGreaterThan(now - yearMs - 1)

  const unread = channels.map((row) => row.unread)
  expect(unread.some((count) => count > 0)).toBe(true)
  expect(unread.some((count) => count === 0)).toBe(true)
})

test('a relay that has accounts, or runs, is left alone', async () => {
  await seeded.relay.stop()
  const again = () => seedDemo(seeded.relay.dataDir, { password: nodePassword, posts: 1, seed: 1, now })
  await expect(again()).rejects.toThrow('has accounts already')
  // It lets go of what it looked at.
  await expect(again()).rejects.toThrow('has accounts already')

  const dataDir = mkdtempSync(join(tmpdir(), 'dupecord-'))
  const unlock = lockData(join(dataDir, 'lock'))
  await expect(seedDemo(dataDir, { password: nodePassword, posts: 1, seed: 1, now })).rejects.toThrow(
    'is using this data directory',
  )
  expect(existsSync(join(dataDir, 'relay.db'))).toBe(false)
  unlock()
  rmSync(dataDir, { recursive: true })
})
