import { afterEach, describe, expect, test } from 'vitest'
import { type CommandDone, createCommandDesk, type Outcome } from '#relay/community/command-desk.ts'
import { createStructureAuthor } from '#relay/community/structure-author.ts'
import type { CommunityStore } from '#relay/store/community-store.ts'
import type { ChannelId, DeviceId, SpaceId } from '#shared/base/ids.ts'
import { limits } from '#shared/base/limits.ts'
import { createPrng } from '#shared/base/prng.ts'
import { checkRecord } from '#shared/community/chain.ts'
import type { CommandAct } from '#shared/community/command.ts'
import { inviteHash, makeInviteCode } from '#shared/community/invite-code.ts'
import { firstPosition } from '#shared/community/position.ts'
import type { CommunityHead } from '#shared/community/state.ts'
import { openStructure } from '#shared/structure/structure-document.ts'
import { createMemoryCommunityStore } from '../../fakes/memory-community-store.ts'
import { createPeople, type Person, signed, sodium } from './people.ts'

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

async function createTown(seed: number, store: CommunityStore = createMemoryCommunityStore()) {
  const people = createPeople(seed)
  const structure = await createStructureAuthor({ store, random: createPrng(seed) })
  closing.push(() => structure.close())
  const desk = createCommandDesk({ store, structure, hasher: sodium, verifier: sodium })
  const ada = people.person('ada')
  const ben = people.person('ben')
  let now = 1_000_000
  const give = (person: Person, space: SpaceId, act: CommandAct, secret = ''): Promise<Outcome> =>
    desk.handle(person, people.frame(person, space, act, secret), ++now)
  const found = async (owner: Person, name = 'Sample Server') => {
    const space = people.space()
    const channel = people.channel()
    const outcome = await give(owner, space, { act: 'community.create', args: { name, channel, channelName: 'general' }, was: 0 })
    return { space, channel, outcome }
  }
  const invite = async (space: SpaceId, { until = 0, uses = 0 } = {}) => {
    const code = makeInviteCode({ bytes: people.bytes })
    const hash = inviteHash(sodium, code)
    const outcome = await give(ada, space, { act: 'invite.create', args: { hash, until, uses }, was: 0 })
    return { code, hash, outcome }
  }
  const join = (person: Person, space: SpaceId, code: string) =>
    give(person, space, { act: 'member.join', args: { hash: inviteHash(sodium, code) }, was: 0 }, code)
  return { people, store, desk, ada, ben, give, found, invite, join, tick: (ms: number) => (now += ms), now: () => now }
}

const code = (outcome: Outcome) => (outcome.kind === 'refused' ? outcome.code : outcome.kind)

function done(outcome: Outcome): CommandDone {
  if (outcome.kind !== 'done') throw new Error(`not done: ${JSON.stringify(outcome)}`)
  return outcome
}

const rename = (name: string, was: string): CommandAct => ({ act: 'community.rename', args: { name }, was })
const leave: CommandAct = { act: 'member.leave', args: {}, was: 0 }

describe('founding', () => {
  test('[CMD-10] founding makes its founder owner and member, and the channel that he named', async () => {
    const { ada, found, store } = await createTown(1)
    const { space, channel, outcome } = await found(ada)
    const { n, members, channelsMade, joined, head } = done(outcome)
    expect({ n, channelsMade, joined }).toEqual({ n: 1, channelsMade: [channel], joined: [ada.account] })
    expect(members).toMatchObject([{ account: ada.account, username: 'ada', left: 0, n: 1 }])
    expect(head.state.channels[channel]).toEqual({ name: 'general', kind: 'text', topic: '', position: firstPosition })
    expect(await store.head(space)).toEqual(head)
    expect(await store.spacesOf(ada.account)).toEqual([space])
  })

  test('[CMD-10] a space that there is cannot be founded again, nor with a channel of another one', async () => {
    const { people, ada, ben, found, give } = await createTown(2)
    const { space, channel } = await found(ada)
    const again = (at: SpaceId, first: ChannelId) =>
      give(ben, at, { act: 'community.create', args: { name: 'Mine', channel: first, channelName: 'general' }, was: 0 })
    expect(code(await again(space, people.channel()))).toBe('taken')
    expect(code(await again(people.space(), channel))).toBe('duplicate')
  })
})

