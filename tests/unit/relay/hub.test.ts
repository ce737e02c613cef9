// The hub as devices see it: who gets what, in which order, and what nobody gets.
import { expect, test } from 'vitest'
import type { LogStore } from '#relay/store/log-store.ts'
import { closeCodes } from '#shared/protocol/frames.ts'
import { createHubWorld } from './hub-world.ts'

async function twoPeople(given: Parameters<typeof createHubWorld>[0] = {}) {
  const world = createHubWorld(given)
  const dupe = await world.online(await world.person('dupe'))
  const dupette = await world.online(await world.person('dupette'))
  const { space, channel } = await world.community(dupe, dupette)
  return { world, dupe, dupette, space, channel }
}

test('a new person is welcomed, has no space, and is ready', async () => {
  const world = createHubWorld()
  const dupe = await world.online(await world.person('dupe'))
  expect(dupe.of('welcome')[0]).toMatchObject({ username: 'dupe', incarnation: 'incarnation-1', account: dupe.person.account })
  expect(dupe.of('space')).toEqual([])
  expect(dupe.of('ready')).toHaveLength(1)
})

test('a community that was made and joined is named at the next hello, with its channels', async () => {
  const { world, dupe, dupette, space, channel } = await twoPeople()
  expect(dupe.of('record').map(({ records }) => records[0]?.n)).toEqual([1, 2, 3])
  expect(dupe.of('members').at(-1)?.rows[0]?.username).toBe('dupette')
  expect(dupette.of('space').at(-1)).toMatchObject({ id: space, n: 3 })
  const again = await world.online(dupette.person)
  expect(again.of('space')).toEqual([
    { t: 'space', id: space, n: 3, channels: [{ id: channel, rev: 0, view: 0, head: '', last: 0, unread: 0 }], more: false },
  ])
  again.say({ t: 'chain', space, after: 0 })
  await world.hub.idle()
  expect(again.of('record').flatMap(({ records }) => records.map(({ n }) => n))).toEqual([1, 2, 3])
  expect(again.of('members').flatMap(({ rows }) => rows.map(({ username }) => username))).toEqual(['dupe', 'dupette'])
})

test('a message goes to everyone who has the segment open, the sender included, and the result follows it', async () => {
  const { world, dupe, dupette, space, channel } = await twoPeople()
  await world.post(dupe, space, channel, 'one')
  const seg = world.head(channel)
  expect(dupette.of('segment')).toEqual([expect.objectContaining({ channel, seg, of: '' })])
  await world.open(dupe, seg)
  await world.open(dupette, seg)
  dupe.forgetFrames()
  const { result } = await world.post(dupe, space, channel, 'two')
  expect(result?.verdicts[0]).toMatchObject({ kind: 'accepted', seq: 2 })
  expect(dupe.frames.map((frame) => (frame.kind === 'control' ? frame.message.t : frame.kind))).toEqual(['update', 'result'])
  expect(dupette.texts(seg)).toEqual(['one', 'two'])
})

test('the same entry again is known, and stored once', async () => {
  const { world, dupe, space, channel } = await twoPeople()
  const entry = world.entry(dupe.person, space, channel)
  await world.append(dupe, channel, entry)
  const again = await world.append(dupe, channel, entry, entry)
  expect(again?.verdicts).toEqual([
    { kind: 'known', id: entry.id, seq: 1, gone: false },
    { kind: 'known', id: entry.id, seq: 1, gone: false },
  ])
  expect(world.tables.channels.get(channel)?.seq).toBe(1)
})

test('who is not a member gets neither list nor document nor update, and is refused in words', async () => {
  const { world, dupe, space, channel } = await twoPeople()
  await world.post(dupe, space, channel, 'among us')
  const stranger = await world.online(await world.person('stranger'))
  const { result } = await world.post(stranger, space, channel, 'let me in')
  // What he would be told if there were no such channel.
  expect(result?.verdicts[0]).toMatchObject({ kind: 'refused', code: 'nochannel' })
  await world.open(stranger, world.head(channel))
  stranger.say({ t: 'segments', channel, after: '' })
  stranger.say({ t: 'chain', space, after: 0 })
  await world.hub.idle()
  await world.post(dupe, space, channel, 'among us still')
  expect([...stranger.of('stale'), ...stranger.of('gone')]).toEqual([
    { t: 'stale', req: expect.any(Number) },
    { t: 'gone', channel },
  ])
  expect(stranger.of('left')).toEqual([{ t: 'left', space, code: 'notmember' }])
  expect(stranger.frames.some((frame) => frame.kind === 'update')).toBe(false)
  expect([...stranger.of('space'), ...stranger.of('segments'), ...stranger.of('record'), ...stranger.of('opened')]).toEqual([])
})

