// An erased account's traces go in turns of the hub's loop.
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { concatBytes, utf8 } from '#shared/base/bytes.ts'
import type { ChannelId, SegmentId } from '#shared/base/ids.ts'
import { closeCodes, privateStream } from '#shared/protocol/frames.ts'
import { createHubWorld, type HubWorld, type TestDevice } from './hub-world.ts'

const settings = { entryBurst: 100_000, segmentPostsMax: 150, segmentElementsFull: 170 }

/** Ada, who goes, and Bob, who stays, in a community of Mod's. */
async function people(world: HubWorld) {
  const [ada, bob, mod] = [await world.person('ada'), await world.person('bob'), await world.person('mod')]
  const [a, b, m] = [await world.online(ada), await world.online(bob), await world.online(mod)]
  const { space, channel } = await world.community(m, a, b)
  return { ada, bob, mod, a, b, m, space, channel }
}

async function write(
  world: HubWorld,
  by: TestDevice,
  space: Parameters<HubWorld['entry']>[1],
  channel: ChannelId,
  count: number,
) {
  const ids = []
  for (let i = 0; i < count; i += 50) {
    const entries = Array.from({ length: Math.min(50, count - i) }, (_, k) =>
      world.entry(by.person, space, channel, { body: { t: `words of ${by.person.username} ${i + k}` } }),
    )
    ids.push(...entries.map(({ id }) => id))
    await world.append(by, channel, ...entries)
  }
  return ids
}

function stored(world: HubWorld): string {
  const { rows, blobs } = world.tables
  const tapes = [...rows.values()].flat().map(({ tape }) => tape)
  const documents = [...blobs.values()].flatMap((numbered) => [...numbered.values()])
  return Buffer.from(concatBytes(...tapes, ...documents)).toString()
}

/** What stock Yjs holds after all updates of a segment that the device got. */
function textOf(device: TestDevice, segment: SegmentId): string {
  const doc = new Y.Doc()
  for (const frame of device.frames) if (frame.kind === 'update' && frame.seg === segment) Y.applyUpdate(doc, frame.update)
  expect(doc.store.pendingStructs).toBeNull()
  return doc.getArray('log').toArray().join('\n')
}

test('[ERA-10] its words, reactions, name, private document and markers go; who reads is told; what others wrote stays', async () => {
  const world = createHubWorld({ settings })
  const { ada, a, b, m, space, channel } = await people(world)
  const [theirs = ''] = await write(world, b, space, channel, 3)
  const [first] = await write(world, a, space, channel, 430)
  await world.append(
    a,
    channel,
    world.entry(ada, space, channel, { op: 'edit', ref: first ?? 0, body: { t: 'words of ada, changed' } }),
  )
  // reason: the ids of what was just written
  const reaction = world.entry(ada, space, channel, { op: 'react', ref: theirs as typeof first & string, body: 'ada was here' })
  await world.append(a, channel, reaction)
  a.up({ kind: 'stock', stream: privateStream, bytes: concatBytes(Uint8Array.of(0, 2, 9), utf8('ada draft')) })
  a.say({ t: 'read', incarnation: world.tables.meta.incarnation, channel, gen: 0, seq: 3 })
  await world.hub.idle()
  expect(stored(world)).toContain('ada draft')

  const segments = [...world.tables.segments.keys()]
  for (const segment of segments) await world.open(b, segment)
  for (const device of [b, m]) expect(device.closedWith).toBe(0)
  const seq = world.tables.channels.get(channel)?.seq
  world.hub.erase(ada.account)
  expect(a.closedWith).toBe(closeCodes.unauthorized)
  await world.hub.idle()

  expect(stored(world)).not.toMatch(/ada/)
  expect(stored(world).match(/words of bob/g)).toHaveLength(3)
  expect(segments.map((segment) => textOf(b, segment)).join()).not.toMatch(/ada/)
  expect(segments.map((segment) => textOf(b, segment)).join()).toMatch(/words of bob 2/)
  expect(world.tables.channels.get(channel)).toMatchObject({ seq, last: 3 })
  expect(b.of('members').at(-1)?.rows).toMatchObject([{ account: ada.account, username: '', left: expect.any(Number) }])
  expect(world.tables.markers.has(ada.account)).toBe(false)
  expect(await world.communities.spacesOf(ada.account)).toEqual([])
  expect(world.erased).toEqual(new Set([ada.account]))
  expect(b.closedWith).toBe(0)
})

