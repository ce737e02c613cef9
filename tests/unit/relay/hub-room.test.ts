// A relay without room: what it refuses, what it goes on doing, and how it comes back by itself.

import { expect, test } from 'vitest'
import * as Y from 'yjs'
import type { HubSettings } from '#relay/hub-ports.ts'
import { parseCommand } from '#shared/community/command-codec.ts'
import { createHubWorld, type TestDevice } from './hub-world.ts'

const noRoom = { verdicts: [], wait: 15_000, why: 'disk_full' }

/** A disk whose figures the test sets. */
function createDisk() {
  const disk = { free: 10_000_000_000 as number | undefined, used: 1_000 }
  return { disk, sight: { freeBytes: () => disk.free, databaseBytes: () => disk.used } }
}

async function stage(settings: Partial<HubSettings> = {}) {
  const { disk, sight } = createDisk()
  const world = createHubWorld({ disk: sight, settings })
  const [dupe, dupette] = [await world.online(await world.person('dupe')), await world.online(await world.person('dupette'))]
  const { space, channel } = await world.community(dupe, dupette)
  const fill = (free: number) => {
    disk.free = free
    world.hub.tick()
  }
  return { world, disk, dupe, dupette, space, channel, fill }
}

const refusals = (device: TestDevice) => device.of('done').flatMap((done) => ('code' in done ? [done.code] : []))

test('[ROOM-1] without room an append is told to come again, nothing of it is processed, and nobody is disconnected', async () => {
  const { world, dupe, dupette, space, channel, fill } = await stage()
  await world.post(dupe, space, channel, 'before')
  const before = structuredClone(world.tables)
  fill(1_000)
  const { id, result } = await world.post(dupette, space, channel, 'no room')
  expect(result).toMatchObject(noRoom)
  // Also for bytes that can be no entry, and for a channel that is not there: nothing was looked at.
  expect(await world.append(dupe, channel, { bytes: Uint8Array.of(1) })).toMatchObject(noRoom)
  expect(world.tables).toEqual(before)
  expect([dupe.closedWith, dupette.closedWith, world.hub.health().full]).toEqual([0, 0, true])
  fill(10_000_000_000)
  const again = world.entry(dupette.person, space, channel, { id, body: { t: 'no room' } })
  expect(await world.append(dupette, channel, again)).toMatchObject({ verdicts: [{ kind: 'accepted', seq: 2 }], wait: 0 })
  expect(world.events.flatMap((event) => (event.kind === 'room' ? [event.full] : []))).toEqual([true, false])
})

test('[ROOM-2] a bound on the database works like the disk’s own', async () => {
  const { world, disk, dupe, space, channel } = await stage({ databaseBytesMax: 5_000 })
  disk.used = 5_000
  world.hub.tick()
  expect((await world.post(dupe, space, channel, 'too much')).result).toMatchObject(noRoom)
  disk.used = 4_999
  world.hub.tick()
  expect((await world.post(dupe, space, channel, 'fits')).result).toMatchObject({ verdicts: [{ kind: 'accepted' }] })
})

test('[ROOM-3] reading goes on: signing in, opening, listing, the chain, keys; and so does deleting', async () => {
  const { world, dupe, space, channel, fill } = await stage()
  const { id } = await world.post(dupe, space, channel, 'a secret')
  fill(0)
  const reader = await world.online(await world.device(dupe.person))
  await world.open(reader, world.head(channel))
  reader.say({ t: 'segments', channel, after: '' })
  reader.say({ t: 'chain', space, after: 0 })
  reader.say({ t: 'keys', devs: [dupe.person.dev] })
  await world.hub.idle()
  expect(reader.texts(world.head(channel))).toEqual(['a secret'])
  expect(
    [reader.of('ready'), reader.of('segments'), reader.of('record'), reader.of('keys')].map((list) => list.length > 0),
  ).toEqual([true, true, true, true])
  const redact = world.entry(dupe.person, space, channel, { op: 'redact', ref: id, body: 0 })
  const post = world.entry(dupe.person, space, channel)
  expect(await world.append(dupe, channel, redact, post)).toMatchObject(noRoom)
  expect(await world.append(dupe, channel, redact)).toMatchObject({ verdicts: [{ kind: 'accepted' }], wait: 0 })
  expect(reader.texts(world.head(channel))).toContain('redact')
})

