// What only a relay that answers by hand can show: verdicts, streams and keys as no honest hub would send them at that moment.
import { expect, test } from 'vitest'
import { createCore } from '#app/engine/core/core.ts'
import { countWaiting, timelineView, unsentView } from '#app/engine/views/message-views.ts'
import { concatBytes, toBase64Url, utf8 } from '#shared/base/bytes.ts'
import { idFromBytes, makeTimeId } from '#shared/base/ids.ts'
import { createPrng } from '#shared/base/prng.ts'
import { extendChain } from '#shared/community/chain.ts'
import type { CommandAct } from '#shared/community/command.ts'
import { parseCommand, writeCommandText } from '#shared/community/command-codec.ts'
import { execute } from '#shared/community/execute.ts'
import { commandSignedBytes } from '#shared/crypto/signed-bytes.ts'
import { parseEntry, writeElementPrefix } from '#shared/log/entry-codec.ts'
import { tapeOfElement } from '#shared/log/tape.ts'
import { encodeAppend } from '#shared/log/update-bytes.ts'
import type { ControlDown, FrameUp } from '#shared/protocol/frames.ts'
import type { Verdict } from '#shared/protocol/records.ts'
import { openMemoryDeviceStore } from '../../fakes/memory-device-store.ts'
import { certifyDevice, createIdentity, hasher, verifier } from '../../sim/fake-crypto.ts'

async function stage() {
  const random = createPrng(9)
  const clock = { time: 1_800_000_000_000, now: () => clock.time }
  const ann = createIdentity('ann', random.bytes(16))
  const device = certifyDevice(ann, random.bytes(16), clock.time)
  const store = openMemoryDeviceStore()
  const core = await createCore({
    store,
    clock,
    random,
    signer: { dev: device.dev, sign: async (message) => device.signer.sign(message) },
    me: ann,
    words: { keep: () => {}, find: () => undefined, settle: () => {} },
    crypto: async () => ({ ...hasher, ...verifier }),
    wakeAt: () => {},
    changed: () => {},
    failed: (error) => {
      throw error
    },
  })
  const space = idFromBytes<'space'>(random.bytes(16))
  const channel = idFromBytes<'channel'>(random.bytes(16))
  const segment = idFromBytes<'segment'>(random.bytes(16))
  const client = 77
  let sent: FrameUp[] = []
  let link = core.connect({ send: (frame) => void sent.push(frame), close: () => {} }, 'token')
  const down = async (...messages: ControlDown[]) => {
    for (const message of messages) link.receive({ kind: 'control', message })
    await core.idle()
  }
  const act: CommandAct = { act: 'community.create', args: { name: 'Two Cups', channel, channelName: 'general' }, was: 0 }
  const text = writeCommandText({
    ...act,
    id: makeTimeId(clock.time, random.bytes(16)),
    by: ann.account,
    dev: device.dev,
    at: clock.time,
  })
  const parsed = parseCommand(text, toBase64Url(device.signer.sign(commandSignedBytes(space, text))))
  const state = execute(undefined, { ...act, by: ann.account })
  if (!parsed.ok || !state.ok) throw new Error('the first command is a good one')
  const { record } = extendChain(hasher, space, undefined, parsed.value, state.value, clock.time)

  const hello = async (incarnation = 'first') => {
    await down(
      {
        t: 'welcome',
        v: 1,
        incarnation,
        now: clock.time + 3_000,
        mark: 'm',
        account: ann.account,
        dev: device.dev,
        username: 'ann',
      },
      {
        t: 'space',
        id: space,
        n: 1,
        channels: [{ id: channel, rev: 1, view: 0, head: segment, last: 0, unread: 0 }],
        more: false,
      },
      { t: 'ready' },
    )
  }
  await hello()
  await down({ t: 'record', space, records: [record], more: false })
  await down({ t: 'keys', rows: [device.key] }, { t: 'members', space, n: 1, rows: [], more: false })
  const stageOf = {
    core,
    clock,
    store,
    space,
    channel,
    segment,
    down,
    hello,
    reconnect: async () => {
      link.closed()
      link = core.connect({ send: (frame) => void sent.push(frame), close: () => {} }, 'token')
      await core.idle()
      await hello()
    },
    /** What left since the last time. */
    take: () => {
      const taken = sent
      sent = []
      return taken
    },
    say: async (words: string) => {
      const id = makeTimeId<'entry'>(clock.time, random.bytes(16))
      const answer = await core.call(id, 'send', { space, channel, text: words })
      await core.idle()
      expect(answer.ok).toBe(true)
      return id
    },
    opens: () => sent.flatMap((frame) => (frame.kind === 'control' && frame.message.t === 'open' ? [frame.message] : [])),
    appends: () => sent.flatMap((frame) => (frame.kind === 'append' ? [frame] : [])),
    answer: (verdicts: Verdict[], wait = 0) => {
      const nr = stageOf.appends().at(-1)?.nr ?? 0
      return down({ t: 'result', nr, verdicts, wait })
    },
    /** The newest append's entries as elements of the segment, from this clock and seq on. */
    update: async (from: number, seq: number) => {
      const entries = stageOf.appends().at(-1)?.entries ?? []
      const tape = concatBytes(
        ...entries.map((entry, i) => tapeOfElement(concatBytes(utf8(writeElementPrefix(seq + i, clock.time)), entry))),
      )
      link.receive({ kind: 'update', seg: segment, update: encodeAppend(client, from, tape, []) })
      await core.idle()
    },
    /** Any bytes as the only element at clock 0. */
    serve: async (entry: Uint8Array, by = client) => {
      const tape = tapeOfElement(concatBytes(utf8(writeElementPrefix(1, clock.time)), entry))
      link.receive({ kind: 'update', seg: segment, update: encodeAppend(by, 0, tape, []) })
      await core.idle()
    },
    texts: async () => {
      core.watch(channel, 50)
      await core.idle()
      return timelineView(core.world, channel, 50).messages.map((message) => message.text)
    },
    client,
  }
  return stageOf
}