describe('who may', () => {
  test('[CMD-6] only the owner manages; a member is told so, a stranger only that he is none', async () => {
    const { people, ada, ben, found, give, invite, join } = await createTown(3)
    const { space, channel } = await found(ada)
    const acts: CommandAct[] = [
      rename('Other', 'Sample Server'),
      { act: 'channel.create', args: { channel: people.channel(), name: 'music', kind: 'text', position: 'a1' }, was: 0 },
      { act: 'channel.rename', args: { channel, name: 'lobby' }, was: 'general' },
      { act: 'channel.topic', args: { channel, topic: 'x' }, was: '' },
      { act: 'channel.move', args: { channel, position: 'a1' }, was: firstPosition },
      { act: 'channel.delete', args: { channel }, was: 0 },
      { act: 'invite.create', args: { hash: inviteHash(sodium, 'x'), until: 0, uses: 0 }, was: 0 },
      { act: 'invite.revoke', args: { hash: inviteHash(sodium, 'x') }, was: 0 },
      { act: 'member.remove', args: { account: ada.account }, was: 0 },
    ]
    for (const act of acts) expect([act.act, code(await give(ben, space, act))]).toEqual([act.act, 'notmember'])
    for (const act of acts) expect([act.act, code(await give(ben, people.space(), act))]).toEqual([act.act, 'notmember'])
    await join(ben, space, (await invite(space)).code)
    for (const act of acts) expect([act.act, code(await give(ben, space, act))]).toEqual([act.act, 'forbidden'])
    expect(code(await give(ada, space, rename('Other', 'Sample Server')))).toBe('done')
  })

  test('[CMD-7] the owner cannot leave or be removed', async () => {
    const { ada, found, give } = await createTown(4)
    const { space } = await found(ada)
    expect(code(await give(ada, space, leave))).toBe('owner')
    expect(code(await give(ada, space, { act: 'member.remove', args: { account: ada.account }, was: 0 }))).toBe('owner')
  })

  test('[CMD-4] a command counts for the session that sends it and no other', async () => {
    const { people, ada, ben, found, desk } = await createTown(5)
    const { space } = await found(ada)
    const frame = people.frame(ada, space, rename('Other', 'Sample Server'))
    expect(code(await desk.handle(ben, frame, 2_000_000))).toBe('session')
    // reason: an id is an id to the desk; only which one matters here
    const otherDevice = { ...ada, dev: ben.dev as DeviceId }
    expect(code(await desk.handle(otherDevice, frame, 2_000_001))).toBe('session')
    expect(code(await desk.handle({ ...ada, key: ben.key }, frame, 2_000_002))).toBe('signature')
    const elsewhere = { ...frame, ...signed(ada, people.space(), frame.text) }
    expect(code(await desk.handle(ada, elsewhere, 2_000_003))).toBe('signature')
    expect(code(await desk.handle(ada, frame, 2_000_004))).toBe('done')
  })

  test('[CMD-1] what cannot be read is refused with its id where there is one', async () => {
    const { ada, found, desk } = await createTown(6)
    const { space } = await found(ada)
    const frame = (text: string) => ({ space, secret: '', ...signed(ada, space, text) })
    expect(await desk.handle(ada, frame('nonsense'), 2_000_000)).toEqual({
      kind: 'refused',
      id: 0,
      code: 'shape',
      present: undefined,
    })
    const long = frame(JSON.stringify('x'.repeat(limits.commandBytesMax)))
    expect(code(await desk.handle(ada, long, 2_000_000))).toBe('size')
  })
})

describe('once', () => {
  test('[CMD-5] a repeated command answers its number and changes nothing', async () => {
    const { people, ada, found, desk, store } = await createTown(7)
    const { space } = await found(ada)
    const frame = people.frame(ada, space, rename('Other', 'Sample Server'))
    expect(done(await desk.handle(ada, frame, 2_000_000)).n).toBe(2)
    expect(await desk.handle(ada, frame, 2_000_001)).toEqual({ kind: 'known', id: frame.id, n: 2 })
    expect((await store.head(space))?.n).toBe(2)
  })

  test("[CMD-5] the id of another's command is taken and tells nothing else", async () => {
    const { people, ada, ben, found, desk, invite, join } = await createTown(8)
    const { space } = await found(ada)
    await join(ben, space, (await invite(space)).code)
    const frame = people.frame(ada, space, rename('Other', 'Sample Server'))
    await desk.handle(ada, frame, 2_000_000)
    const stolen = signed(ben, space, frame.text.replace(ada.account, ben.account).replace(ada.dev, ben.dev))
    expect(await desk.handle(ben, { ...frame, ...stolen }, 2_000_001)).toEqual({
      kind: 'refused',
      id: frame.id,
      code: 'duplicate',
      present: undefined,
    })
  })

  test('[CMD-5] leaving, repeated after it was done, is known although one is no member any more', async () => {
    const { people, ada, ben, found, desk, invite, join } = await createTown(9)
    const { space } = await found(ada)
    await join(ben, space, (await invite(space)).code)
    const frame = people.frame(ben, space, leave)
    const { left, members, n } = done(await desk.handle(ben, frame, 2_000_000))
    expect(left).toEqual([ben.account])
    expect(members).toMatchObject([{ account: ben.account, left: 2_000_000, n }])
    expect(await desk.handle(ben, frame, 2_000_001)).toEqual({ kind: 'known', id: frame.id, n })
  })
})

