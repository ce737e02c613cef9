// Two devices and the real hub: what one writes the other has, offline and back, through crashes, clones, restores and removals.
import { expect, test } from 'vitest'
import { communitiesView, membersView, outcomesView } from '#app/engine/views/community-views.ts'
import { countWaiting, timelineView, unsentView } from '#app/engine/views/message-views.ts'
import { createEngineWorld, type TestDevice } from './engine-world.ts'

async function pair(given: Parameters<typeof createEngineWorld>[0] = {}) {
  const world = createEngineWorld(given)
  const ann = await world.join('ann')
  const bob = await world.join('bob')
  const place = await world.community(ann, bob)
  const say = (device: TestDevice, text: string) => device.call('send', { ...place, text })
  return { world, ann, bob, say, ...place }
}

test('[SYN-1] what one writes the other has at once, in the relay’s order, and nothing waits any more', async () => {
  const { ann, bob, say, channel, space } = await pair()
  await say(ann, 'Is the kettle on?')
  await say(bob, 'It sings already.')
  expect(await ann.texts(channel)).toEqual(['Is the kettle on?', 'It sings already.'])
  expect(await bob.texts(channel)).toEqual(['Is the kettle on?', 'It sings already.'])
  expect([countWaiting(ann.core.world), ann.disk.tables.outbox.size]).toEqual([0, 0])
  const [first] = timelineView(bob.core.world, channel, 50).messages
  expect(first).toMatchObject({ username: 'ann', you: false, verified: true, state: { kind: 'accepted' } })
  expect(membersView(bob.core.world, space).map(({ username, owner, you }) => [username, owner, you])).toEqual([
    ['ann', true, false],
    ['bob', false, true],
  ])
})

test('[BOX-1] offline, a message is on the disk before the call answers, and is there after the process died', async () => {
  const { ann, bob, say, channel } = await pair()
  await ann.cut()
  await say(ann, 'in the dark')
  await ann.reboot()
  expect(await ann.texts(channel)).toEqual(['in the dark'])
  expect([...ann.disk.tables.outbox.values()].map((row) => row.signed)).toEqual([undefined])
  await ann.connect()
  expect(await bob.texts(channel)).toEqual(['in the dark'])
  expect(ann.disk.tables.outbox.size).toBe(0)
})

test('[BOX-2] killed at any commit and started again, everything written arrives once and in order', async () => {
  const words = ['one', 'two', 'three']
  for (let at = 1; at < 30; at++) {
    for (const when of ['before', 'after'] as const) {
      const { ann, bob, channel, say } = await pair()
      await ann.cut()
      for (const word of words) await say(ann, word)
      let commits = 0
      ann.store.onCommit = (_, moment) => {
        if (moment === 'before') commits++
        if (commits === at && moment === when) throw new Error('the power went')
      }
      await ann.connect()
      const crashed = ann.failures.length > 0
      if (crashed) {
        await ann.reboot()
        await ann.connect()
      }
      expect(await bob.texts(channel)).toEqual(words)
      expect(await ann.texts(channel)).toEqual(words)
      expect(ann.disk.tables.outbox.size).toBe(0)
      if (!crashed) return
    }
  }
  expect.unreachable('there are more commits than were tried')
})

test('[BOX-3] the bytes are on the disk before they leave: a commit that fails sends nothing', async () => {
  const { ann, channel, say } = await pair()
  const before = ann.sent.length
  ann.store.onCommit = (_, when) => {
    if (when === 'before') throw new Error('the disk is full')
  }
  expect(await say(ann, 'too late')).toEqual({ ok: false, code: 'internal' })
  expect(ann.sent.slice(before)).toEqual([])
  expect(ann.failures).toHaveLength(1)
  await ann.reboot()
  expect(await ann.texts(channel)).toEqual([])
})

test('[BOX-4] the same call again, by the same id, writes nothing twice', async () => {
  const { ann, bob, space, channel } = await pair()
  const first = await ann.call('send', { space, channel, text: 'once' })
  if (!first.ok) throw new Error(first.code)
  await ann.cut()
  await ann.call('send', { space, channel, text: 'once' }, first.value.id)
  await ann.connect()
  expect(await bob.texts(channel)).toEqual(['once'])
  expect(await ann.texts(channel)).toEqual(['once'])
  expect(ann.disk.tables.outbox.size).toBe(0)
})

