// Commands: replayed, late, by another, out of order, elsewhere. Each gets the code that says why, the chain grows by none of them, and the
// community's state stays as its owner left it.
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { idFromBytes, makeTimeId, type SpaceId } from '#shared/base/ids.ts'
import type { CommandAct } from '#shared/community/command.ts'
import { inviteHash } from '#shared/community/invite-code.ts'
import { loadSodium } from '#shared/crypto/sodium.ts'
import { closeCodes } from '#shared/protocol/frames.ts'
import type { RawDevice } from '../fakes/raw-device.ts'
import { addDevice, type RawPerson, signCommand, signCommandText, signInByHand, someBytes } from '../fakes/raw-person.ts'
import { provesHarmless } from './harmless.ts'
import { giveCommand, joinByHand, startWorld, type World } from './world.ts'

let world: World
let space: SpaceId
/** Number of the chain's last record, and that record. */
let head: { n: number; state: string }
const name = 'Honest People'
/** Another device of the owner's. */
let desk: RawPerson

beforeAll(async () => {
  world = await startWorld()
  space = world.place.space
  const { ann, relay } = world
  desk = await addDevice(relay.url, ann, await signInByHand(relay.url, ann.username, ann.authKey))
  head = await headNow()
})
afterAll(() => world?.remove())
afterEach(async () => {
  expect(await headNow(), 'the chain is as it was').toEqual(head)
})

async function headNow(): Promise<{ n: number; state: string }> {
  const cho = await world.link(world.cho)
  cho.say({ t: 'chain', space, after: 0 })
  await cho.heard('members', ({ more }) => !more)
  await cho.end()
  const records = cho.frames.flatMap((frame) =>
    frame.kind === 'control' && frame.message.t === 'record' ? frame.message.records : [],
  )
  const last = records.at(-1)
  if (!last) throw new Error('a community has a chain')
  expect(records.map(({ n }) => n)).toEqual(records.map((_, i) => i + 1))
  return { n: last.n, state: last.state }
}

type Given = ReturnType<typeof signCommand>

/** The code of the refusal, or the number of what was done. */
async function answerTo(device: RawDevice, command: Given): Promise<string | number> {
  const before = device.frames.length
  device.say(command)
  const done = await device.heard('done', (message) => {
    const at = device.frames.findIndex((frame) => frame.kind === 'control' && frame.message === message)
    return at >= before && command.text.includes(message.id)
  })
  return 'code' in done ? done.code : done.n
}

/** On a link of its own. */
async function answer(person: RawPerson, command: Given): Promise<string | number> {
  const device = await world.link(person)
  const code = await answerTo(device, command)
  await device.end()
  return code
}

const rename = (to: string, was = name): CommandAct => ({ act: 'community.rename', args: { name: to }, was })
const newChannel = () => idFromBytes<'channel'>(someBytes(16))

/** Ann's own device does it, and the chain may grow by it. */
async function annDoes(act: CommandAct): Promise<Given> {
  const command = signCommand(world.ann, space, act)
  expect(await answerTo(world.writer, command)).toBe(head.n + 1)
  head = await headNow()
  return command
}

test('[ATT-40] a command replayed by its author is told its number, and does nothing', async () => {
  const command = await annDoes(rename('Renamed'))
  await annDoes(rename(name, 'Renamed'))
  expect(await answerTo(world.writer, command)).toBe(head.n - 1)
  await provesHarmless(world)
})

test('[ATT-40] a command replayed by another', async () => {
  const command = await annDoes(rename('Renamed'))
  await annDoes(rename(name, 'Renamed'))
  for (const person of [world.eve, world.out]) expect(await answer(person, command)).toBe('session')
  await provesHarmless(world)
})

test('[ATT-40] an id again, with another act', async () => {
  const command = await annDoes(rename('Renamed'))
  await annDoes(rename(name, 'Renamed'))
  const [id] = JSON.parse(command.text)
  const other = signCommand(world.ann, space, { act: 'channel.delete', args: { channel: world.place.channel }, was: 0 }, { id })
  expect(await answerTo(world.writer, other)).toBe(head.n - 1)
  const byEve = signCommand(world.eve, space, { act: 'member.leave', args: {}, was: 0 }, { id })
  expect(await answer(world.eve, byEve)).toBe('duplicate')
  await provesHarmless(world)
})