describe('time', () => {
  test("[CMD-8] a command's time lies above all before it, also when the clock stands or goes back", async () => {
    const { people, ada, found, desk, store } = await createTown(10)
    const { space, outcome } = await found(ada)
    let last = done(outcome).record.at
    let name = 'Sample Server'
    for (const now of [last, last - 500, 0, last + 10, last + 10]) {
      const next = `${name}x`
      const { record } = done(await desk.handle(ada, people.frame(ada, space, rename(next, name)), now))
      expect(record.at).toBeGreaterThan(last)
      expect(await store.clock()).toBe(record.at)
      last = record.at
      name = next
    }
  })
})

describe('values seen', () => {
  test('[CMD-3] of two who changed the same value the later is told what stands', async () => {
    const { ada, found, give } = await createTown(11)
    const { space } = await found(ada)
    expect(code(await give(ada, space, rename('One', 'Sample Server')))).toBe('done')
    expect(await give(ada, space, rename('Two', 'Sample Server'))).toMatchObject({
      kind: 'refused',
      code: 'stale',
      present: 'One',
    })
  })
})

describe('invites', () => {
  test('[INV-1] who knows the code joins; the code is nowhere in the chain', async () => {
    const { ada, ben, found, invite, join, store } = await createTown(12)
    const { space } = await found(ada)
    const made = await invite(space)
    const joined = done(await join(ben, space, made.code))
    expect(joined.joined).toEqual([ben.account])
    expect(await store.spacesOf(ben.account)).toEqual([space])
    expect((await store.invite(made.hash))?.uses).toBe(1)
    expect(JSON.stringify(await store.records(space, 0, 100))).not.toContain(made.code)
  })

  test('[INV-2] a wrong, missing, foreign, revoked, expired or used-up code opens nothing', async () => {
    const { people, ada, ben, found, give, invite, join, tick, now } = await createTown(13)
    const { space } = await found(ada)
    const other = await found(ada, 'Other')
    const open = await invite(space)
    const carla = people.person('carla')
    const byHash = (secret: string): CommandAct & { secret: string } => ({
      act: 'member.join',
      args: { hash: open.hash },
      was: 0,
      secret,
    })
    const { secret: _, ...act } = byHash('')
    expect(code(await give(ben, space, act, ''))).toBe('invite')
    expect(code(await give(ben, space, act, makeInviteCode({ bytes: people.bytes })))).toBe('invite')
    expect(code(await join(ben, other.space, open.code))).toBe('invite')
    expect(code(await join(ben, people.space(), open.code))).toBe('invite')
    expect(code(await join(ben, space, 'x'))).toBe('invite')

    expect(code(await give(ada, other.space, { act: 'invite.revoke', args: { hash: open.hash }, was: 0 }))).toBe('invite')
    expect(code(await give(ada, space, { act: 'invite.revoke', args: { hash: open.hash }, was: 0 }))).toBe('done')
    expect(code(await give(ada, space, { act: 'invite.revoke', args: { hash: open.hash }, was: 0 }))).toBe('invite')
    expect(code(await join(ben, space, open.code))).toBe('invite')

    const brief = await invite(space, { until: now() + 1_000 })
    tick(2_000)
    expect(code(await join(ben, space, brief.code))).toBe('invite')

    const single = await invite(space, { uses: 1 })
    expect(code(await join(ben, space, single.code))).toBe('done')
    expect(code(await join(carla, space, single.code))).toBe('invite')
  })

  test('[INV-3] joining again while a member is known, and uses nothing up', async () => {
    const { ada, ben, found, invite, join, store } = await createTown(14)
    const { space } = await found(ada)
    const made = await invite(space, { uses: 2 })
    const first = done(await join(ben, space, made.code))
    expect(await join(ben, space, made.code)).toMatchObject({ kind: 'known', n: first.n })
    expect((await store.invite(made.hash))?.uses).toBe(1)
  })

  test('[MEM-1] who was removed is out, and may come back by a valid invite', async () => {
    const { ada, ben, found, give, invite, join, store } = await createTown(15)
    const { space } = await found(ada)
    const made = await invite(space)
    await join(ben, space, made.code)
    const remove: CommandAct = { act: 'member.remove', args: { account: ben.account }, was: 0 }
    const removed = done(await give(ada, space, remove))
    expect(removed.left).toEqual([ben.account])
    expect(await store.spacesOf(ben.account)).toEqual([])
    expect(code(await give(ada, space, remove))).toBe('nomember')
    expect(code(await give(ben, space, leave))).toBe('notmember')
    const back = done(await join(ben, space, made.code))
    expect(await store.member(space, ben.account)).toMatchObject({ joined: back.record.at, left: 0, n: back.n })
  })

  test('[INV-4] an invite is made once, and a community holds so many open ones', async () => {
    const { ada, found, give, invite, store } = await createTown(16)
    const { space } = await found(ada)
    const other = await found(ada, 'Other')
    const made = await invite(space)
    for (const at of [space, other.space])
      expect(code(await give(ada, at, { act: 'invite.create', args: { hash: made.hash, until: 0, uses: 0 }, was: 0 }))).toBe(
        'duplicate',
      )
    const [row] = await store.invites(space)
    const many = Array.from({ length: limits.invitesPerCommunityMax }, (_, i) => ({ ...row, hash: String(i) }))
    // reason: a store that has as many invites as there may be, without a thousand signatures
    const full = { ...store, invites: async () => many } as CommunityStore
    const { desk, people } = await createTown(17, full)
    const frame = people.frame(ada, space, {
      act: 'invite.create',
      args: { hash: inviteHash(sodium, 'y'), until: 0, uses: 0 },
      was: 0,
    })
    expect(code(await desk.handle(ada, frame, 3_000_000))).toBe('full')
  })
})