test('who was removed gets nothing behind it, and what he sends is refused', async () => {
  const { world, dupe, dupette, space, channel } = await twoPeople()
  await world.post(dupe, space, channel, 'one')
  await world.open(dupette, world.head(channel))
  const { account } = dupette.person
  const { done } = await world.command(dupe, space, { act: 'member.remove', args: { account }, was: 0 })
  expect(done).toMatchObject({ n: 4 })
  expect(dupette.of('left')).toEqual([{ t: 'left', space, code: 'notmember' }])
  dupette.forgetFrames()
  await world.post(dupe, space, channel, 'two')
  await world.command(dupe, space, { act: 'community.rename', args: { name: 'Twine' }, was: 'Cord' })
  expect(dupette.frames).toEqual([])
  const { result } = await world.post(dupette, space, channel, 'wait')
  expect(result?.verdicts[0]).toMatchObject({ code: 'notmember' })
})

test('what was accepted before one was removed is known to him, not refused', async () => {
  const { world, dupe, dupette, space, channel } = await twoPeople()
  const entry = world.entry(dupette.person, space, channel)
  await world.append(dupette, channel, entry)
  await world.command(dupe, space, { act: 'member.remove', args: { account: dupette.person.account }, was: 0 })
  expect((await world.append(dupette, channel, entry))?.verdicts[0]).toMatchObject({ kind: 'known', seq: 1 })
})

test('a device that comes back gets what it lacks, by the number of elements it holds', async () => {
  const { world, dupe, dupette, space, channel } = await twoPeople()
  const first = await world.post(dupe, space, channel, 'one')
  await world.post(dupe, space, channel, 'two')
  dupette.link.closed()
  const back = await world.online(dupette.person)
  expect(back.of('space')[0]?.channels[0]).toMatchObject({ last: 2, unread: 2, head: world.head(channel) })
  const seg = world.head(channel)
  await world.open(back, seg, 1, first.id)
  expect(back.texts(seg)).toEqual(['two'])
  const wrong = await world.open(back, seg, 2, first.id)
  const ahead = await world.open(back, seg, 9, first.id)
  expect(back.of('stale').map(({ req }) => req)).toEqual([wrong, ahead])
})

test('a redacted newest element is the same history on either side of its deletion', async () => {
  const { world, dupe, space, channel } = await twoPeople()
  const { id } = await world.post(dupe, space, channel, 'gone soon')
  const seg = world.head(channel)
  await world.append(dupe, channel, world.entry(dupe.person, space, channel, { op: 'redact', ref: id, body: 0 }))
  await world.open(dupe, seg, 1, id)
  await world.open(dupe, seg, 1, '-')
  expect(dupe.of('stale')).toEqual([])
  await world.open(dupe, seg, 2, '-')
  expect(dupe.of('stale')).toHaveLength(1)
  const fresh = await world.online(dupe.person)
  await world.open(fresh, seg)
  expect(fresh.texts(seg)).toEqual(['-', 'redact'])
})

test('too fast means wait, and what was not processed goes later', async () => {
  const { world, dupe, space, channel } = await twoPeople({ settings: { entryBurst: 3, entriesPerMinute: 60 } })
  const entries = Array.from({ length: 5 }, () => world.entry(dupe.person, space, channel))
  const result = await world.append(dupe, channel, ...entries)
  expect(result?.verdicts).toHaveLength(3)
  expect(result?.wait).toBeGreaterThan(0)
  world.clock.time += result?.wait ?? 0
  const rest = await world.append(dupe, channel, ...entries)
  expect(rest?.verdicts.map(({ kind }) => kind)).toEqual(['known', 'known', 'known', 'accepted', 'accepted'])
  expect(rest?.wait).toBe(0)
})

test('appends that wait together are one commit, and their results come in order', async () => {
  const { world, dupe, dupette, space, channel } = await twoPeople()
  const before = world.tables.meta.commits
  for (const device of [dupe, dupette])
    for (const nr of [1, 2])
      device.up({ kind: 'append', nr, channel, entries: [world.entry(device.person, space, channel).bytes] })
  await world.hub.idle()
  expect(world.tables.meta.commits).toBe(before + 1)
  expect(dupe.of('result').map(({ nr }) => nr)).toEqual([1, 2])
  expect(dupette.of('result').map(({ nr }) => nr)).toEqual([1, 2])
  expect(world.tables.channels.get(channel)?.seq).toBe(4)
})

test('the third entry that no honest device sends closes the link', async () => {
  const { world, dupe, dupette, space, channel } = await twoPeople()
  const forged = () => world.entry({ ...dupe.person, signer: dupette.person.signer }, space, channel)
  await world.append(dupe, channel, forged(), forged())
  expect(dupe.closedWith).toBe(0)
  await world.append(dupe, channel, forged())
  expect(dupe.closedWith).toBe(closeCodes.forbidden)
})

