// Stock readers at the hub: what they are told, what they may say, and when they are shown the door. Real Yjs replicas apply what is sent.
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import type { ReaderHandle } from '#relay/hub-readers.ts'
import { createByteWriter } from '#shared/base/byte-cursor.ts'
import { parseSegmentId, type SegmentId } from '#shared/base/ids.ts'
import { closeCodes } from '#shared/protocol/frames.ts'
import type { Person } from '../community/people.ts'
import { createHubWorld, type HubWorld } from './hub-world.ts'

const stranger = parseSegmentId('AAAAAAAAAAAAAAAAAAAAAA')

function message(step: number, payload: Uint8Array): Uint8Array {
  return createByteWriter().byte(0).byte(step).uint(payload.length).bytes(payload).done()
}

/** A provider of the fewest words: a replica, and what came. */
function createReader(world: HubWorld, person: Person, segment: SegmentId, token = `token-${person.dev}`) {
  const doc = new Y.Doc()
  const reader = {
    doc,
    line: undefined as ReaderHandle | undefined,
    messages: [] as Uint8Array[],
    closedWith: 0,
    reason: '',
    queued: 0,
    pings: 0,
    async say(bytes: Uint8Array) {
      reader.line?.receive(bytes)
      await world.hub.idle()
    },
    ask: (vector = Y.encodeStateVector(doc)) => reader.say(message(0, vector)),
    texts: () => doc.getArray<string>('log').map((element) => element.slice(element.indexOf('"t":"') + 5, -3)),
  }
  reader.line = world.hub.read(
    {
      send(bytes) {
        reader.messages.push(bytes)
        if (bytes[0] === 0) Y.applyUpdate(doc, payloadOf(bytes))
      },
      close(code, reason) {
        reader.closedWith = code
        reader.reason = reason
      },
      queuedBytes: () => reader.queued,
      ping: () => void reader.pings++,
    },
    segment,
    token,
  )
  return reader
}

function payloadOf(bytes: Uint8Array): Uint8Array {
  let at = 2
  while ((bytes[at] ?? 0) > 127) at++
  return bytes.subarray(at + 1)
}

async function createPlace(settings: Parameters<typeof createHubWorld>[0] = {}) {
  const world = createHubWorld(settings)
  const owner = await world.online(await world.person('ann'))
  const member = await world.online(await world.person('ben'))
  const { space, channel } = await world.community(owner, member)
  const first = await world.post(owner, space, channel, 'one')
  const segment = world.head(channel)
  return { world, owner, member, space, channel, segment, first }
}

/** What Yjs would hold of the segment as it is served. */
async function served({ world, segment, owner }: Awaited<ReturnType<typeof createPlace>>): Promise<Uint8Array> {
  owner.forgetFrames()
  await world.open(owner, segment)
  const update = owner.frames.find((frame) => frame.kind === 'update')
  return update?.kind === 'update' ? update.update : Uint8Array.of()
}

test('[STOCK-1] a reader gets what it lacks as step 2, then every update, and holds what is served byte for byte', async () => {
  const place = await createPlace()
  const { world, owner, member, space, channel, segment } = place
  const reader = createReader(world, member.person, segment)
  await world.hub.idle()
  expect(reader.messages).toEqual([])
  await reader.ask()
  expect(reader.messages.map((bytes) => [bytes[0], bytes[1]])).toEqual([[0, 1]])
  expect(reader.texts()).toEqual(['one'])
  await world.post(owner, space, channel, 'two')
  await world.post(member, space, channel, 'three')
  expect(reader.messages.map((bytes) => [bytes[0], bytes[1]])).toEqual([
    [0, 1],
    [0, 2],
    [0, 2],
  ])
  expect(reader.texts()).toEqual(['one', 'two', 'three'])
  expect(Y.encodeStateAsUpdate(reader.doc)).toEqual(await served(place))
})