describe('channels', () => {
  test('[CMD-9] a deleted channel is gone for good: nothing changes it, and its id never lives again', async () => {
    const { ada, found, give, store } = await createTown(18)
    const { space, channel } = await found(ada)
    const gone = done(await give(ada, space, { act: 'channel.delete', args: { channel }, was: 0 }))
    expect(gone.channelsDeleted).toEqual([channel])
    expect(await store.spaceOf(channel)).toBeUndefined()
    expect(code(await give(ada, space, { act: 'channel.rename', args: { channel, name: 'x' }, was: 'general' }))).toBe(
      'nochannel',
    )
    expect(code(await give(ada, space, { act: 'channel.delete', args: { channel }, was: 0 }))).toBe('nochannel')
    const again: CommandAct = { act: 'channel.create', args: { channel, name: 'x', kind: 'text', position: 'a0' }, was: 0 }
    expect(code(await give(ada, space, again))).toBe('duplicate')
  })
})

describe('what it stores', () => {
  test('[CHAIN-1] [STR-1] a device checks every record to the same head, and the stored document equals the state', async () => {
    const { people, ada, ben, found, give, invite, join, store } = await createTown(19)
    const { space, channel } = await found(ada)
    await join(ben, space, (await invite(space)).code)
    const music = people.channel()
    await give(ada, space, {
      act: 'channel.create',
      args: { channel: music, name: 'music', kind: 'voice', position: 'a1' },
      was: 0,
    })
    await give(ada, space, { act: 'channel.topic', args: { channel, topic: 'Words\nand more' }, was: '' })
    await give(ada, space, { act: 'channel.move', args: { channel: music, position: 'Zz' }, was: 'a1' })
    await give(ben, space, leave)
    await give(ada, space, { act: 'channel.delete', args: { channel }, was: 0 })

    const keys = new Map([ada, ben].map((person) => [person.dev, { account: person.account, key: person.key }]))
    let head: CommunityHead | undefined
    for (const record of await store.records(space, 0, 100)) {
      const checked = checkRecord({ hasher: sodium, verifier: sodium }, space, head, record, (dev) => keys.get(dev))
      if (!checked.ok) throw new Error(checked.code)
      head = checked.value
    }
    expect(head).toEqual(await store.head(space))
    const { changes } = await store.structure(space)
    const document = openStructure(changes)
    closing.push(() => document.free())
    expect(document.state()).toEqual(head?.state)
    expect(document.versions().map(({ n }) => n)).toEqual([1, 4, 5, 6, 8])
  })

  test('[CMD-11] when the store fails nothing was executed, and the next command goes on from what is stored', async () => {
    const disk = createMemoryCommunityStore()
    let broken = false
    const { people, ada, found, desk } = await createTown(20, {
      ...disk,
      commit: (batch, now) => (broken ? Promise.reject(new Error('disk full')) : disk.commit(batch, now)),
    })
    const { space } = await found(ada)
    broken = true
    const frame = people.frame(ada, space, rename('Other', 'Sample Server'))
    await expect(desk.handle(ada, frame, 2_000_000)).rejects.toThrow('disk full')
    expect((await disk.head(space))?.state.name).toBe('Sample Server')
    broken = false
    expect(done(await desk.handle(ada, frame, 2_000_001)).n).toBe(2)
    const document = openStructure((await disk.structure(space)).changes)
    closing.push(() => document.free())
    expect(document.state()).toEqual((await disk.head(space))?.state)
    expect(document.count).toBe(2)
  })
})