test('[ERA-11] other turns go on in between, and what is written meanwhile is kept', async () => {
  const world = createHubWorld({ settings })
  const { ada, a, b, space, channel } = await people(world)
  await write(world, a, space, channel, 1_000)
  world.hub.erase(ada.account)
  const post = world.entry(b.person, space, channel, { body: { t: 'words of bob' } })
  b.up({ kind: 'append', nr: 77, channel, entries: [post.bytes] })
  while (!b.of('result').some(({ nr }) => nr === 77)) await Promise.resolve()
  expect(world.erased.has(ada.account)).toBe(false)
  await world.hub.idle()
  expect(world.erased.has(ada.account)).toBe(true)
  expect(stored(world)).not.toMatch(/ada/)
  expect(stored(world)).toContain('words of bob')
})

test('[ERA-12] a relay that dies in the middle, or whose store fails, goes on where something is left', async () => {
  let fails = 0
  const world = createHubWorld({
    settings,
    wrapLog: (log) => ({
      ...log,
      commit: (...batch) => (fails-- === 1 ? Promise.reject(new Error('the disk broke')) : log.commit(...batch)),
    }),
  })
  const { ada, a, space, channel } = await people(world)
  await write(world, a, space, channel, 1_000)
  world.hub.erase(ada.account)
  while ((stored(world).match(/words of ada/g)?.length ?? 0) > 700) await Promise.resolve()
  await world.hub.stop()
  expect(stored(world)).toMatch(/words of ada/)

  world.restart()
  fails = 2
  world.hub.erase(ada.account)
  await world.hub.idle()
  expect(world.events.at(-1)).toMatchObject({ kind: 'store-failed' })
  expect(stored(world)).toMatch(/words of ada/)
  world.hub.tick()
  await world.hub.idle()
  expect(world.erased.size).toBe(0)
  world.clock.time += 10_000
  world.hub.tick()
  await world.hub.idle()
  expect(stored(world)).not.toMatch(/ada/)
  expect(world.erased).toEqual(new Set([ada.account]))
})

test('[ERA-13] who was away is told with the hello, until the next command says it', async () => {
  const world = createHubWorld({ settings })
  const { ada, b, m, space } = await people(world)
  b.link.closed()
  world.hub.erase(ada.account)
  await world.hub.idle()
  const back = await world.online(b.person)
  const n = m.of('record').at(-1)?.records.at(-1)?.n
  expect(back.of('members')).toMatchObject([{ space, n, rows: [{ account: ada.account, username: '' }] }])
  await world.command(m, space, { act: 'community.rename', args: { name: 'Other' }, was: 'Cord' })
  const later = await world.online(b.person)
  expect(later.of('members')).toEqual([])
  later.say({ t: 'chain', space, after: n ?? 0 })
  await world.hub.idle()
  expect(later.of('members').flatMap(({ rows }) => rows)).toMatchObject([{ account: ada.account, username: '' }])
})

test('[SES-9] a line does not outlive its session, whether that runs out or ends unnoticed', async () => {
  const world = createHubWorld()
  const [ada, bob, mod] = [await world.person('ada'), await world.person('bob'), await world.person('mod')]
  const hashOf = (person: typeof ada) => `hash of token-${person.dev}`
  world.expiries.set(hashOf(ada), world.clock.time + 20_000)
  const [a, b, m] = [await world.online(ada), await world.online(bob), await world.online(mod)]
  const pass = async (ms: number) => {
    for (let at = 0; at < ms; at += 1_000) {
      world.clock.time += 1_000
      for (const device of [a, b, m]) device.say({ t: 'beat' })
      world.hub.tick()
      await world.hub.idle()
    }
  }
  await pass(19_000)
  expect(a.closedWith).toBe(0)
  await pass(1_000)
  expect([a.closedWith, b.closedWith]).toEqual([closeCodes.unauthorized, 0])
  world.expiries.set(hashOf(bob), 0)
  world.expiries.set(hashOf(mod), world.clock.time + 200_000)
  await pass(62_000)
  expect([b.closedWith, m.closedWith]).toEqual([closeCodes.unauthorized, 0])
  // Using the line prolongs it.
  world.expiries.set(hashOf(mod), world.clock.time + 400_000)
  await pass(300_000)
  expect(m.closedWith).toBe(0)
})