test('[ATT-41] a stale command is told what stands', async () => {
  const device = world.writer
  const command = signCommand(world.ann, space, rename('Mine', 'An old name'))
  const [id] = JSON.parse(command.text)
  device.say(command)
  expect(await device.heard('done', (message) => message.id === id)).toMatchObject({ code: 'stale', present: name })
  await provesHarmless(world)
})

test('[ATT-41] a stale command of somebody who may not is told nothing', async () => {
  const eve = await world.link(world.eve)
  const command = signCommand(world.eve, space, rename('Mine', 'An old name'))
  eve.say(command)
  expect(await eve.heard('done')).toMatchObject({ code: 'forbidden', present: null })
  await eve.end()
  await provesHarmless(world)
})

test('[ATT-41] commands out of order: the second first', async () => {
  const channel = newChannel()
  const make: CommandAct = { act: 'channel.create', args: { channel, name: 'later', kind: 'text', position: 'a7' }, was: 0 }
  const change = signCommand(world.ann, space, { act: 'channel.rename', args: { channel, name: 'sooner' }, was: 'later' })
  expect(await answerTo(world.writer, change)).toBe('nochannel')
  await annDoes(make)
  await annDoes({ act: 'channel.delete', args: { channel }, was: 0 })
  expect(await answerTo(world.writer, change)).toBe('nochannel')
  expect(await answerTo(world.writer, signCommand(world.ann, space, make)), 'an id lives once').toBe('duplicate')
  await provesHarmless(world)
})

test('[ATT-42] a command signed again by another, in his own name and in the author’s', async () => {
  const { ann, eve, out } = world
  const command = signCommand(ann, space, rename('Mine'))
  for (const thief of [eve, out]) {
    expect(await answer(thief, signCommandText(thief, space, command.text))).toBe('session')
    expect(await answerTo(world.writer, signCommandText(thief, space, command.text))).toBe('signature')
  }
  expect(await answer(eve, signCommand(eve, space, rename('Mine')))).toBe('forbidden')
  expect(await answer(out, signCommand(out, space, rename('Mine')))).toBe('notmember')
  await provesHarmless(world)
})

test('[ATT-42] a command in the name of another, or of his device', async () => {
  const { ann, eve } = world
  expect(await answer(eve, signCommand(eve, space, rename('Mine'), { by: ann.account }))).toBe('session')
  expect(await answer(eve, signCommand(eve, space, rename('Mine'), { dev: ann.dev }))).toBe('session')
  await provesHarmless(world)
})

test('[ATT-42] a command whose signature is for another community', async () => {
  const { eve } = world
  const own = idFromBytes<'space'>(someBytes(16))
  const device = await world.link(eve)
  const args = { name: 'Eve’s', channel: newChannel(), channelName: 'general' }
  await giveCommand(device, eve, own, { act: 'community.create', args, was: 0 })
  const elsewhere = signCommand(eve, own, rename('Mine', 'Eve’s'))
  expect(await answerTo(device, { ...elsewhere, space })).toBe('signature')
  expect(await answerTo(device, elsewhere)).toBe(2)
  await device.end()
  await provesHarmless(world)
})

test('[ATT-42] a community’s owner gives commands about another community’s channels and members', async () => {
  const { eve, place, ann } = world
  const own = idFromBytes<'space'>(someBytes(16))
  const device = await world.link(eve)
  const args = { name: 'Eve’s', channel: newChannel(), channelName: 'general' }
  await giveCommand(device, eve, own, { act: 'community.create', args, was: 0 })
  const { channel } = place
  const acts: [CommandAct, string][] = [
    [{ act: 'channel.rename', args: { channel, name: 'mine' }, was: 'general' }, 'nochannel'],
    [{ act: 'channel.delete', args: { channel }, was: 0 }, 'nochannel'],
    [{ act: 'channel.create', args: { channel, name: 'mine', kind: 'text', position: 'a5' }, was: 0 }, 'duplicate'],
    [{ act: 'member.remove', args: { account: ann.account }, was: 0 }, 'nomember'],
    [{ act: 'invite.revoke', args: { hash: inviteHash(await loadSodium(), world.code) }, was: 0 }, 'invite'],
  ]
  for (const [act, code] of acts) expect(await answerTo(device, signCommand(eve, own, act)), act.act).toBe(code)
  const again = { act: 'community.create', args: { ...args, channel }, was: 0 } as const
  expect(await answerTo(device, signCommand(eve, idFromBytes<'space'>(someBytes(16)), again))).toBe('duplicate')
  await device.end()
  await provesHarmless(world)
})