test('[STOCK-1] one that comes again asks for the rest only', async () => {
  const place = await createPlace()
  const { world, owner, member, space, channel, segment } = place
  const first = createReader(world, member.person, segment)
  await first.ask()
  first.line?.closed()
  await world.post(owner, space, channel, 'two')
  expect(first.texts()).toEqual(['one'])
  const again = createReader(world, member.person, segment)
  await again.ask(Y.encodeStateVector(first.doc))
  Y.applyUpdate(first.doc, payloadOf(again.messages[0] ?? Uint8Array.of()))
  expect(first.texts()).toEqual(['one', 'two'])
  expect((again.messages[0] ?? []).length).toBeLessThan((await served(place)).length)
  expect(Y.encodeStateAsUpdate(first.doc)).toEqual(await served(place))
  // One that lacks nothing is told so: else a stock provider would never be synced.
  await again.ask(Y.encodeStateVector(first.doc))
  expect(again.messages[1]).toEqual(message(1, Uint8Array.of(0, 0)))
})

test('[STOCK-2] a redaction deletes at the reader, in its replica and in one that comes later', async () => {
  const place = await createPlace()
  const { world, owner, member, space, channel, segment, first } = place
  const reader = createReader(world, member.person, segment)
  await reader.ask()
  await world.append(owner, channel, world.entry(owner.person, space, channel, { op: 'redact', ref: first.id, body: 0 }))
  expect(reader.texts().filter((text) => text === 'one')).toEqual([])
  expect(Y.encodeStateAsUpdate(reader.doc)).toEqual(await served(place))
  const later = createReader(world, member.person, segment)
  await later.ask()
  expect(Y.encodeStateAsUpdate(later.doc)).toEqual(await served(place))
  expect(Buffer.concat(later.messages).includes('"one"')).toBe(false)
})

test('[STOCK-3] awareness, questions for it and an empty step 2 are ignored; anything that writes closes', async () => {
  const { world, member, owner, space, channel, segment } = await createPlace()
  const foreign = new Y.Doc()
  foreign.getArray('log').push(['mine'])
  const write = Y.encodeStateAsUpdate(foreign)
  const harmless = [Uint8Array.of(1, 1, 0), Uint8Array.of(3), Uint8Array.of(1, 255), Uint8Array.of(2, 0)]
  const deleteSetOnly = message(1, Uint8Array.of(0, 1, 7, 1, 0, 3))
  for (const bytes of [...harmless, message(1, Uint8Array.of(0, 0)), deleteSetOnly]) {
    const reader = createReader(world, member.person, segment)
    await reader.ask()
    await reader.say(bytes)
    expect([reader.closedWith, reader.messages.length]).toEqual([0, 1])
    reader.line?.closed()
  }
  const writes = [
    message(2, write),
    message(1, write),
    message(2, Uint8Array.of(0, 0)),
    message(2, Uint8Array.of(0, 1, 7, 1, 0, 3)),
  ]
  for (const bytes of writes) {
    const reader = createReader(world, member.person, segment)
    await reader.ask()
    await reader.say(bytes)
    expect(reader.closedWith).toBe(closeCodes.forbidden)
  }
  const broken = [
    Uint8Array.of(),
    Uint8Array.of(9),
    Uint8Array.of(0),
    Uint8Array.of(0, 3, 0),
    Uint8Array.of(0, 0, 5, 0),
    Uint8Array.of(0, 0, 1, 0, 0),
    Uint8Array.of(0, 1, 0),
    message(0, Uint8Array.of(1, 7)),
    message(0, Uint8Array.of(1, 7, 255, 255, 255, 255, 255, 255, 255, 255, 255)),
  ]
  for (const bytes of broken) {
    const reader = createReader(world, member.person, segment)
    await reader.say(bytes)
    expect([bytes, reader.closedWith]).toEqual([bytes, closeCodes.malformed])
  }
  expect((await world.post(owner, space, channel, 'goes on')).result?.verdicts[0]?.kind).toBe('accepted')
})