test('a message to a channel that is gone is refused as such', async () => {
  const { world, dupe, dupette, space, channel } = await twoPeople()
  await world.post(dupe, space, channel, 'one')
  await world.open(dupette, world.head(channel))
  const other = world.people.channel()
  await world.command(dupe, space, {
    act: 'channel.create',
    args: { channel: other, name: 'b', kind: 'text', position: 'a1' },
    was: 0,
  })
  expect(
    dupette
      .of('space')
      .at(-1)
      ?.channels.map(({ id }) => id),
  ).toEqual([other])
  await world.command(dupe, space, { act: 'channel.delete', args: { channel }, was: 0 })
  expect(dupette.of('gone')).toEqual([{ t: 'gone', channel }])
  const { result } = await world.post(dupette, space, channel, 'too late')
  expect(result?.verdicts[0]).toMatchObject({ code: 'nochannel' })
})

test('after a failed commit nothing was told, every link is closed, and sending again brings it there once', async () => {
  let fails = false
  const wrapLog = (log: LogStore): LogStore => ({
    ...log,
    commit: async (batches, now) => {
      if (!fails) return log.commit(batches, now)
      fails = false
      throw new Error('the disk is full')
    },
  })
  const { world, dupe, dupette, space, channel } = await twoPeople({ wrapLog })
  await world.post(dupe, space, channel, 'one')
  await world.open(dupette, world.head(channel))
  const entry = world.entry(dupe.person, space, channel, { body: { t: 'two' } })
  fails = true
  expect(await world.append(dupe, channel, entry)).toBeUndefined()
  expect([dupe.closedWith, dupette.closedWith]).toEqual([closeCodes.restarting, closeCodes.restarting])
  expect(world.events).toContainEqual(expect.objectContaining({ kind: 'store-failed' }))
  expect(dupette.texts(world.head(channel))).toEqual(['one'])
  const back = await world.online(dupe.person)
  expect((await world.append(back, channel, entry))?.verdicts[0]).toMatchObject({ kind: 'accepted', seq: 2 })
})

test('a question that the store cannot answer closes only the asker', async () => {
  let fails = false
  const wrapLog = (log: LogStore): LogStore => ({
    ...log,
    segment: async (segment) => {
      if (fails) throw new Error('unreadable')
      return log.segment(segment)
    },
  })
  const { world, dupe, dupette, space, channel } = await twoPeople({ wrapLog })
  await world.post(dupe, space, channel, 'one')
  fails = true
  await world.open(dupette, world.head(channel))
  expect([dupe.closedWith, dupette.closedWith]).toEqual([0, closeCodes.busy])
})

test('a mark that is ahead proves that the disk was set back: a new incarnation, and every segment closed for ever', async () => {
  const { world, dupe, space, channel } = await twoPeople()
  await world.post(dupe, space, channel, 'one')
  const backup = structuredClone(world.tables)
  await world.post(dupe, space, channel, 'two')
  world.clock.time += 10_000
  world.hub.tick()
  const mark = dupe.of('beat').at(-1)?.mark ?? ''
  world.tables.meta.commits = backup.meta.commits
  world.restart()
  const forged = await world.online(dupe.person, `${mark.slice(0, -1)}A`)
  expect(forged.closedWith).toBe(0)
  const honest = await world.online(dupe.person, mark)
  expect(honest.closedWith).toBe(closeCodes.restarting)
  expect(world.tables.meta.incarnation).not.toBe('incarnation-1')
  expect([...world.tables.segments.values()].every(({ sealed }) => sealed === 2)).toBe(true)
  const back = await world.online(dupe.person, mark)
  expect(back.of('welcome')[0]?.incarnation).toBe(world.tables.meta.incarnation)
  await world.post(back, space, channel, 'three')
  expect(world.tables.segments.size).toBe(2)
})

test("the relay's time never goes back, not even over a restart, and stands still for nothing behind a command", async () => {
  const { world, dupe, space, channel } = await twoPeople()
  const times = async () => {
    const { result } = await world.post(dupe, space, channel, 'when?')
    const verdict = result?.verdicts[0]
    return verdict?.kind === 'accepted' ? verdict.at : 0
  }
  const joined = dupe.of('record').at(-1)?.records[0]?.at ?? 0
  const first = await times()
  expect(first).toBeGreaterThan(joined)
  world.clock.time -= 60_000
  const second = await times()
  expect(second).toBeGreaterThanOrEqual(first)
  world.restart()
  const again = await world.online(dupe.person)
  expect(again.of('welcome')[0]?.now).toBeGreaterThan(second)
})

