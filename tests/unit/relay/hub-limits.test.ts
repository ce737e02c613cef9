// What a flood meets, and what a stop leaves behind.
import { expect, test } from 'vitest'
import type { HubSettings } from '#relay/hub-ports.ts'
import { closeCodes } from '#shared/protocol/frames.ts'
import { createHubWorld, type TestDevice } from './hub-world.ts'

async function stage(settings: Partial<HubSettings>) {
  const world = createHubWorld({ settings })
  const [dupe, dupette] = [await world.online(await world.person('dupe')), await world.online(await world.person('dupette'))]
  const { space, channel } = await world.community(dupe, dupette)
  return { world, dupe, dupette, space, channel }
}

const beats = (device: TestDevice, count: number) => {
  for (let i = 0; i < count; i++) device.say({ t: 'beat' })
}

test('[FLOOD-1] a link that sends more frames than an honest device ever does is closed before they are read', async () => {
  const { world, dupe, dupette } = await stage({ linkFrameBurst: 100, linkFramesPerSecond: 10 })
  world.clock.time += 60_000
  beats(dupe, 100)
  expect(dupe.closedWith).toBe(0)
  world.clock.time += 1_000
  beats(dupe, 10)
  expect(dupe.closedWith).toBe(0)
  // Not even what it is matters any more.
  dupe.link.receive(Uint8Array.of(9, 9, 9))
  expect(dupe.closedWith).toBe(closeCodes.busy)
  expect(dupette.closedWith).toBe(0)
})

test('[FLOOD-2] the same for its bytes', async () => {
  const { world, dupe } = await stage({ linkByteBurst: 10_000, linkBytesPerSecond: 1_000 })
  world.clock.time += 60_000
  const frame = { kind: 'stock' as const, stream: 1, bytes: new Uint8Array(4_000).fill(1) }
  dupe.up(frame)
  dupe.up(frame)
  expect(dupe.closedWith).toBe(0)
  dupe.up(frame)
  expect(dupe.closedWith).toBe(closeCodes.busy)
})

test('[FLOOD-3] a channel takes so many entries from all; more wait, nothing is refused, and other channels go on', async () => {
  const { world, dupe, dupette, space, channel } = await stage({ channelBurst: 3, channelEntriesPerMinute: 60 })
  const other = world.people.channel()
  const made = await world.command(dupe, space, {
    act: 'channel.create',
    args: { channel: other, name: 'other', kind: 'text', position: 'a1' },
    was: 0,
  })
  expect(made.done).toMatchObject({ n: expect.any(Number) })
  const entries = (device: TestDevice, count: number, to = channel) =>
    Array.from({ length: count }, () => world.entry(device.person, space, to))
  const sent = entries(dupette, 4)
  expect((await world.append(dupe, channel, ...entries(dupe, 2)))?.wait).toBe(0)
  const result = await world.append(dupette, channel, ...sent)
  expect(result).toMatchObject({ verdicts: [{ kind: 'accepted' }], wait: 3_000 })
  expect((await world.append(dupette, other, ...entries(dupette, 3, other)))?.wait).toBe(0)
  // What is known costs nothing.
  expect(await world.append(dupette, channel, ...sent.slice(0, 1))).toMatchObject({ verdicts: [{ kind: 'known' }], wait: 0 })
  world.clock.time += 3_000
  expect(await world.append(dupette, channel, ...sent.slice(1))).toMatchObject({
    verdicts: [{ seq: 4 }, { seq: 5 }, { seq: 6 }],
    wait: 0,
  })
})

test('[STOP-1] at a stop what came before is answered, nothing new is taken, and every device is told when to come back', async () => {
  const { world, dupe, dupette, space, channel } = await stage({})
  const entry = world.entry(dupe.person, space, channel)
  dupe.up({ kind: 'append', nr: 7, channel, entries: [entry.bytes] })
  const stopped = world.hub.stop()
  dupette.up({ kind: 'append', nr: 8, channel, entries: [world.entry(dupette.person, space, channel).bytes] })
  const late = world.connect(dupette.person)
  await stopped
  expect(dupe.of('result')).toMatchObject([{ nr: 7, verdicts: [{ kind: 'accepted', seq: 1 }] }])
  expect(dupette.of('result')).toEqual([])
  for (const device of [dupe, dupette, late]) {
    expect(device.frames.at(-1)).toMatchObject({ kind: 'control', message: { t: 'restarting', ms: 2_000 } })
    expect(device.closedWith).toBe(closeCodes.restarting)
  }
  expect(world.tables.channels.get(channel)?.seq).toBe(1)
})

test('[STOP-2] it answers for a bounded time', async () => {
  const turns = { ms: 0 }
  const world = createHubWorld({
    settings: { stopDrainMs: 5_000 },
    nextTurn: async () => {
      world.clock.time += turns.ms
    },
  })
  const dupe = await world.online(await world.person('dupe'))
  const { channel } = await world.community(dupe)
  turns.ms = 1_000
  for (let i = 0; i < 100; i++) dupe.say({ t: 'segments', channel, after: '' })
  await world.hub.stop()
  expect(dupe.of('segments').length).toBeLessThan(10)
  expect(dupe.closedWith).toBe(closeCodes.restarting)
})

test('[STOP-3] the more devices there are, the longer the time over which they come back', async () => {
  const world = createHubWorld()
  const dupe = await world.online(await world.person('dupe'))
  for (let i = 1; i < 1_000; i++) world.connect(dupe.person)
  await world.hub.stop()
  expect(dupe.of('restarting')).toEqual([{ t: 'restarting', ms: 4_000 }])
})
