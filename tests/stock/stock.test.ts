// An honest y-websocket 3.1 provider, and a dishonest one, at a real relay through real sockets.

import { once } from 'node:events'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import * as Y from 'yjs'
import type { SegmentId } from '#shared/base/ids.ts'
import { closeCodes } from '#shared/protocol/frames.ts'
import { foundPlace, type Place } from '../fakes/node-community.ts'
import type { NodeDevice } from '../fakes/node-device.ts'
import { type RelayProcess, startRelay } from '../fakes/relay-process.ts'
import { dial, patience, people, type StockReader, say, segmentOf, servedBytes, startStockReader } from './stock-reader.ts'

let relay: RelayProcess
let owner: NodeDevice
let member: NodeDevice

beforeAll(async () => {
  relay = await startRelay({ LIMIT_BEAT_INTERVAL_MS: '1000' })
  const [ann, ben] = await people(relay.url, 'ann', 'ben')
  if (!ann || !ben) throw new Error('two people')
  owner = ann
  member = ben
})
afterAll(async () => {
  for (const device of [owner, member]) await device.stop()
  await relay.remove()
})

const reading: StockReader[] = []
afterEach(() => {
  for (const reader of reading.splice(0)) reader.stop()
})

async function newPlace(...texts: string[]): Promise<Place & { segment: SegmentId }> {
  const place = await foundPlace(owner, member)
  for (const text of texts) await say(owner, place, text)
  return { ...place, segment: await segmentOf(owner, place) }
}

function read(device: NodeDevice, segment: SegmentId, token = device.account.token) {
  const reader = startStockReader(relay.url, segment, token)
  reading.push(reader)
  return reader
}

const served = (segment: SegmentId) => servedBytes(relay.url, segment, owner.account.token)

test('[STOCK-20] a stock provider reads, hears what is new, and reads on after a pause, byte for byte', async () => {
  const place = await newPlace('one', 'two')
  const reader = read(member, place.segment)
  await reader.synced()
  expect(reader.texts()).toEqual(['one', 'two'])
  await say(owner, place, 'three')
  await reader.reads(['one', 'two', 'three'])
  reader.provider.disconnect()
  await say(member, place, 'four')
  await say(owner, place, 'five')
  expect(reader.texts()).toEqual(['one', 'two', 'three'])
  reader.provider.connect()
  await reader.reads(['one', 'two', 'three', 'four', 'five'])
  expect(Y.encodeStateAsUpdate(reader.doc)).toEqual(await served(place.segment))
})

test('[STOCK-21] cables pulled out and a relay killed: it comes again by itself and holds the same', async () => {
  const place = await newPlace('0')
  const reader = read(member, place.segment)
  await reader.synced()
  const all = ['0']
  for (let i = 1; i <= 20; i++) {
    if (i % 3 === 0) reader.cut()
    if (i % 10 === 0) {
      await relay.kill()
      await relay.start()
    }
    await say(i % 2 ? owner : member, place, String(i))
    all.push(String(i))
  }
  await reader.reads(all)
  expect(Y.encodeStateAsUpdate(reader.doc)).toEqual(await served(place.segment))
})

test('[STOCK-22] a redaction arrives, and what it deleted is in no byte of the replica', async () => {
  const place = await newPlace('stays')
  const secret = await say(owner, place, 'a word said in haste')
  const reader = read(member, place.segment)
  const away = read(member, place.segment)
  await reader.reads(['stays', 'a word said in haste'])
  await away.reads(['stays', 'a word said in haste'])
  away.provider.disconnect()
  const removed = await owner.call('remove', { channel: place.channel, id: secret })
  expect(removed.ok).toBe(true)
  await reader.reads(['stays', 'redact'])
  away.provider.connect()
  await away.reads(['stays', 'redact'])
  for (const one of [reader, away]) {
    const bytes = Y.encodeStateAsUpdate(one.doc)
    expect(Buffer.from(bytes).includes('haste')).toBe(false)
    expect(bytes).toEqual(await served(place.segment))
  }
})

test('[STOCK-23] a quiet line is kept: a stock provider gives up after 30 s without a message', async () => {
  const place = await newPlace('one')
  const reader = read(member, place.segment)
  await reader.synced()
  let messages = 0
  const socket: unknown = reader.provider.ws
  if (!(socket instanceof WebSocket)) throw new Error('connected')
  socket.on('message', () => messages++)
  const before = Y.encodeStateAsUpdate(reader.doc)
  await expect.poll(() => messages, patience).toBeGreaterThanOrEqual(3)
  expect(Date.now() - reader.provider.wsLastMessageReceived).toBeLessThan(5_000)
  expect([reader.provider.wsconnected, reader.closes]).toEqual([true, []])
  expect(Y.encodeStateAsUpdate(reader.doc)).toEqual(before)
})

test('[STOCK-24] one that writes is closed for good, and nobody is harmed', async () => {
  const place = await newPlace('one')
  const honest = read(owner, place.segment)
  const writer = read(member, place.segment)
  await honest.synced()
  await writer.synced()
  writer.doc.getArray('log').push(['not an entry'])
  await writer.closedWith(closeCodes.forbidden)
  expect(writer.provider.shouldConnect).toBe(false)
  // What it holds now is no copy: it is told so when it comes again.
  writer.provider.connect()
  await writer.closedWith(closeCodes.history)

  const eraser = read(member, place.segment)
  await eraser.synced()
  eraser.doc.getArray('log').delete(0, 1)
  await eraser.closedWith(closeCodes.forbidden)

  await say(owner, place, 'two')
  await honest.reads(['one', 'two'])
  expect(Y.encodeStateAsUpdate(honest.doc)).toEqual(await served(place.segment))
})