test('[STOCK-4] a replica of something else, or of more than there is, is told so', async () => {
  const { world, member, segment } = await createPlace()
  const client = world.tables.segments.get(segment)?.client ?? 0
  const vector = (...pairs: [number, number][]) => {
    const writer = createByteWriter().uint(pairs.length)
    for (const [author, n] of pairs) writer.uint(author).uint(n)
    return writer.done()
  }
  for (const wrong of [
    vector([client + 1, 1]),
    vector([client, 2]),
    vector([client, 1], [client + 1, 1]),
    vector([client, 2 ** 40]),
  ]) {
    const reader = createReader(world, member.person, segment)
    await reader.ask(wrong)
    expect(reader.closedWith).toBe(closeCodes.history)
  }
})

test('[STOCK-5] who has no session, or no certified device, does not read', async () => {
  const { world, member, segment } = await createPlace()
  for (const token of ['', 'unknown']) {
    const reader = createReader(world, member.person, segment, token)
    await reader.ask()
    expect([reader.closedWith, reader.messages.length]).toEqual([closeCodes.unauthorized, 0])
  }
  await world.revoke(member.person)
  const reader = createReader(world, member.person, segment)
  await reader.ask()
  expect([reader.closedWith, reader.messages.length]).toEqual([closeCodes.unauthorized, 0])
})

test('[STOCK-6] a document that one may not see and one that is not there: one answer, at one time', async () => {
  const { world, member, segment } = await createPlace()
  const outsider = (await world.online(await world.person('eve'))).person
  const closed: [number, string][] = []
  for (const [person, asked] of [
    [outsider, segment],
    [outsider, stranger],
    [member.person, stranger],
  ] as const) {
    const reader = createReader(world, person, asked ?? segment)
    await reader.ask()
    expect([reader.closedWith, reader.messages.length]).toEqual([0, 0])
    world.hub.tick()
    closed.push([reader.closedWith, reader.reason])
    expect(reader.messages).toEqual([])
  }
  expect(new Set(closed.map(String)).size).toBe(1)
  expect(closed[0]?.[0]).toBe(closeCodes.forbidden)
})

test('[STOCK-7] a sign-out, a member removed and a channel deleted end the reading in the same turn', async () => {
  const { world, owner, member, space, channel, segment } = await createPlace()
  const signedOut = createReader(world, member.person, segment)
  await signedOut.ask()
  world.hub.endSession(`hash of token-${member.person.dev}`)
  expect(signedOut.closedWith).toBe(closeCodes.unauthorized)

  const removed = createReader(world, member.person, segment)
  await removed.ask()
  const stays = createReader(world, owner.person, segment)
  await stays.ask()
  await world.command(owner, space, { act: 'member.remove', args: { account: member.person.account }, was: 0 })
  expect([removed.closedWith, stays.closedWith]).toEqual([closeCodes.forbidden, 0])
  await world.post(owner, space, channel, 'not for him')
  expect(removed.texts()).toEqual(['one'])
  expect(stays.texts()).toEqual(['one', 'not for him'])

  await world.command(owner, space, { act: 'channel.delete', args: { channel }, was: 0 })
  expect(stays.closedWith).toBe(closeCodes.forbidden)
})

test('[STOCK-8] an account has so many readers and no more, until one goes', async () => {
  const { world, owner, member, segment } = await createPlace({ settings: { stockReadersMax: 2 } })
  const [first, second, third] = [1, 2, 3].map(() => createReader(world, member.person, segment))
  await third?.ask()
  expect([first?.closedWith, second?.closedWith, third?.closedWith]).toEqual([0, 0, closeCodes.busy])
  const other = createReader(world, owner.person, segment)
  await other.ask()
  expect(other.texts()).toEqual(['one'])
  first?.line?.closed()
  const next = createReader(world, member.person, segment)
  await next.ask()
  expect(next.texts()).toEqual(['one'])
})