test('a slow reader is told to open again, and its questions wait until its line has room', async () => {
  const { world, dupe, dupette, space, channel } = await twoPeople({ settings: { linkQueueBytesMax: 1_000 } })
  await world.post(dupe, space, channel, 'one')
  const seg = world.head(channel)
  const req = await world.open(dupette, seg)
  dupette.queued = 1_500
  await world.post(dupe, space, channel, 'two')
  expect(dupette.of('stale')).toEqual([{ t: 'stale', req }])
  await world.post(dupe, space, channel, 'three')
  expect(dupette.texts(seg)).toEqual(['one'])
  await world.open(dupette, seg)
  expect(dupette.of('opened')).toHaveLength(1)
  dupette.queued = 0
  dupette.link.drained()
  await world.hub.idle()
  expect(dupette.texts(seg)).toEqual(['one', 'one', 'two', 'three'])
})

test('read markers go to the own other devices only, the greatest wins, and those of a lost history are ignored', async () => {
  const { world, dupe, dupette, space, channel } = await twoPeople()
  await world.post(dupe, space, channel, 'one')
  const phone = await world.online(await world.device(dupette.person))
  dupette.say({ t: 'read', incarnation: 'incarnation-1', channel, gen: 0, seq: 1 })
  dupette.say({ t: 'read', incarnation: 'incarnation-1', channel, gen: 0, seq: 0 })
  dupette.say({ t: 'read', incarnation: 'another', channel, gen: 9, seq: 1 })
  dupette.say({ t: 'read', incarnation: 'incarnation-1', channel, gen: 9, seq: 99 })
  await world.hub.idle()
  expect(phone.of('read')).toEqual([{ t: 'read', rows: [{ channel, gen: 0, seq: 1 }] }])
  expect([dupe.of('read'), dupette.of('read')]).toEqual([[], []])
  const later = await world.online(await world.device(dupette.person))
  expect(later.of('read')[0]?.rows).toEqual([{ channel, gen: 0, seq: 1 }])
  expect(later.of('space')[0]?.channels[0]?.unread).toBe(0)
})

test('who joins has nothing unread of what was written before', async () => {
  const { world, dupe, space, channel } = await twoPeople()
  await world.post(dupe, space, channel, 'old')
  const late = await world.online(await world.person('late'))
  await world.join(dupe, late, space)
  expect(late.of('space').at(-1)?.channels[0]).toMatchObject({ id: channel, last: 1, unread: 0 })
})

test('a long chain goes in parts, as the line has room, and the roster follows it', async () => {
  const { world, dupe, dupette, space } = await twoPeople({ settings: { linkQueueBytesMax: 1_000, commandBurst: 1_000 } })
  for (let i = 0; i < 250; i++)
    await world.command(dupe, space, { act: 'community.rename', args: { name: `n${i}` }, was: i === 0 ? 'Cord' : `n${i - 1}` })
  dupette.forgetFrames()
  const numbers = () => dupette.of('record').flatMap(({ records }) => records.map(({ n }) => n))
  // The line fills while the first part is answered.
  dupette.fillsAt = 1
  dupette.say({ t: 'chain', space, after: 0 })
  await world.hub.idle()
  expect(numbers()).toHaveLength(200)
  expect(dupette.of('members')).toEqual([])
  dupette.queued = 0
  dupette.link.drained()
  await world.hub.idle()
  expect(numbers()).toEqual(Array.from({ length: 253 }, (_, i) => i + 1))
  expect(dupette.of('record').map(({ more }) => more)).toEqual([
    ...dupette
      .of('record')
      .slice(1)
      .map(() => true),
    false,
  ])
  expect(dupette.of('members')).toHaveLength(1)
})

test('keys are served by device', async () => {
  const { world, dupe, dupette } = await twoPeople()
  dupe.say({ t: 'keys', devs: [dupette.person.dev] })
  await world.hub.idle()
  expect(dupe.of('keys')[0]?.rows).toEqual([
    expect.objectContaining({ dev: dupette.person.dev, account: dupette.person.account }),
  ])
})

test('rows are joined into the snapshot when they pile up, and nothing of them is lost', async () => {
  const { world, dupe, space, channel } = await twoPeople({ settings: { segmentRowsMax: 3 } })
  for (const t of ['1', '2', '3', '4', '5', '6']) await world.post(dupe, space, channel, t)
  const seg = world.head(channel)
  expect(world.tables.rows.get(seg)?.length).toBeLessThanOrEqual(4)
  await world.open(dupe, seg)
  expect(dupe.texts(seg)).toEqual(['1', '2', '3', '4', '5', '6'])
})