test('[BOX-5] unsigned words are changed and taken back in place; what the relay may have gets an edit or a redact', async () => {
  const { ann, bob, say, channel } = await pair()
  await ann.cut()
  const [kept, dropped] = [await say(ann, 'tpyo'), await say(ann, 'never mind')]
  if (!kept.ok || !dropped.ok) throw new Error('saved')
  await ann.call('edit', { channel, id: kept.value.id, text: 'typo' })
  await ann.call('remove', { channel, id: dropped.value.id })
  expect([...ann.disk.tables.outbox.values()].map((row) => [row.op, row.signed])).toEqual([['post', undefined]])
  await ann.connect()
  expect(await bob.texts(channel)).toEqual(['typo'])
  await ann.call('edit', { channel, id: kept.value.id, text: 'typos' })
  expect(await bob.texts(channel)).toEqual(['typos'])
  expect(timelineView(bob.core.world, channel, 9).messages[0]).toMatchObject({ verified: true })
  expect(timelineView(bob.core.world, channel, 9).messages[0]?.edited).toBeGreaterThan(0)
  await ann.call('remove', { channel, id: kept.value.id })
  expect(await bob.texts(channel)).toEqual([])
  expect(await ann.texts(channel)).toEqual([])
})

test('[BOX-6] signed and cut off, words that are changed and taken back follow as entries of their own', async () => {
  const { world, ann, bob, say, channel } = await pair()
  world.filter = (to, frame) =>
    to !== ann || (frame.kind !== 'update' && !(frame.kind === 'control' && frame.message.t === 'result'))
  const sent = await say(ann, 'said')
  if (!sent.ok) throw new Error(sent.code)
  await ann.cut()
  world.filter = () => true
  await ann.call('edit', { channel, id: sent.value.id, text: 'said better' })
  expect([...ann.disk.tables.outbox.values()].map((row) => row.op)).toEqual(['post', 'edit'])
  expect(await ann.texts(channel)).toEqual(['said better'])
  await ann.connect()
  expect(await bob.texts(channel)).toEqual(['said better'])
  expect(ann.disk.tables.outbox.size).toBe(0)
})

test('[BOX-7] who is removed gets his unsent words back, with the reason and the names as they were; all else is gone', async () => {
  const { ann, bob, say, space, channel } = await pair()
  await say(ann, 'before')
  await bob.cut()
  await say(bob, 'too late')
  const account = bob.core.world.ports.me.account
  await ann.call('removeMember', { space, account })
  await bob.connect()
  expect(unsentView(bob.core.world, [])).toMatchObject([
    { text: 'too late', code: 'notmember', communityName: 'Two Cups', channelName: 'general' },
  ])
  expect([...bob.words.values()]).toMatchObject([{ text: 'too late' }])
  expect(communitiesView(bob.core.world)).toEqual([])
  const { segment, space: spaces, channel: channels, member } = bob.disk.tables
  expect([segment.size, spaces.size, channels.size, member.size, bob.disk.bytes.size]).toEqual([0, 0, 0, 0, 0])
  expect(await bob.texts(channel)).toEqual(['too late'])
})

test('[BOX-8] let in again, the words go under their old id', async () => {
  const { world, ann, bob, say, space, channel } = await pair()
  await bob.cut()
  const written = await say(bob, 'too late')
  if (!written.ok) throw new Error(written.code)
  await ann.call('removeMember', { space, account: bob.core.world.ports.me.account })
  await bob.connect()
  expect(await bob.call('retryUnsent', { id: written.value.id, text: 'too late' })).toEqual({ ok: false, code: 'notmember' })
  await world.invite(ann, bob, space)
  expect(await bob.call('retryUnsent', { id: written.value.id, text: 'just in time' })).toEqual({ ok: true, value: null })
  expect(await ann.texts(channel)).toEqual(['just in time'])
  expect(timelineView(ann.core.world, channel, 9).messages[0]?.id).toBe(written.value.id)
  expect([unsentView(bob.core.world, []), bob.words.size]).toEqual([[], 0])
})

test('[BOX-9] told to wait, the device sends the rest later, in order', async () => {
  const { world, ann, bob, say, channel } = await pair({ settings: { entryBurst: 2, entriesPerMinute: 60 } })
  await ann.cut()
  for (const word of ['one', 'two', 'three', 'four']) await say(ann, word)
  await ann.connect()
  expect(await bob.texts(channel)).toEqual(['one', 'two'])
  world.clock.time += 60_000
  ann.core.wake()
  await world.settle()
  world.clock.time += 60_000
  ann.core.wake()
  await world.settle()
  expect(await bob.texts(channel)).toEqual(['one', 'two', 'three', 'four'])
})