test('[SYN-10] an update counts only after `opened` with the newest request for its segment', async () => {
  const s = await stage()
  const [first] = s.opens()
  if (!first) throw new Error('the head is opened')
  await s.say('hello')
  await s.update(0, 1)
  expect(s.store.disk.tables.segment.size).toBe(0)
  await s.down({ t: 'opened', req: first.req, client: s.client })
  await s.update(0, 1)
  expect(s.store.disk.tables.segment.size).toBe(1)
  expect(s.store.disk.tables.outbox.size).toBe(0)
  await s.down({ t: 'stale', req: first.req })
  const again = s.opens().at(-1)
  expect(again).toMatchObject({ n: 0, tail: '' })
  expect(again?.req).toBeGreaterThan(first.req)
  // The old stream is dead, its late answer too; what is held stays on screen until the fresh copy is whole.
  await s.down({ t: 'opened', req: first.req, client: s.client })
  await s.update(1, 2)
  expect(await s.texts()).toEqual(['hello'])
})

test('[SYN-11] a fresh copy that lacks own words takes the old one’s place in one commit, and the words go again', async () => {
  const s = await stage()
  const [first] = s.opens()
  await s.down({ t: 'opened', req: first?.req ?? 0, client: s.client })
  const mine = await s.say('mine')
  await s.update(0, 1)
  await s.answer([{ kind: 'accepted', id: mine, seq: 1, at: s.clock.time }])
  expect(s.store.disk.tables.outbox.size).toBe(0)
  await s.down({ t: 'stale', req: first?.req ?? 0 })
  await s.down({ t: 'opened', req: s.opens().at(-1)?.req ?? 0, client: 99 })
  const other = await s.say('other')
  expect(await s.texts()).toEqual(['mine', 'other'])
  s.store.onCommit = () => {
    const { outbox, segment } = s.store.disk.tables
    // At no moment is the copy gone and the words not in the outbox.
    expect(segment.get(s.segment)?.client === s.client || outbox.has(mine)).toBe(true)
  }
  const [entry] = s.appends().at(-1)?.entries ?? []
  if (!entry) throw new Error('it was sent')
  await s.serve(entry, 99)
  expect(s.store.disk.tables.segment.get(s.segment)?.client).toBe(99)
  expect([...s.store.disk.tables.outbox.keys()]).toEqual([mine])
  expect(await s.texts()).toEqual(['other', 'mine'])
  s.take()
  await s.down({ t: 'result', nr: 2, verdicts: [{ kind: 'accepted', id: other, seq: 1, at: s.clock.time }], wait: 0 })
  expect(parseEntry(s.appends()[0]?.entries[0] ?? new Uint8Array())).toMatchObject({ value: { id: mine } })
})