test('[STOCK-25] awareness, also of another or in bulk, harms nobody and goes nowhere', async () => {
  const place = await newPlace('one')
  const quiet = read(owner, place.segment)
  const loud = read(member, place.segment)
  await quiet.synced()
  await loud.synced()
  loud.provider.awareness.setLocalState({ name: 'x'.repeat(10_000) })
  loud.provider.awareness.states.set(quiet.doc.clientID, { name: 'not he' })
  loud.provider.awareness.meta.set(quiet.doc.clientID, { clock: 1_000, lastUpdated: Date.now() })
  loud.provider.awareness.emit('update', [{ added: [quiet.doc.clientID], updated: [], removed: [] }, 'local'])
  await say(owner, place, 'two')
  await loud.reads(['one', 'two'])
  await quiet.reads(['one', 'two'])
  expect([...quiet.provider.awareness.states.keys()]).toEqual([quiet.doc.clientID])
  expect([quiet.closes, loud.closes]).toEqual([[], []])
  loud.provider.awareness.setLocalState({ name: 'x'.repeat(2_000_000) })
  await expect.poll(() => loud.closes.length, patience).toBeGreaterThan(0)
  await say(owner, place, 'three')
  await quiet.reads(['one', 'two', 'three'])
})

test('[STOCK-26] the sixth reader of an account waits until one goes', async () => {
  const place = await newPlace('one')
  const five = Array.from({ length: 5 }, () => read(member, place.segment))
  for (const reader of five) await reader.synced()
  const sixth = read(member, place.segment)
  await sixth.closedWith(closeCodes.busy)
  expect(sixth.texts()).toEqual([])
  five.pop()?.stop()
  await sixth.reads(['one'])
})

test('[STOCK-27] no token, a wrong one, another protocol, an address with more in it: no socket that reads', async () => {
  const place = await newPlace('one')
  const wrong = read(member, place.segment, 'A'.repeat(43))
  await wrong.closedWith(closeCodes.unauthorized)
  expect([wrong.texts(), wrong.provider.shouldConnect]).toEqual([[], false])

  const base = relay.url.replace(/^http/, 'ws')
  const { token } = member.account
  const refused = async (path: string, protocols: string[]) => {
    const socket = new WebSocket(`${base}${path}`, protocols)
    socket.on('error', () => socket.terminate())
    const [, response] = await once(socket, 'unexpected-response')
    return response.statusCode
  }
  const path = `/api/doc/${place.segment}`
  expect(await refused(path, [`token.${token}`])).toBe(400)
  expect(await refused(path, [])).toBe(400)
  expect(await refused(`${path}?token=${token}`, ['dupecord.1'])).toBe(404)
  expect(await refused(`${path}/x`, ['dupecord.1', `token.${token}`])).toBe(404)
  const nobody = new WebSocket(`${base}${path}`, ['dupecord.1'])
  expect((await once(nobody, 'close'))[0]).toBe(closeCodes.unauthorized)
  const talker = await dial(relay.url, path, token)
  talker.send('hello')
  expect((await once(talker, 'close'))[0]).toBe(closeCodes.malformed)
})

test('[STOCK-28] who is not in the community hears the same as of a document that is not there', async () => {
  const place = await newPlace('one')
  const [stranger] = await people(relay.url, 'eve')
  if (!stranger) throw new Error('one person')
  for (const segment of [place.segment, 'AAAAAAAAAAAAAAAAAAAAAA']) {
    const socket = await dial(relay.url, `/api/doc/${segment}`, stranger.account.token)
    const messages: unknown[] = []
    socket.on('message', (bytes) => messages.push(bytes))
    socket.send(Uint8Array.of(0, 0, 1, 0))
    const [code, reason] = await once(socket, 'close')
    expect([code, String(reason), messages]).toEqual([closeCodes.forbidden, 'no such document', []])
  }
  await stranger.stop()
})

test('[STOCK-29] removed, signed out, or the channel gone: the reading ends at once and for good', async () => {
  const place = await newPlace('one')
  const [guest] = await people(relay.url, 'gus')
  if (!guest) throw new Error('one person')
  await guest.until(() => guest.core.world.link?.phase === 'ready')
  const invite = await owner.call('createInvite', { space: place.space, days: 1, uses: 0 })
  if (!invite.ok) throw new Error(invite.code)
  const joined = await guest.call('join', { code: invite.value.code, space: place.space })
  expect(joined.ok).toBe(true)

  const guestReads = read(guest, place.segment)
  const memberReads = read(member, place.segment)
  const ownerReads = read(owner, place.segment)
  for (const reader of [guestReads, memberReads, ownerReads]) await reader.synced()

  const removed = await owner.call('removeMember', { space: place.space, account: member.account.account })
  expect(removed.ok).toBe(true)
  await memberReads.closedWith(closeCodes.forbidden)
  await say(owner, place, 'among us')
  await guestReads.reads(['one', 'among us'])
  expect(memberReads.texts()).toEqual(['one'])

  const authorization = `Bearer ${guest.account.token}`
  const signedOut = await fetch(`${relay.url}/api/sign-out`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json' },
    body: '{}',
  })
  expect(signedOut.status).toBe(204)
  await guestReads.closedWith(closeCodes.unauthorized)

  const deleted = await owner.call('deleteChannel', { space: place.space, channel: place.channel })
  expect(deleted.ok).toBe(true)
  await ownerReads.closedWith(closeCodes.forbidden)
  for (const reader of [guestReads, memberReads, ownerReads]) {
    expect(reader.provider.shouldConnect).toBe(false)
  }
  await guest.stop()
})