test('[ATT-43] every act without the right, by a member and by an outsider', async () => {
  const { eve, out, place, ben } = world
  const { channel } = place
  const hash = inviteHash(await loadSodium(), world.code)
  const acts: CommandAct[] = [
    rename('Mine'),
    { act: 'channel.create', args: { channel: newChannel(), name: 'mine', kind: 'text', position: 'a5' }, was: 0 },
    { act: 'channel.rename', args: { channel, name: 'mine' }, was: 'general' },
    { act: 'channel.topic', args: { channel, topic: 'mine' }, was: '' },
    { act: 'channel.move', args: { channel, position: 'a9' }, was: 'a0' },
    { act: 'channel.delete', args: { channel }, was: 0 },
    { act: 'invite.create', args: { hash: 'A'.repeat(43), until: 0, uses: 0 }, was: 0 },
    { act: 'invite.revoke', args: { hash }, was: 0 },
    { act: 'member.remove', args: { account: ben.account }, was: 0 },
  ]
  for (const [person, code] of [
    [eve, 'forbidden'],
    [out, 'notmember'],
  ] as const) {
    const device = await world.link(person)
    for (const act of acts) expect(await answerTo(device, signCommand(person, space, act)), act.act).toBe(code)
    await device.end()
  }
  await provesHarmless(world)
})

test('[ATT-43] founding a community that there is', async () => {
  const args = { name: 'Mine', channel: newChannel(), channelName: 'general' }
  const found: CommandAct = { act: 'community.create', args, was: 0 }
  const codes = [
    await answer(world.out, signCommand(world.out, space, found)),
    await answerTo(world.writer, signCommand(world.ann, space, found)),
  ]
  expect(codes).toEqual(['taken', 'taken'])
  await provesHarmless(world)
})

test('[ATT-43] the owner removed, and leaving', async () => {
  const { ann } = world
  const remove: CommandAct = { act: 'member.remove', args: { account: ann.account }, was: 0 }
  expect(await answer(world.eve, signCommand(world.eve, space, remove))).toBe('forbidden')
  expect(await answerTo(world.writer, signCommand(ann, space, remove))).toBe('owner')
  expect(await answerTo(world.writer, signCommand(ann, space, { act: 'member.leave', args: {}, was: 0 }))).toBe('owner')
  await provesHarmless(world)
})

test('[ATT-44] joining without the code, with another, with its hash, and when it is used up or revoked', async () => {
  const { out } = world
  const sodium = await loadSodium()
  const hash = inviteHash(sodium, world.code)
  const otherSpace = idFromBytes<'space'>(someBytes(16))
  const codes = ['once', 'gone'].map(() => Buffer.from(someBytes(16)).toString('base64url'))
  const [used = '', revoked = ''] = codes
  const [usedHash, revokedHash] = [inviteHash(sodium, used), inviteHash(sodium, revoked)]
  await annDoes({ act: 'invite.create', args: { hash: usedHash, until: 1, uses: 0 }, was: 0 })
  await annDoes({ act: 'invite.create', args: { hash: revokedHash, until: 0, uses: 0 }, was: 0 })
  await annDoes({ act: 'invite.revoke', args: { hash: revokedHash }, was: 0 })
  const join = (of: string): CommandAct => ({ act: 'member.join', args: { hash: of }, was: 0 })
  const tries: [string, string, SpaceId][] = [
    [hash, '', space],
    [hash, hash, space],
    [hash, used, space],
    [hash, 'x'.repeat(200), space],
    [hash, world.code, otherSpace],
    [usedHash, used, space],
    [revokedHash, revoked, space],
    ['A'.repeat(43), world.code, space],
  ]
  const device = await world.link(out)
  for (const [of, secret, where] of tries)
    expect(await answerTo(device, { ...signCommand(out, where, join(of)), secret })).toBe('invite')
  await device.end()
  await provesHarmless(world)
})

