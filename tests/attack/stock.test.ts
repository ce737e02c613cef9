// The stock protocol at /api/doc, beside one honest y-websocket provider that stays all the while: whatever a stranger's or a member's client
// says there, it is closed or not listened to, the honest one is never cut, and its replica stays the one that devices hold, byte for byte.
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { WebSocket } from 'ws'
import * as Y from 'yjs'
import { createByteWriter } from '#shared/base/byte-cursor.ts'
import { concatBytes } from '#shared/base/bytes.ts'
import type { SegmentId } from '#shared/base/ids.ts'
import { closeCodes } from '#shared/protocol/frames.ts'
import { someBytes } from '../fakes/raw-person.ts'
import { dial, type StockReader, startStockReader } from '../stock/stock-reader.ts'
import { provesHarmless } from './harmless.ts'
import { startWorld, type World } from './world.ts'

let world: World
let seg: SegmentId
let doc: Y.Doc
let honest: StockReader

beforeAll(async () => {
  world = await startWorld({ LIMIT_BEAT_INTERVAL_MS: '500' })
  const [[id, held] = []] = [...world.reader.docs]
  if (!id || !held) throw new Error('a channel with messages has a segment')
  seg = id
  doc = held
  honest = startStockReader(world.relay.url, seg, world.ben.token)
})
afterAll(() => {
  honest?.stop()
  return world?.remove()
})

/** The proof of every attack, and of the honest provider beside it. */
async function provesUnharmed(): Promise<void> {
  await provesHarmless(world)
  await expect.poll(() => bytesOf(honest.doc), { timeout: 10_000 }).toBe(bytesOf(doc))
  expect(honest.closes).toEqual([])
  expect([...honest.provider.awareness.getStates().keys()], 'nobody else is aware').toEqual([honest.doc.clientID])
}

const bytesOf = (of: Y.Doc) => Buffer.from(Y.encodeStateAsUpdate(of)).toString('base64')
const step = { one: 0, two: 1, update: 2 } as const

function syncMessage(kind: number, payload: Uint8Array): Uint8Array {
  return createByteWriter().byte(0).byte(kind).uint(payload.length).bytes(payload).done()
}

function awarenessMessage(client: number, state: string): Uint8Array {
  const text = new TextEncoder().encode(state)
  const update = createByteWriter().uint(1).uint(client).uint(1).uint(text.length).bytes(text).done()
  return createByteWriter().byte(1).uint(update.length).bytes(update).done()
}

/** Of everything that stands: it would empty the channel for whoever took it. */
function deleteAll(): Uint8Array {
  const [[client, structs] = []] = [...doc.store.clients]
  const length = structs?.reduce((sum, struct) => sum + struct.length, 0) ?? 0
  return createByteWriter()
    .uint(0)
    .uint(1)
    .uint(client ?? 0)
    .uint(1)
    .uint(0)
    .uint(length)
    .done()
}

/** A replica with words of its own, put under the relay's own client and under a client of its own. */
function forged(client: number): Y.Doc {
  const own = new Y.Doc()
  Y.applyUpdate(own, Y.encodeStateAsUpdate(doc))
  own.clientID = client
  own.getArray('log').push(['ann never said this'])
  own.getMap('other').set('root', 1)
  return own
}

const relayClient = () => [...doc.store.clients.keys()][0] ?? 0

function eveDials(): Promise<WebSocket> {
  return dial(world.relay.url, `/api/doc/${seg}`, world.eve.token)
}

/** The close code after these messages; 0 where the relay went on and answered a step 1 behind them. */
async function sayStock(...messages: (Uint8Array | string)[]): Promise<number> {
  const socket = await eveDials()
  socket.on('error', () => {})
  const end = new Promise<number>((resolve) => {
    socket.on('close', resolve)
    socket.on('message', (data: Buffer) => data[0] === 0 && data[1] === step.two && resolve(0))
  })
  for (const message of messages) socket.send(message)
  socket.send(syncMessage(step.one, Uint8Array.of(0)))
  const code = await end
  socket.terminate()
  return code
}

test('[ATT-60] an honest provider reads, pauses, is cut ten times, and stays byte-equal', async () => {
  const reader = startStockReader(world.relay.url, seg, world.cho.token)
  await reader.synced()
  for (let i = 0; i < 10; i++) {
    const { seq } = await world.write({ body: { t: `cut ${i}` } })
    if (i % 2 === 0) reader.cut()
    else {
      reader.provider.disconnect()
      reader.provider.connect()
    }
    await world.reader.sees(seq)
  }
  await expect.poll(() => bytesOf(reader.doc), { timeout: 20_000 }).toBe(bytesOf(doc))
  expect(reader.doc.store.pendingStructs).toBeNull()
  reader.stop()
  await provesUnharmed()
})

test('[ATT-61] a stock provider that writes', async () => {
  const writer = startStockReader(world.relay.url, seg, world.eve.token)
  await writer.synced()
  writer.doc.getArray('log').push(['ann never said this'])
  await writer.closedWith(closeCodes.forbidden)
  writer.stop()
  await provesUnharmed()
})

test('[ATT-61] a stock provider that deletes what others wrote', async () => {
  const writer = startStockReader(world.relay.url, seg, world.eve.token)
  await writer.synced()
  writer.doc.getArray('log').delete(0, 5)
  await writer.closedWith(closeCodes.forbidden)
  writer.stop()
  await provesUnharmed()
})