test('[BOX-20] `accepted` keeps a row until its element is in a committed document; on a new link it is asked for once more', async () => {
  const s = await stage()
  const id = await s.say('hello')
  await s.answer([{ kind: 'accepted', id, seq: 1, at: s.clock.time }])
  expect(s.store.disk.tables.outbox.get(id)?.state).toMatchObject({ kind: 'accepted', seq: 1 })
  expect(countWaiting(s.core.world)).toBe(0)
  await s.reconnect()
  expect(s.appends().map((frame) => frame.entries)).toEqual([s.appends()[0]?.entries, s.appends()[0]?.entries])
  await s.answer([{ kind: 'known', id, seq: 1, gone: false }])
  expect(s.store.disk.tables.outbox.get(id)?.state).toMatchObject({ kind: 'accepted', seq: 1 })
  await s.down({ t: 'opened', req: s.opens().at(-1)?.req ?? 0, client: s.client })
  await s.update(0, 1)
  expect(s.store.disk.tables.outbox.size).toBe(0)
  expect(await s.texts()).toEqual(['hello'])
})

test('[BOX-21] the skew is added when it is signed, never beyond the relay’s now; `clock` makes it unsigned again, under the same id', async () => {
  const s = await stage()
  const id = await s.say('hello')
  const sentAt = () => {
    const parsed = parseEntry(s.appends().at(-1)?.entries[0] ?? new Uint8Array())
    return parsed.ok ? parsed.value : undefined
  }
  expect(sentAt()).toMatchObject({ id, at: s.clock.time + 3_000 })
  await s.answer([{ kind: 'refused', id, code: 'clock', severe: false }])
  expect(s.store.disk.tables.outbox.get(id)).toMatchObject({ signed: undefined, state: { kind: 'waiting' } })
  s.take()
  await s.down({ t: 'beat', mark: 'm', now: s.clock.time - 60_000 })
  expect(s.appends()).toEqual([])
  s.clock.time += 10_000
  s.core.wake()
  await s.core.idle()
  expect(sentAt()).toMatchObject({ id, at: s.clock.time - 10_000 - 60_000 })
})

test('[BOX-22] refused: words stay under "Not sent" with the reason, and what was about them ends; the last words count', async () => {
  const s = await stage()
  const id = await s.say('first words')
  await s.core.call(makeTimeId(s.clock.time, new Uint8Array(16)), 'edit', { channel: s.channel, id, text: 'last words' })
  await s.core.idle()
  expect(s.store.disk.tables.outbox.size).toBe(2)
  await s.answer([{ kind: 'refused', id, code: 'forbidden', severe: false }])
  expect(unsentView(s.core.world, [])).toMatchObject([{ id, text: 'last words', code: 'forbidden', channelName: 'general' }])
  expect(s.store.disk.tables.outbox.size).toBe(1)
  expect(timelineView(s.core.world, s.channel, 9).messages[0]).toMatchObject({ state: { kind: 'refused', code: 'forbidden' } })
  s.take()
  await s.core.call(makeTimeId(s.clock.time, new Uint8Array(16)), 'retryUnsent', { id, text: 'milder words' })
  await s.core.idle()
  const parsed = parseEntry(s.appends()[0]?.entries[0] ?? new Uint8Array())
  expect(parsed).toMatchObject({ value: { id, op: 'post', body: { t: 'milder words' } } })
})

test('[BOX-23] `notarget` waits: tried once on each link, and dropped after seven days', async () => {
  const s = await stage()
  await s.down({ t: 'opened', req: s.opens()[0]?.req ?? 0, client: s.client })
  const id = await s.say('hello')
  await s.update(0, 1)
  await s.answer([{ kind: 'accepted', id, seq: 1, at: s.clock.time }])
  s.take()
  await s.core.call(makeTimeId(s.clock.time + 1, new Uint8Array(16)), 'edit', { channel: s.channel, id, text: 'hello!' })
  await s.core.idle()
  const edit = parseEntry(s.appends()[0]?.entries[0] ?? new Uint8Array())
  if (!edit.ok) throw new Error('an edit was sent')
  await s.answer([{ kind: 'refused', id: edit.value.id, code: 'notarget', severe: false }])
  expect(s.store.disk.tables.outbox.get(edit.value.id)?.state.kind).toBe('notarget')
  s.take()
  s.core.wake()
  await s.core.idle()
  expect(s.appends()).toEqual([])
  await s.reconnect()
  expect(s.appends()).toHaveLength(1)
  // Its target is held here, so it is not hopeless yet; without it, it is.
  s.clock.time += 8 * 24 * 3_600_000
  await s.reconnect()
  expect(s.store.disk.tables.outbox.size).toBe(1)
  await s.down({ t: 'gone', channel: s.channel })
  expect(unsentView(s.core.world, [])).toMatchObject([{ text: 'hello!', code: 'nochannel' }])
})