test('[ROOM-4] commands are refused, except those that free room or let somebody go', async () => {
  const { world, dupe, dupette, space, channel, fill } = await stage()
  fill(0)
  const { done, frame } = await world.command(dupe, space, { act: 'community.rename', args: { name: 'Other' }, was: 'Cord' })
  expect(done).toMatchObject({ code: 'disk_full' })
  const leave = await world.command(dupette, space, { act: 'member.leave', args: {}, was: 0 })
  const drop = await world.command(dupe, space, { act: 'channel.delete', args: { channel }, was: 0 })
  expect([leave.done, drop.done]).toMatchObject([{ n: expect.any(Number) }, { n: expect.any(Number) }])
  fill(10_000_000_000)
  dupe.say(frame)
  await world.hub.idle()
  const parsed = parseCommand(frame.text, frame.sig)
  expect(dupe.of('done').at(-1)).toMatchObject({ id: parsed.ok && parsed.value.command.id, n: expect.any(Number) })
})

test('[ROOM-5] a commit that finds no room leaves everything as it was, memory too, and is tried again after the wait', async () => {
  const { world, dupe, dupette, space, channel } = await stage({ entryBurst: 2, entriesPerMinute: 1 })
  world.diskFails = true
  for (const device of [dupe, dupette]) expect((await world.post(device, space, channel, 'fails')).result).toMatchObject(noRoom)
  expect(
    (await world.command(dupe, space, { act: 'community.rename', args: { name: 'Other' }, was: 'Cord' })).done,
  ).toMatchObject({
    code: 'disk_full',
  })
  world.diskFails = false
  // The figures say nothing: only time does.
  world.hub.tick()
  expect((await world.post(dupe, space, channel, 'too soon')).result).toMatchObject(noRoom)
  world.clock.time += 15_000
  world.hub.tick()
  const results = []
  for (const text of ['one', 'two', 'three']) results.push((await world.post(dupe, space, channel, text)).result)
  // No token was spent on what was not stored, and numbers have no gap.
  expect(results).toMatchObject([
    { verdicts: [{ seq: 1 }] },
    { verdicts: [{ seq: 2 }] },
    { verdicts: [], wait: expect.any(Number) },
  ])
  expect(
    (await world.command(dupe, space, { act: 'community.rename', args: { name: 'Other' }, was: 'Cord' })).done,
  ).toMatchObject({
    n: expect.any(Number),
  })
  expect([dupe.closedWith, dupette.closedWith, world.hub.health().storeFailures]).toEqual([0, 0, 0])
})

test('[ROOM-6] what the private document did not store is asked for when there is room again', async () => {
  const { world, dupe, fill } = await stage()
  const doc = new Y.Doc()
  doc.getMap('drafts').set('general', 'half a thought')
  const update = Y.encodeStateAsUpdate(doc)
  const message = (step: number, payload: Uint8Array) =>
    dupe.up({ kind: 'stock', stream: 1, bytes: Uint8Array.of(0, step, payload.length, ...payload) })
  message(0, Uint8Array.of(0))
  await world.hub.idle()
  message(1, Uint8Array.of(0, 0))
  await world.hub.idle()
  fill(0)
  dupe.forgetFrames()
  message(2, update)
  await world.hub.idle()
  expect([dupe.closedWith, dupe.frames, [...world.tables.blobs.values()].flat()]).toEqual([0, [], []])
  fill(10_000_000_000)
  // Step 1 with the empty vector: the whole is wanted.
  expect(dupe.frames.map((frame) => frame.kind === 'stock' && [...frame.bytes])).toEqual([[0, 0, 1, 0]])
  message(1, update)
  await world.hub.idle()
  expect([...world.tables.blobs.values()].flat()).toHaveLength(1)
})

test('[ROOM-7] read markers, and joining rows, fail without harm', async () => {
  const { world, dupe, space, channel } = await stage({ segmentRowsMax: 1 })
  await world.post(dupe, space, channel, 'one')
  const { incarnation } = dupe.of('welcome')[0] ?? { incarnation: '' }
  world.diskFails = true
  dupe.say({ t: 'read', incarnation, channel, gen: 0, seq: 1 })
  await world.hub.idle()
  expect([dupe.closedWith, world.hub.health().full, refusals(dupe)]).toEqual([0, true, []])
  world.diskFails = false
  world.clock.time += 15_000
  world.hub.tick()
  dupe.say({ t: 'read', incarnation, channel, gen: 0, seq: 1 })
  await world.hub.idle()
  expect(world.hub.health()).toMatchObject({ full: false, storeFailures: 0 })
})

test('[ROOM-8] a disk that cannot be asked counts as one with room', async () => {
  const { world, disk, dupe, space, channel } = await stage()
  disk.free = undefined
  world.hub.tick()
  expect((await world.post(dupe, space, channel, 'goes')).result).toMatchObject({ verdicts: [{ kind: 'accepted' }] })
})