test('[SYN-2] a cloned profile does no harm: both go on, and nothing is there twice', async () => {
  const { ann, bob, say, channel } = await pair()
  await ann.cut()
  await say(ann, 'shared')
  const twin = await ann.clone()
  await twin.connect()
  await ann.connect()
  await say(ann, 'from one')
  await twin.connect()
  await say(twin, 'from the other')
  await ann.connect()
  const all = ['shared', 'from one', 'from the other']
  for (const device of [ann, bob]) expect(await device.texts(channel)).toEqual(all)
  await twin.connect()
  expect(await twin.texts(channel)).toEqual(all)
  expect([ann, twin].map((device) => device.disk.tables.outbox.size)).toEqual([0, 0])
})

test('[SYN-3] the relay was set back: own words go back to the outbox and arrive, those of another own device signed anew', async () => {
  const world = createEngineWorld()
  const ann = world.person('ann')
  const desk = await world.device(ann)
  const phone = await world.device(ann)
  await desk.connect()
  const place = await world.community(desk)
  await phone.connect()
  const backup = world.backup()
  await desk.call('send', { ...place, text: 'from the desk' })
  await phone.call('send', { ...place, text: 'from the phone' })
  await desk.call('renameChannel', { ...place, name: 'parlour' })
  await world.restore(backup)
  await phone.connect()
  expect(await phone.texts(place.channel)).toEqual(['from the desk', 'from the phone'])
  const bob = await world.join('bob')
  await world.invite(phone, bob, place.space)
  expect(await bob.texts(place.channel)).toEqual(['from the desk', 'from the phone'])
  expect(timelineView(bob.core.world, place.channel, 9).messages.map((message) => message.verified)).toEqual([true, true])
  // A command is no entry: what the relay lost of the chain is lost, and the device follows it.
  expect(communitiesView(phone.core.world)[0]?.channels.map((one) => one.name)).toEqual(['general'])
  await desk.connect()
  expect(await desk.texts(place.channel)).toEqual(['from the desk', 'from the phone'])
  expect([desk, phone].map((device) => device.disk.tables.outbox.size)).toEqual([0, 0])
})

test('[SYN-4] a second device of the same person has the same, read state included', async () => {
  const world = createEngineWorld()
  const ann = await world.join('ann')
  const ben = world.person('ben')
  const bob = await world.device(ben)
  await bob.connect()
  const place = await world.community(ann, bob)
  for (const text of ['one', 'two', 'three']) await ann.call('send', { ...place, text })
  const phone = await world.device(ben)
  await phone.connect()
  expect(await phone.texts(place.channel)).toEqual(['one', 'two', 'three'])
  const unread = (device: TestDevice) => communitiesView(device.core.world)[0]?.channels[0]?.unread
  expect([unread(bob), unread(phone)]).toEqual([3, 3])
  await bob.call('markRead', { channel: place.channel, seq: 2 })
  await world.settle()
  expect([unread(bob), unread(phone)]).toEqual([1, 1])
  await ann.call('send', { ...place, text: 'four' })
  expect([unread(bob), unread(phone)]).toEqual([2, 2])
  const tablet = await world.device(ben)
  await tablet.connect()
  expect(unread(tablet)).toBe(2)
})

test('[SYN-5] read offline, it is read on the other device when the network is back', async () => {
  const { world, ann, bob, say, channel } = await pair()
  await say(ann, 'one')
  await bob.cut()
  await bob.call('markRead', { channel, seq: 1 })
  await bob.reboot()
  await bob.connect()
  await world.settle()
  await bob.cut()
  await bob.connect()
  expect(communitiesView(bob.core.world)[0]?.channels[0]?.unread).toBe(0)
})

test('[SYN-6] what is deleted leaves the disk: no byte of the words is in any row', async () => {
  const { ann, bob, say, channel } = await pair()
  await say(ann, 'keep this')
  const sent = await say(ann, 'Zebrafink')
  if (!sent.ok) throw new Error(sent.code)
  const holds = (device: TestDevice) =>
    [...device.disk.bytes.values()].flat().some((part) => new TextDecoder().decode(part).includes('Zebrafink')) ||
    JSON.stringify([...device.disk.tables.outbox.values()]).includes('Zebrafink')
  expect(holds(bob)).toBe(true)
  await ann.call('remove', { channel, id: sent.value.id })
  expect([holds(ann), holds(bob)]).toEqual([false, false])
  await bob.reboot()
  expect(await bob.texts(channel)).toEqual(['keep this'])
})