test('[ATT-61] a stock provider that comes with words of its own', async () => {
  const writer = startStockReader(world.relay.url, seg, world.eve.token)
  writer.doc.getArray('log').insert(0, ['ann never said this'])
  await writer.closedWith(closeCodes.history)
  writer.stop()
  await provesUnharmed()
})

test('[ATT-62] a foreign delete set, as update and as step 2', async () => {
  expect(await sayStock(syncMessage(step.update, deleteAll()))).toBe(closeCodes.forbidden)
  // Without structs a step 2 is what every replica answers, with the delete set of all that it holds; the relay looks at neither.
  expect(await sayStock(syncMessage(step.two, deleteAll()))).toBe(0)
  await provesUnharmed()
})

test('[ATT-62] structs under the relay’s own client, and under another', async () => {
  for (const client of [relayClient(), 1, 0xffff_ffff]) {
    const whole = Y.encodeStateAsUpdate(forged(client))
    const lacking = Y.encodeStateAsUpdate(forged(client), Y.encodeStateVector(doc))
    for (const update of [whole, lacking])
      for (const kind of [step.two, step.update]) expect(await sayStock(syncMessage(kind, update))).toBe(closeCodes.forbidden)
  }
  await provesUnharmed()
})

test('[ATT-62] V2 bytes', async () => {
  const bytes = Y.encodeStateAsUpdateV2(forged(1))
  expect(await sayStock(syncMessage(step.update, bytes))).toBe(closeCodes.forbidden)
  // V2 begins with a zero, like a step 2 without structs: not listened to.
  expect(await sayStock(syncMessage(step.two, bytes))).toBe(0)
  await provesUnharmed()
})

test('[ATT-63] awareness for another’s id, and its end', async () => {
  for (const state of ['{"name":"ann"}', 'null', '{"__proto__":{}}', 'not json'])
    expect(await sayStock(awarenessMessage(honest.doc.clientID, state))).toBe(0)
  await provesUnharmed()
})

test('[ATT-63] huge awareness', async () => {
  expect(await sayStock(awarenessMessage(7, `"${'x'.repeat(60_000)}"`))).toBe(0)
  expect(await sayStock(awarenessMessage(7, `"${'x'.repeat(70_000)}"`))).toBe(1009)
  await provesUnharmed()
})

test('[ATT-63] awareness without end', async () => {
  expect(await sayStock(...Array.from({ length: 20_000 }, (_, i) => awarenessMessage(i, '{}')))).toBe(closeCodes.busy)
  await provesUnharmed()
})

test('[ATT-64] what is no message of the protocol', async () => {
  const empty = syncMessage(step.two, Uint8Array.of(0, 0))
  const bad = [
    new Uint8Array(),
    Uint8Array.of(0),
    Uint8Array.of(0, 3, 1, 0),
    Uint8Array.of(4),
    Uint8Array.of(255, 1, 2),
    ...Array.from({ length: empty.length - 1 }, (_, i) => empty.subarray(0, i + 1)),
    concatBytes(empty, Uint8Array.of(0)),
    Uint8Array.of(0, 0, 0x81, 0x00, 0),
    Uint8Array.of(0, 2, ...Array<number>(10).fill(0xff)),
    Uint8Array.of(0, 2, 0x80, 0x80, 0x80, 0x32),
    'a text',
    '',
  ]
  for (const message of bad) expect(await sayStock(message)).toBe(closeCodes.malformed)
  await provesUnharmed()
})

test('[ATT-64] vectors of more than there is, of others, and of none', async () => {
  const vectors = [
    createByteWriter().uint(1).uint(relayClient()).uint(Number.MAX_SAFE_INTEGER).done(),
    createByteWriter().uint(1).uint(1).uint(1).done(),
    createByteWriter().uint(1_000_000).uint(1).uint(1).done(),
    Y.encodeStateVector(forged(1)),
  ]
  // The newest question counts: where the right one behind it came in time, that one is answered.
  for (const vector of vectors) expect([closeCodes.history, 0]).toContain(await sayStock(syncMessage(step.one, vector)))
  for (const vector of [new Uint8Array(), Uint8Array.of(1), Uint8Array.of(1, 1), someBytes(3).fill(0xff)])
    expect(await sayStock(syncMessage(step.one, vector))).toBe(closeCodes.malformed)
  await provesUnharmed()
})

test('[ATT-64] the whole document asked for 1,000 times, and no answer read', async () => {
  const socket = await eveDials()
  socket.pause()
  for (let i = 0; i < 1_000; i++) socket.send(syncMessage(step.one, Uint8Array.of(0)))
  await provesUnharmed()
  socket.terminate()
  await provesUnharmed()
})

test('[ATT-65] a device’s frames on a reader’s socket, and a reader’s on a device’s', async () => {
  expect(await sayStock(Uint8Array.of(0, ...new TextEncoder().encode('{"t":"beat"}')))).toBe(closeCodes.malformed)
  const device = await world.link(world.eve)
  device.send(syncMessage(step.update, deleteAll()))
  expect((await device.closed).code).toBe(closeCodes.malformed)
  await provesUnharmed()
})