test('[BOX-24] one frame is in flight a channel, with at most 64 entries', async () => {
  const s = await stage()
  s.take()
  const ids = [await s.say('0')]
  for (let i = 1; i < 100; i++) ids.push(await s.say(`${i}`))
  expect(s.appends()).toHaveLength(1)
  await s.answer(ids.slice(0, 1).map((id): Verdict => ({ kind: 'accepted', id, seq: 1, at: s.clock.time })))
  expect(s.appends().map((frame) => frame.entries.length)).toEqual([1, 64])
  await s.answer(ids.slice(1, 65).map((id, i): Verdict => ({ kind: 'accepted', id, seq: i + 2, at: s.clock.time })))
  expect(s.appends().map((frame) => frame.entries.length)).toEqual([1, 64, 35])
})

test('[SYN-12] words under a signature that does not hold are shown as such, true ones as true', async () => {
  for (const forged of [false, true]) {
    const s = await stage()
    await s.down({ t: 'opened', req: s.opens()[0]?.req ?? 0, client: s.client })
    await s.say('hello')
    const entry = new TextDecoder().decode(s.appends()[0]?.entries[0])
    await s.serve(utf8(forged ? entry.replace('hello', 'howdy') : entry))
    expect(await s.texts()).toEqual([forged ? 'howdy' : 'hello'])
    expect(timelineView(s.core.world, s.channel, 9).messages.map((one) => one.verified)).toEqual([!forged])
  }
})

test('[SYN-13] a segment that the relay calls stale from its very beginning is asked for once a second, not as fast as the line goes', async () => {
  const s = await stage()
  for (let i = 0; i < 10; i++) {
    const open = s.opens().at(-1)
    if (open) await s.down({ t: 'stale', req: open.req })
  }
  expect(s.opens()).toHaveLength(1)
  s.clock.time += 1_000
  s.core.wake()
  await s.core.idle()
  expect(s.opens()).toHaveLength(2)
})

test('[ROOM-9] a relay without room: words wait and are not "not sent", what deletes goes ahead, and all goes by itself', async () => {
  const s = await stage()
  await s.down({ t: 'opened', req: s.opens()[0]?.req ?? 0, client: s.client })
  const old = await s.say('old')
  await s.update(0, 1)
  await s.answer([{ kind: 'accepted', id: old, seq: 1, at: s.clock.time }])
  const full = () => s.down({ t: 'result', nr: s.appends().at(-1)?.nr ?? 0, verdicts: [], wait: 15_000, why: 'disk_full' })
  const wake = async (ms: number) => {
    s.clock.time += ms
    s.core.wake()
    await s.core.idle()
  }
  s.take()
  await s.say('new')
  await full()
  expect([s.core.world.link?.noRoom, countWaiting(s.core.world), unsentView(s.core.world, [])]).toEqual([true, 1, []])
  expect(s.appends()).toHaveLength(1)
  await wake(14_999)
  expect(s.appends()).toHaveLength(1)

  s.take()
  await s.core.call(makeTimeId(s.clock.time + 1, new Uint8Array(16)), 'remove', { channel: s.channel, id: old })
  await s.core.idle()
  const ops = s.appends().map((frame) => frame.entries.map((bytes) => parseEntry(bytes)).map((one) => one.ok && one.value.op))
  expect(ops).toEqual([['redact']])
  // Not even that found room: it is not asked in a loop.
  await full()
  expect(s.appends()).toHaveLength(1)

  s.take()
  await wake(15_000)
  expect(s.appends().map((frame) => frame.entries.length)).toEqual([2])
  const [post, redact] = s.appends()[0]?.entries.map((bytes) => parseEntry(bytes)) ?? []
  if (!post?.ok || !redact?.ok) throw new Error('both were sent')
  await s.answer([
    { kind: 'accepted', id: post.value.id, seq: 2, at: s.clock.time },
    { kind: 'accepted', id: redact.value.id, seq: 3, at: s.clock.time },
  ])
  expect([s.core.world.link?.noRoom, countWaiting(s.core.world)]).toEqual([false, 0])
})

