// How links begin, live and end.
import { expect, test } from 'vitest'
import { closeCodes } from '#shared/protocol/frames.ts'
import { createHubWorld } from './hub-world.ts'

const hello = { t: 'hello', v: 1, incarnation: '', mark: '' } as const

test.each([
  ['an unknown token', { ...hello, token: 'nobody' }, closeCodes.unauthorized],
  ['another version', { ...hello, v: 2, token: 'nobody' }, closeCodes.version],
])('%s closes', async (_, message, code) => {
  const world = createHubWorld()
  const device = world.connect(await world.person('dupe'))
  device.say(message)
  await world.hub.idle()
  expect(device.closedWith).toBe(code)
  expect(device.frames).toEqual([])
})

test('a revoked device is not let in', async () => {
  const world = createHubWorld()
  const person = await world.person('dupe')
  await world.revoke(person)
  expect((await world.online(person)).closedWith).toBe(closeCodes.unauthorized)
})

test('the first frame is a hello, and no other is', async () => {
  const world = createHubWorld()
  const person = await world.person('dupe')
  const early = world.connect(person)
  early.say({ t: 'beat' })
  expect(early.closedWith).toBe(closeCodes.malformed)
  const twice = await world.online(person)
  twice.say({ ...hello, token: `token-${person.dev}` })
  expect(twice.closedWith).toBe(closeCodes.malformed)
})

test('bytes that are no frame close the link at once', async () => {
  const world = createHubWorld()
  const device = await world.online(await world.person('dupe'))
  device.link.receive(Uint8Array.of(9, 9, 9))
  expect(device.closedWith).toBe(closeCodes.malformed)
})

test('a new link of the same device replaces the older one; another device does not', async () => {
  const world = createHubWorld()
  const person = await world.person('dupe')
  const first = await world.online(person)
  const phone = await world.online(await world.device(person))
  expect(first.closedWith).toBe(0)
  await world.online(person)
  expect([first.closedWith, phone.closedWith]).toEqual([closeCodes.replaced, 0])
})

test('a link that says no hello for five seconds is closed, and one that fell silent too', async () => {
  const world = createHubWorld()
  const mute = world.connect(await world.person('mute'))
  const quiet = await world.online(await world.person('quiet'))
  const lively = await world.online(await world.person('lively'))
  world.clock.time += 5_000
  world.hub.tick()
  expect([mute.closedWith, quiet.closedWith]).toEqual([closeCodes.busy, 0])
  world.clock.time += 15_000
  lively.say({ t: 'beat' })
  world.clock.time += 5_000
  world.hub.tick()
  expect([quiet.closedWith, lively.closedWith]).toEqual([closeCodes.busy, 0])
  expect(lively.of('beat').length).toBeGreaterThan(0)
})

test('[LINE-13] beats and silence go by the time that passes, whatever the clock is set to', async () => {
  const steady = { time: 0, now: () => steady.time }
  const world = createHubWorld({ steady })
  const device = await world.online(await world.person('dupe'))
  world.clock.time -= 3 * 3_600_000
  steady.time += 10_000
  world.hub.tick()
  expect(device.of('beat')).toHaveLength(1)
  world.clock.time += 9 * 3_600_000
  world.hub.tick()
  expect(device.closedWith).toBe(0)
  steady.time += 15_000
  world.hub.tick()
  expect(device.closedWith).toBe(closeCodes.busy)
})

test('an ended session is off at once, and what it had waiting is not done', async () => {
  const world = createHubWorld()
  const dupe = await world.online(await world.person('dupe'))
  const { space, channel } = await world.community(dupe)
  dupe.up({ kind: 'append', nr: 1, channel, entries: [world.entry(dupe.person, space, channel).bytes] })
  world.hub.endSession(`hash of token-${dupe.person.dev}`)
  expect(dupe.closedWith).toBe(closeCodes.unauthorized)
  await world.hub.idle()
  expect(world.tables.channels.get(channel)?.seq).toBe(0)
})

test('more frames than may wait close the link', async () => {
  const world = createHubWorld({ settings: { inboxFramesMax: 10 } })
  const device = await world.online(await world.person('dupe'))
  for (let i = 0; i < 12; i++) device.say({ t: 'keys', devs: [] })
  expect(device.closedWith).toBe(closeCodes.busy)
})

test('stopping closes every link and takes no new one', async () => {
  const world = createHubWorld()
  const device = await world.online(await world.person('dupe'))
  await world.hub.stop()
  expect(device.closedWith).toBe(closeCodes.restarting)
  expect(world.connect(device.person).closedWith).toBe(closeCodes.restarting)
})

test('commands are counted too', async () => {
  const world = createHubWorld({ settings: { commandBurst: 2 } })
  const dupe = await world.online(await world.person('dupe'))
  const { space } = await world.community(dupe)
  await world.command(dupe, space, { act: 'community.rename', args: { name: 'B' }, was: 'Cord' })
  const { done } = await world.command(dupe, space, { act: 'community.rename', args: { name: 'C' }, was: 'B' })
  expect(done).toMatchObject({ code: 'too_many' })
})

test('a command that cannot be read closes the link', async () => {
  const world = createHubWorld()
  const dupe = await world.online(await world.person('dupe'))
  dupe.say({ t: 'command', space: world.people.space(), text: 'nonsense', sig: '', secret: '' })
  await world.hub.idle()
  expect(dupe.closedWith).toBe(closeCodes.malformed)
})