test('[SYN-7] segments are sealed and annexed: all devices hold all of it, and a timeline reads as far back as one looks', async () => {
  const { ann, bob, say, channel } = await pair({ settings: { segmentPostsMax: 3, segmentElementsFull: 5 } })
  const sent: string[] = []
  for (let i = 0; i < 10; i++) {
    await say(ann, `words ${i}`)
    sent.push(`words ${i}`)
  }
  const first = timelineView(ann.core.world, channel, 50)
  await ann.texts(channel)
  const oldest = timelineView(ann.core.world, channel, 50).messages[0]
  if (!oldest) throw new Error('it is there')
  for (const text of ['a', 'b', 'c', 'd', 'words 0']) await ann.call('edit', { channel, id: oldest.id, text })
  expect(first.channel).toBe(channel)
  expect(await bob.texts(channel)).toEqual(sent)
  await bob.reboot()
  bob.core.watch(channel, 2)
  await bob.core.idle()
  const view = timelineView(bob.core.world, channel, 2)
  expect(view.messages.map((message) => message.text)).toEqual(['words 8', 'words 9'])
  expect([view.hasOlder, view.complete]).toEqual([true, true])
  expect(bob.core.world.views.get(channel)?.roots.size).toBeLessThan(3)
  await bob.connect()
  expect(await bob.texts(channel)).toEqual(sent)
})

test('[SYN-14] however much of one’s own waits, what others wrote since is shown', async () => {
  const { ann, bob, say, channel } = await pair({ settings: { entryBurst: 1, entriesPerMinute: 1 } })
  await bob.cut()
  for (const words of ['one', 'two', 'three', 'four', 'five']) await say(bob, words)
  await say(ann, 'news')
  await bob.reboot()
  bob.core.watch(channel, 2)
  await bob.connect()
  const held = () =>
    bob.core.world.views
      .get(channel)
      ?.timeline.window(50)
      .posts.map((post) => post.body)
  expect(held()).toContainEqual({ t: 'news' })
})

test('[SYN-15] of two heads that no list has named yet, the later one is the newer', async () => {
  const { world, ann, bob, say, channel } = await pair({ settings: { segmentPostsMax: 2 } })
  world.filter = (to, frame) => to !== bob || frame.kind !== 'control' || frame.message.t !== 'segments'
  await bob.cut()
  for (const words of ['one', 'two']) await say(ann, words)
  await bob.connect()
  await bob.cut()
  await say(ann, 'three')
  await bob.reboot()
  await bob.connect()
  bob.core.watch(channel, 1)
  await bob.core.idle()
  expect(timelineView(bob.core.world, channel, 1).messages.map((message) => message.text)).toEqual(['three'])
})

test('[CMD-20] renamed offline: shown at once as pending, kept over a restart, given once even by a cloned queue', async () => {
  const world = createEngineWorld()
  const ann = await world.join('ann')
  const place = await world.community(ann)
  await ann.cut()
  expect(await ann.call('renameChannel', { ...place, name: 'Parlour' })).toEqual({ ok: true, value: null })
  expect(await ann.call('createChannel', { ...place, name: 'attic', kind: 'text' })).toEqual({ ok: false, code: 'offline' })
  await ann.reboot()
  const channels = () => communitiesView(ann.core.world)[0]?.channels.map(({ name, pending }) => [name, pending])
  expect(channels()).toEqual([['parlour', true]])
  const twin = await ann.clone()
  await twin.connect()
  await twin.call('renameChannel', { ...place, name: 'salon' })
  await ann.connect()
  expect(channels()).toEqual([['salon', false]])
  expect(countWaiting(ann.core.world)).toBe(0)
  expect(outcomesView(ann.core.world)).toMatchObject([])
})

test('[CMD-21] a queued change that somebody else overtook is an outcome, with what stands now', async () => {
  const world = createEngineWorld()
  const ann = world.person('ann')
  const one = await world.device(ann)
  const two = await world.device(ann)
  await one.connect()
  const place = await world.community(one)
  await two.connect()
  await one.cut()
  await one.call('setTopic', { ...place, topic: 'tea' })
  await two.call('setTopic', { ...place, topic: 'coffee' })
  await one.connect()
  expect(communitiesView(one.core.world)[0]?.channels[0]?.topic).toBe('coffee')
  const [outcome] = outcomesView(one.core.world)
  expect(outcome).toMatchObject({ code: 'stale', present: 'coffee', text: 'You wanted to set the topic of #general to “tea”.' })
  if (outcome) await one.call('dismissOutcome', { id: outcome.id })
  expect(outcomesView(one.core.world)).toEqual([])
})