test('[ATT-44] who was removed gives his last commands again', async () => {
  const { out } = world
  await joinByHand(world, out)
  head = await headNow()
  const leave = signCommand(out, space, { act: 'member.leave', args: {}, was: 0 })
  const device = await world.link(out)
  await annDoes({ act: 'member.remove', args: { account: out.account }, was: 0 })
  await device.heard('left')
  expect(await answerTo(device, leave)).toBe('notmember')
  expect(await answerTo(device, signCommand(out, space, rename('Mine')))).toBe('notmember')
  device.say({ t: 'chain', space, after: 0 })
  await device.heard(
    'left',
    () => device.frames.filter((frame) => frame.kind === 'control' && frame.message.t === 'left').length > 1,
  )
  await device.end()
  await provesHarmless(world)
})

/** Texts that ann's own key signs. */
const garbage: Record<string, [(good: string) => string, string]> = {
  'blanks between the fields': [(good) => good.replace(',', ', '), 'shape'],
  'duplicate keys': [(good) => good.replace('{"name":"Mine"}', '{"name":"Mine","name":"Mine"}'), 'shape'],
  'one argument more': [(good) => good.replace('{"name":"Mine"}', '{"name":"Mine","x":1}'), 'shape'],
  'an argument __proto__': [(good) => good.replace('{"name":"Mine"}', '{"__proto__":"Mine"}'), 'shape'],
  'no arguments': [(good) => good.replace('{"name":"Mine"}', '{}'), 'shape'],
  'arguments in a list': [(good) => good.replace('{"name":"Mine"}', '["Mine"]'), 'shape'],
  'a name that is a number': [(good) => good.replace('"Mine"', '1'), 'shape'],
  'a float as time': [(good) => good.replace(/,\d+,"comm/, ',1.5,"comm'), 'shape'],
  'negative zero as time': [(good) => good.replace(/,\d+,"comm/, ',-0,"comm'), 'shape'],
  '2^53 as time': [(good) => good.replace(/,\d+,"comm/, ',9007199254740992,"comm'), 'shape'],
  'an act that is not known': [(good) => good.replace('community.rename', 'community.explode'), 'act'],
  '__proto__ as act': [(good) => good.replace('community.rename', '__proto__'), 'act'],
  'toString as act': [(good) => good.replace('community.rename', 'toString'), 'act'],
  'a lone surrogate in the name': [(good) => good.replace('"Mine"', '"\\ud800"'), 'name'],
  'bidi controls in the name': [(good) => good.replace('"Mine"', '"\u202eMine"'), 'name'],
  'a NUL in the name': [(good) => good.replace('"Mine"', '"\\u0000"'), 'name'],
  'a name of 101 characters': [(good) => good.replace('"Mine"', `"${'x'.repeat(101)}"`), 'name'],
  'a name of blanks': [(good) => good.replace('"Mine"', '"   "'), 'name'],
  'nesting to 15,000': [(good) => good.replace('{"name":"Mine"}', '['.repeat(7_500) + ']'.repeat(7_500)), 'shape'],
}

test.each(Object.entries(garbage))('[ATT-45] validly signed: %s', async (_, [change, code]) => {
  // Not on ann's own link: the third of these closes it.
  const link = await world.link(desk)
  expect(await answerTo(link, signCommandText(desk, space, change(signCommand(desk, space, rename('Mine')).text)))).toBe(code)
  await link.end()
  await provesHarmless(world)
})

test('[ATT-45] a text that is no command at all, and one of 16,385 bytes, close the link', async () => {
  const { eve } = world
  const id = makeTimeId<'command'>(Date.now(), someBytes(16))
  const long = JSON.stringify([id, eve.account, eve.dev, 0, 'community.rename', { name: 'x'.repeat(16_385 - 132) }, 'x'])
  const good = signCommand(eve, space, rename('Mine')).text
  const counts = [good.replace(/,[^,]*\]$/, ']'), good.replace(/\]$/, ',0]')]
  for (const text of ['', '[', '{}', '[]', ...counts, '['.repeat(30_000), long.padEnd(16_385, ' ')]) {
    const device = await world.link(eve)
    device.say(signCommandText(eve, space, text))
    expect((await device.closed).code).toBe(closeCodes.malformed)
  }
  await provesHarmless(world)
})

test('[ATT-45] the third command that no device gives closes the link', async () => {
  const { eve, ann } = world
  const device = await world.link(eve)
  const forged = () => signCommandText(ann, space, signCommand(eve, space, rename('Mine')).text)
  for (let i = 0; i < 3; i++) device.say(forged())
  expect((await device.closed).code).toBe(closeCodes.forbidden)
  await provesHarmless(world)
})