test('[ROOM-10] a queued command that found no room stays queued and goes again; whoever waits for another is told', async () => {
  const s = await stage()
  const commands = () =>
    s.take().flatMap((frame) => (frame.kind === 'control' && frame.message.t === 'command' ? [frame.message.text] : []))
  const idOf = (text: string | undefined) => {
    const parsed = parseCommand(text ?? '', 'A'.repeat(86))
    if (!parsed.ok) throw new Error('a command was sent')
    return parsed.value.command.id
  }
  const call = (name: 'renameCommunity' | 'createInvite') => {
    const id = makeTimeId<'entry'>(s.clock.time, new Uint8Array(16).fill(name.length))
    return name === 'renameCommunity'
      ? s.core.call(id, name, { space: s.space, name: 'Three Cups' })
      : s.core.call(id, name, { space: s.space, days: 0, uses: 0 })
  }
  s.take()
  const renamed = call('renameCommunity')
  await s.core.idle()
  const [first] = commands()
  await s.down({ t: 'done', id: idOf(first), space: s.space, code: 'disk_full', present: null })
  expect([await renamed, countWaiting(s.core.world), s.core.world.tables.outcome.size]).toEqual([{ ok: true, value: null }, 1, 0])
  expect([s.core.world.link?.noRoom, commands()]).toEqual([true, []])

  const invited = call('createInvite')
  await s.core.idle()
  const [second] = commands()
  await s.down({ t: 'done', id: idOf(second), space: s.space, code: 'disk_full', present: null })
  expect(await invited).toMatchObject({ ok: false, code: 'disk_full' })

  s.clock.time += 15_000
  s.core.wake()
  await s.core.idle()
  expect(commands()).toEqual([first])
  await s.down({ t: 'done', id: idOf(first), space: s.space, n: 2 })
  expect(s.core.world.link?.noRoom).toBe(false)
})

test('[BOX-25] an edit of words that are under way counts from what was signed, not from a clock that is a day ahead', async () => {
  const s = await stage()
  const dayMs = 86_400_000
  await s.down({ t: 'beat', mark: 'm', now: s.clock.time - dayMs })
  const id = await s.say('first words')
  await s.core.call(makeTimeId(s.clock.time, new Uint8Array(16)), 'edit', { channel: s.channel, id, text: 'better words' })
  await s.answer([{ kind: 'accepted', id, seq: 1, at: s.clock.time - dayMs }])
  const parsed = parseEntry(s.appends().at(-1)?.entries[0] ?? new Uint8Array())
  expect(parsed).toMatchObject({ value: { op: 'edit', ref: id, at: s.clock.time - dayMs + 1 } })
})

test('[BOX-26] a wait ends though the clock is set back meanwhile', async () => {
  const s = await stage()
  const id = await s.say('hello')
  await s.answer([], 5_000)
  s.clock.time -= 3_600_000
  s.take()
  s.core.wake()
  await s.core.idle()
  expect(s.appends()).toHaveLength(1)
  await s.answer([{ kind: 'refused', id, code: 'clock', severe: false }])
  s.take()
  s.clock.time += 4_999
  s.core.wake()
  await s.core.idle()
  expect(s.appends()).toEqual([])
  s.clock.time += 1
  s.core.wake()
  await s.core.idle()
  expect(s.appends()).toHaveLength(1)
})

test('[BOX-27] an edit of what a relay accepted whose clock was set back since goes all the same', async () => {
  const s = await stage()
  await s.down({ t: 'opened', req: s.opens()[0]?.req ?? 0, client: s.client })
  const id = await s.say('first words')
  await s.update(0, 1)
  await s.answer([{ kind: 'known', id, seq: 1, gone: false }])
  const dayMs = 86_400_000
  await s.down({ t: 'beat', mark: 'm', now: s.clock.time - dayMs })
  const edit = makeTimeId<'entry'>(s.clock.time, new Uint8Array(16))
  await s.core.call(edit, 'edit', { channel: s.channel, id, text: 'better words' })
  await s.core.idle()
  await s.answer([{ kind: 'refused', id: edit, code: 'clock', severe: false }])
  s.clock.time += 5_000
  s.core.wake()
  await s.core.idle()
  const parsed = parseEntry(s.appends().at(-1)?.entries[0] ?? new Uint8Array())
  expect(parsed.ok && parsed.value.at - (s.clock.time - dayMs)).toBeLessThan(120_000)
})
