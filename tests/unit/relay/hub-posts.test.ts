// Entries that come by a request: the same inbox, the same turns, the same buckets, the same decision.
import { expect, test } from 'vitest'
import { type ChannelId, parseChannelId, type SpaceId } from '#shared/base/ids.ts'
import type { Person } from '../community/people.ts'
import { createHubWorld, type HubWorld } from './hub-world.ts'

const nowhere = parseChannelId('AAAAAAAAAAAAAAAAAAAAAA')

async function createPlace(given: Parameters<typeof createHubWorld>[0] = {}) {
  const world = createHubWorld(given)
  const owner = await world.online(await world.person('ann'))
  const member = await world.online(await world.person('ben'))
  const { space, channel } = await world.community(owner, member)
  return { world, owner, member, space, channel }
}

function post(world: HubWorld, person: Person, space: SpaceId, channel: ChannelId, ...entries: { bytes: Uint8Array }[]) {
  const session = { account: person.account, dev: person.dev, idHash: `hash of token-${person.dev}` }
  return world.hub.append(
    session,
    space,
    channel,
    entries.map(({ bytes }) => bytes),
  )
}

test('[POST-1] a post is accepted, told to devices, and known when it comes again, by either way', async () => {
  const { world, owner, member, space, channel } = await createPlace()
  await world.post(owner, space, channel, 'zero')
  await world.open(owner, world.head(channel))
  const entry = world.entry(member.person, space, channel, { body: { t: 'by request' } })
  const answer = await post(world, member.person, space, channel, entry)
  expect(answer).toEqual({
    kind: 'decided',
    verdicts: [{ kind: 'accepted', id: entry.id, seq: 2, at: expect.any(Number) }],
    wait: 0,
    why: undefined,
  })
  expect(owner.texts(world.head(channel))).toEqual(['zero', 'by request'])
  const known = { kind: 'known', id: entry.id, seq: 2, gone: false }
  expect(await post(world, member.person, space, channel, entry)).toMatchObject({ verdicts: [known] })
  expect((await world.append(member, channel, entry))?.verdicts).toEqual([known])
})

test('[POST-2] posts and frames that come together are one turn and one commit', async () => {
  const { world, owner, member, space, channel } = await createPlace()
  const before = world.hub.health().commits
  const answers = [1, 2, 3].map((nr) =>
    post(world, member.person, space, channel, world.entry(member.person, space, channel, { body: { t: String(nr) } })),
  )
  const byLink = world.append(owner, channel, world.entry(owner.person, space, channel))
  expect((await Promise.all(answers)).map((answer) => answer.kind)).toEqual(['decided', 'decided', 'decided'])
  expect((await byLink)?.verdicts[0]?.kind).toBe('accepted')
  expect(world.hub.health().commits - before).toBeLessThanOrEqual(2)
})

test('[POST-3] one bucket for a person’s links and posts', async () => {
  const { world, member, space, channel } = await createPlace({ settings: { entryBurst: 4, entriesPerMinute: 60 } })
  const entries = Array.from({ length: 6 }, () => world.entry(member.person, space, channel))
  await world.append(member, channel, ...entries.slice(0, 2))
  const answer = await post(world, member.person, space, channel, ...entries.slice(2))
  expect(answer).toMatchObject({ kind: 'decided', verdicts: [{ kind: 'accepted' }, { kind: 'accepted' }], wait: 2_000 })
  const rest = await post(world, member.person, space, channel, ...entries.slice(4))
  expect(rest).toMatchObject({ kind: 'decided', verdicts: [], wait: 2_000 })
  world.clock.time += 2_000
  const last = await post(world, member.person, space, channel, ...entries.slice(4))
  expect(last).toMatchObject({ verdicts: [{ kind: 'accepted' }, { kind: 'accepted' }], wait: 0 })
})