test('[CMD-22] channels come and go for everybody who is there', async () => {
  const { ann, bob, space, channel } = await pair()
  const made = await ann.call('createChannel', { space, name: 'Back Room', kind: 'text' })
  if (!made.ok) throw new Error(made.code)
  await bob.call('send', { space, channel: made.value.channel, text: 'first here' })
  expect(await ann.texts(made.value.channel)).toEqual(['first here'])
  await ann.call('moveChannel', { space, channel: made.value.channel, before: channel })
  const names = (device: TestDevice) => communitiesView(device.core.world)[0]?.channels.map((one) => one.name)
  expect([names(ann), names(bob)]).toEqual([
    ['back-room', 'general'],
    ['back-room', 'general'],
  ])
  await bob.cut()
  await bob.call('send', { space, channel: made.value.channel, text: 'last here' })
  await ann.call('deleteChannel', { space, channel: made.value.channel })
  await bob.connect()
  expect(names(bob)).toEqual(['general'])
  expect(unsentView(bob.core.world, [])).toMatchObject([{ text: 'last here', code: 'nochannel', channelName: 'back-room' }])
})

test('[CMD-23] leaving takes the community away here, and a person who left may come back', async () => {
  const { world, ann, bob, say, space, channel } = await pair()
  await say(ann, 'hello')
  expect(await bob.call('leave', { space })).toEqual({ ok: true, value: null })
  expect(communitiesView(bob.core.world)).toEqual([])
  expect(await ann.call('leave', { space })).toMatchObject({ ok: false, code: 'owner' })
  await world.invite(ann, bob, space)
  expect(await bob.texts(channel)).toEqual(['hello'])
  expect(membersView(ann.core.world, space)).toHaveLength(2)
})

test('[ERA-18] who left keeps his name beside what he wrote; an erased account is one that was deleted, and its words go', async () => {
  const { world, ann, bob, say, channel, space } = await pair()
  const cat = await world.join('cat')
  await world.invite(ann, cat, space)
  await say(bob, 'I was here.')
  await say(cat, 'So was I.')
  await bob.call('leave', { space })
  const shown = () => timelineView(ann.core.world, channel, 9).messages.map(({ username, text }) => [username, text])
  await ann.texts(channel)
  expect(shown()).toEqual([
    ['bob', 'I was here.'],
    ['cat', 'So was I.'],
  ])
  const gone = cat.core.world.ports.me.account
  // Its words are held back, so that what stands in between is seen.
  world.filter = (_, frame) => frame.kind !== 'update'
  world.hub.erase(gone)
  await world.settle()
  expect(shown()[1]).toEqual(['Deleted account', 'So was I.'])
  expect(membersView(ann.core.world, space).map(({ username }) => username)).toEqual(['ann'])
  world.filter = () => true
  await ann.cut()
  await ann.connect()
  expect(await ann.texts(channel)).toEqual(['I was here.'])
})

test('[ERA-13] who was away learns at his hello that an account is gone, whether he holds the whole chain or not', async () => {
  const { world, ann, bob, space } = await pair()
  const cat = await world.join('cat')
  await world.invite(ann, cat, space)
  await bob.cut()
  world.hub.erase(cat.core.world.ports.me.account)
  await world.settle()
  const names = (device: TestDevice) => membersView(device.core.world, space).map(({ username }) => username)
  expect(names(bob)).toEqual(['ann', 'bob', 'cat'])
  await bob.connect()
  expect(names(bob)).toEqual(['ann', 'bob'])
  await bob.cut()
  await world.invite(ann, await world.join('eve'), space)
  await bob.connect()
  expect(names(bob)).toEqual(['ann', 'bob', 'eve'])
  const dan = await world.join('dan')
  await world.invite(ann, dan, space)
  expect(names(dan)).toEqual(['ann', 'bob', 'dan', 'eve'])
})

test('[REV-5] what a device’s key signed counts until it was revoked, by the relay’s clock and not by its author’s', async () => {
  const { world, ann, say, channel, space } = await pair()
  await say(ann, 'before')
  const until = world.clock.time + 30_000
  world.clock.time += 60_000
  await say(ann, 'after')
  world.filter = (_, frame) => {
    if (frame.kind !== 'control' || frame.message.t !== 'keys') return true
    for (const row of frame.message.rows) if (row.account === ann.core.world.ports.me.account) row.until = until
    return true
  }
  const cat = await world.join('cat')
  await world.invite(ann, cat, space)
  await cat.texts(channel)
  expect(timelineView(cat.core.world, channel, 9).messages.map(({ text, verified }) => [text, verified])).toEqual([
    ['before', true],
    ['after', false],
  ])
})