test('[STOCK-9] one that is too slow is closed, and holds nobody up', async () => {
  const { world, owner, member, space, channel, segment } = await createPlace({ settings: { linkQueueBytesMax: 400 } })
  const slow = createReader(world, member.person, segment)
  const quick = createReader(world, member.person, segment)
  await slow.ask()
  await quick.ask()
  slow.queued = 401
  await world.post(owner, space, channel, 'two')
  expect([slow.closedWith, slow.texts().length]).toEqual([closeCodes.busy, 1])
  expect(quick.texts()).toEqual(['one', 'two'])
  // An answer waits for room.
  const waits = createReader(world, member.person, segment)
  waits.queued = 101
  await waits.ask()
  expect(waits.messages).toEqual([])
  waits.queued = 0
  waits.line?.drained()
  await world.hub.idle()
  expect(waits.texts()).toEqual(['one', 'two'])
})

test('[STOCK-10] at each beat it hears that the line lives; one that answers no ping is given up', async () => {
  const { world, member, segment } = await createPlace()
  const { beatIntervalMs, silenceMs } = { beatIntervalMs: 10_000, silenceMs: 25_000 }
  const living = createReader(world, member.person, segment)
  const dead = createReader(world, member.person, segment)
  await living.ask()
  await dead.ask()
  for (let at = 0; at < silenceMs; at += beatIntervalMs) {
    world.clock.time += beatIntervalMs
    living.line?.heard()
    world.hub.tick()
  }
  expect([living.closedWith, dead.closedWith]).toEqual([0, closeCodes.busy])
  expect(living.pings).toBe(3)
  expect(living.messages.slice(1)).toEqual(Array(3).fill(Uint8Array.of(1, 1, 0)))
})

test('[STOCK-11] one that asks without end is answered at a pace, one that talks without end is closed', async () => {
  const { world, member, segment } = await createPlace()
  const eager = createReader(world, member.person, segment)
  for (let i = 0; i < 50; i++) await eager.ask()
  const answered = eager.messages.length
  expect(answered).toBeLessThan(10)
  world.clock.time += 10_000
  world.hub.tick()
  await world.hub.idle()
  expect(eager.messages.length).toBe(answered + 2) // a beat, and the question that waited
  for (let i = 0; i < 3_000; i++) eager.line?.receive(Uint8Array.of(3))
  expect(eager.closedWith).toBe(closeCodes.busy)
})

test('[STOCK-12] a failed commit and a stop send readers to come again', async () => {
  let fails = false
  const place = await createPlace({
    wrapLog: (log) => ({
      ...log,
      async commit(...given) {
        if (fails) throw new Error('the disk took nothing')
        return log.commit(...given)
      },
    }),
  })
  const { world, owner, member, space, channel, segment } = place
  const reader = createReader(world, member.person, segment)
  await reader.ask()
  fails = true
  await world.post(owner, space, channel, 'lost')
  expect([reader.closedWith, reader.texts()]).toEqual([closeCodes.restarting, ['one']])
  fails = false
  const last = createReader(world, member.person, segment)
  await last.ask()
  await world.hub.stop()
  expect(last.closedWith).toBe(closeCodes.restarting)
  expect(createReader(world, member.person, segment).closedWith).toBe(closeCodes.restarting)
})

test('[STOCK-12] when a mark proves that the disk was set back, readers are sent to come again', async () => {
  const { world, owner, member, space, channel, segment } = await createPlace()
  const { commits } = world.tables.meta
  await world.post(owner, space, channel, 'two')
  world.clock.time += 10_000
  world.hub.tick()
  const mark = owner.of('beat').at(-1)?.mark ?? ''
  world.tables.meta.commits = commits
  world.restart()
  const reader = createReader(world, member.person, segment)
  await reader.ask()
  await world.online(owner.person, mark)
  expect(reader.closedWith).toBe(closeCodes.restarting)
})