test('[POST-4] a channel that one may not see and one that is not there: the same answer, by the same questions', async () => {
  const asked: string[] = []
  const { world, owner, member, space, channel } = await createPlace({
    wrapLog: (log) => ({
      ...log,
      facts(...given) {
        asked.push('facts')
        return log.facts(...given)
      },
    }),
  })
  const outsider = await world.online(await world.person('eve'))
  const other = await world.community(owner)
  asked.length = 0
  const refused = { kind: 'refused', code: 'nochannel' }
  const wrong: [Person, SpaceId, ChannelId][] = [
    [outsider.person, space, channel],
    [outsider.person, space, nowhere ?? channel],
    [outsider.person, world.people.space(), channel],
    [member.person, other.space, other.channel],
    [member.person, space, other.channel],
    [member.person, other.space, channel],
  ]
  for (const [person, inSpace, inChannel] of wrong)
    expect(await post(world, person, inSpace, inChannel, world.entry(person, inSpace, inChannel))).toEqual(refused)
  expect(asked).toEqual([])
})

test('[POST-5] who was removed while the post waited has no part in the turn', async () => {
  const { world, owner, member, space, channel } = await createPlace()
  const { account } = member.person
  const removing = world.command(owner, space, { act: 'member.remove', args: { account }, was: 0 })
  const answer = await post(world, member.person, space, channel, world.entry(member.person, space, channel))
  await removing
  expect(answer).toEqual({ kind: 'refused', code: 'nochannel' })
})

test('[POST-6] a session that ends takes its waiting posts along; a revoked device has none', async () => {
  const { world, member, space, channel } = await createPlace()
  const entry = world.entry(member.person, space, channel)
  const waiting = [post(world, member.person, space, channel, entry), post(world, member.person, space, channel, entry)]
  world.hub.endSession(`hash of token-${member.person.dev}`)
  expect(await Promise.all(waiting)).toEqual(Array(2).fill({ kind: 'refused', code: 'unauthorized' }))
  await world.revoke(member.person)
  expect(await post(world, member.person, space, channel, entry)).toEqual({ kind: 'refused', code: 'device' })
  expect(world.tables.channels.get(channel)?.seq).toBe(0)
})

test('[POST-7] after a failed commit it may be sent again, and so it may to a relay that stops', async () => {
  let fails = true
  const { world, member, space, channel } = await createPlace({
    wrapLog: (log) => ({
      ...log,
      async commit(...given) {
        if (fails) throw new Error('the disk took nothing')
        return log.commit(...given)
      },
    }),
  })
  const entry = world.entry(member.person, space, channel)
  expect(await post(world, member.person, space, channel, entry)).toEqual({ kind: 'refused', code: 'busy' })
  fails = false
  expect(await post(world, member.person, space, channel, entry)).toMatchObject({ verdicts: [{ kind: 'accepted', seq: 1 }] })
  const last = post(world, member.person, space, channel, world.entry(member.person, space, channel))
  await world.hub.stop()
  // Answered by then, in one way or the other.
  expect(await last).toMatchObject({ kind: expect.stringMatching(/decided|refused/) })
  expect(await post(world, member.person, space, channel, entry)).toEqual({ kind: 'refused', code: 'busy' })
})

test('[POST-8] forged entries are refused and cost tokens; the third of one post ends what else waits', async () => {
  const { world, owner, member, space, channel } = await createPlace()
  const forged = () => world.entry({ ...owner.person, signer: member.person.signer }, space, channel)
  const answers = [
    post(world, member.person, space, channel, forged(), forged(), forged()),
    post(world, member.person, space, channel, world.entry(member.person, space, channel)),
  ]
  const [first, second] = await Promise.all(answers)
  expect(first).toMatchObject({ verdicts: Array(3).fill({ kind: 'refused', code: 'session', severe: true }) })
  expect([second?.kind === 'decided' || second?.code === 'forbidden']).toEqual([true])
  const honest = await post(world, member.person, space, channel, world.entry(member.person, space, channel))
  expect(honest).toMatchObject({ verdicts: [{ kind: 'accepted' }] })
})

test('[POST-9] so much of one session waits and no more', async () => {
  const { world, member, space, channel } = await createPlace({ settings: { inboxFramesMax: 3 } })
  const answers = await Promise.all(
    Array.from({ length: 6 }, () => post(world, member.person, space, channel, world.entry(member.person, space, channel))),
  )
  expect(answers.filter((answer) => answer.kind === 'refused').map((answer) => answer.code)).toContain('busy')
  const after = await post(world, member.person, space, channel, world.entry(member.person, space, channel))
  expect(after.kind).toBe('decided')
})
