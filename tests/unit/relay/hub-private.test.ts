// The private document over the hub: three stock y-websocket providers of one person, on fake lines that can be cut.
import { expect, test } from 'vitest'
import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'
import { concatBytes } from '#shared/base/bytes.ts'
import { createPrng } from '#shared/base/prng.ts'
import { closeCodes, privateStream } from '#shared/protocol/frames.ts'
import { createMemoryPrivateStore } from '../../fakes/memory-private-store.ts'
import { createHubWorld, type HubWorld, type TestDevice } from './hub-world.ts'

/** What a provider takes for a WebSocket: the private stream of one link. */
function socketOver(device: TestDevice) {
  let taken = 0
  const sockets = new Set<StreamSocket>()
  class StreamSocket {
    readonly CONNECTING = 0
    readonly OPEN = 1
    readonly CLOSED = 3
    readyState = 0
    binaryType = ''
    onopen: (() => void) | undefined
    onclose: ((event: { code: number }) => void) | undefined
    onmessage: ((event: { data: ArrayBuffer }) => void) | undefined
    onerror: (() => void) | undefined
    constructor() {
      sockets.add(this)
    }
    send(bytes: Uint8Array) {
      device.up({ kind: 'stock', stream: privateStream, bytes: bytes.slice() })
    }
    close() {
      this.readyState = this.CLOSED
      sockets.delete(this)
    }
  }
  return {
    // reason: the provider uses no more of a WebSocket than this
    polyfill: StreamSocket as unknown as typeof WebSocket,
    open() {
      for (const socket of sockets) {
        socket.readyState = socket.OPEN
        socket.onopen?.()
      }
    },
    /** Hands on what came since. Answers whether there was anything. */
    deliver(): boolean {
      const fresh = device.frames.slice(taken)
      taken = device.frames.length
      const stock = fresh.filter((frame) => frame.kind === 'stock')
      for (const frame of stock) for (const socket of sockets) socket.onmessage?.({ data: frame.bytes.slice().buffer })
      return stock.length > 0
    },
  }
}

async function settle(world: HubWorld, lines: ReturnType<typeof socketOver>[]): Promise<void> {
  let busy = true
  while (busy) {
    await world.hub.idle()
    busy = lines.map((line) => line.deliver()).some(Boolean)
  }
}

async function attach(world: HubWorld, person: TestDevice['person'], doc: Y.Doc) {
  const device = await world.online(person)
  const line = socketOver(device)
  const options = { WebSocketPolyfill: line.polyfill, disableBc: true, connect: false, maxBackoffTime: 1e9 }
  const provider = new WebsocketProvider('ws://relay', 'private', doc, options)
  provider.connect()
  line.open()
  return {
    device,
    line,
    provider,
    end() {
      provider.destroy()
      device.link.closed()
    },
  }
}

async function threeDevices(world: HubWorld) {
  const first = await world.person('dupe')
  return [first, await world.device(first), await world.device(first)]
}

test('what one device writes is on the others, also on one that comes later', async () => {
  const world = createHubWorld()
  const [a, b, c] = await threeDevices(world)
  if (!a || !b || !c) throw new Error('three devices')
  const docs = [new Y.Doc(), new Y.Doc(), new Y.Doc()] as const
  const one = await attach(world, a, docs[0])
  const two = await attach(world, b, docs[1])
  await settle(world, [one.line, two.line])
  expect([one.provider.synced, two.provider.synced]).toEqual([true, true])
  docs[0].getMap('drafts').set('general', 'half a sentence')
  await settle(world, [one.line, two.line])
  expect(docs[1].getMap('drafts').get('general')).toBe('half a sentence')
  one.end()
  two.end()
  const three = await attach(world, c, docs[2])
  await settle(world, [three.line])
  expect(docs[2].getMap('drafts').toJSON()).toEqual({ general: 'half a sentence' })
  three.end()
})

test('after any cuts all devices hold the same, and the relay holds no more blobs than it may', {
  timeout: 120_000,
}, async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const prng = createPrng(seed)
    const world = createHubWorld({ settings: { privateBlobsMax: 5 } })
    const persons = await threeDevices(world)
    const docs = persons.map(() => new Y.Doc())
    const live = new Map<number, Awaited<ReturnType<typeof attach>>>()
    const lines = () => [...live.values()].map(({ line }) => line)
    for (let step = 0; step < 60; step++) {
      const i = prng.below(3)
      const [person, doc] = [persons[i], docs[i]]
      if (!person || !doc) continue
      if (prng.chance(0.25)) {
        const held = live.get(i)
        live.delete(i)
        if (held) held.end()
        else live.set(i, await attach(world, person, doc))
      } else if (prng.chance(0.8)) doc.getMap('drafts').set(`c${prng.below(4)}`, `${seed} ${step}`)
      else doc.getText('notes').insert(0, `${step} `)
      if (prng.chance(0.5)) await settle(world, lines())
    }
    for (const [i, person] of persons.entries()) {
      const doc = docs[i]
      if (doc && !live.has(i)) live.set(i, await attach(world, person, doc))
    }
    await settle(world, lines())
    const shown = docs.map((doc) => [doc.getMap('drafts').toJSON(), doc.getText('notes').toString()])
    expect(shown[1], `seed ${seed}`).toEqual(shown[0])
    expect(shown[2], `seed ${seed}`).toEqual(shown[0])
    const blobs = [...(world.tables.blobs.get(docs[0] && persons[0] ? persons[0].account : ('' as never)) ?? new Map()).values()]
    expect(blobs.length).toBeLessThanOrEqual(6)
    const fresh = new Y.Doc()
    for (const blob of blobs) Y.applyUpdate(fresh, blob)
    expect(fresh.getText('notes').toString(), `seed ${seed}`).toBe(shown[0]?.[1])
    for (const held of live.values()) held.end()
  }
})

test('blobs that pile up are asked for as one, with no new hello', async () => {
  const world = createHubWorld({ settings: { privateBlobsMax: 5 } })
  const person = await world.person('dupe')
  const doc = new Y.Doc()
  const held = await attach(world, person, doc)
  await settle(world, [held.line])
  for (let i = 0; i < 40; i++) {
    doc.getMap('drafts').set('general', `${i}`)
    await settle(world, [held.line])
    expect(world.tables.blobs.get(person.account)?.size).toBeLessThanOrEqual(6)
  }
  held.end()
})

test('another person gets nothing of it, and awareness goes nowhere', async () => {
  const world = createHubWorld()
  const mine = await world.online(await world.person('dupe'))
  const other = await world.online(await world.person('dupette'))
  const stepOne = Uint8Array.of(0, 0, 1, 0)
  for (const device of [mine, other]) device.up({ kind: 'stock', stream: privateStream, bytes: stepOne })
  await world.hub.idle()
  other.forgetFrames()
  mine.up({ kind: 'stock', stream: privateStream, bytes: Uint8Array.of(1, 3, 1, 2, 3) })
  mine.up({ kind: 'stock', stream: privateStream, bytes: Uint8Array.of(0, 2, 2, 0, 0) })
  await world.hub.idle()
  expect(other.frames).toEqual([])
  expect(world.tables.blobs.get(other.person.account)).toBeUndefined()
})

test.each([
  ['a stream that there is not', 7, [0, 0, 1, 0]],
  ['an unknown message', privateStream, [9, 1]],
  ['a torn message', privateStream, [0, 2, 9, 0]],
  ['something behind a message', privateStream, [0, 2, 1, 0, 0]],
])('%s closes the link', async (_, stream, bytes) => {
  const world = createHubWorld()
  const device = await world.online(await world.person('dupe'))
  device.up({ kind: 'stock', stream, bytes: Uint8Array.from(bytes) })
  await world.hub.idle()
  expect(device.closedWith).toBe(closeCodes.malformed)
})

test('a document over its limit closes the link and stores nothing', async () => {
  const world = createHubWorld({ settings: { privateDocumentBytesMax: 1_000 } })
  const device = await world.online(await world.person('dupe'))
  const update = (length: number) =>
    concatBytes(Uint8Array.of(0, 2, 0x80 | (length & 127), length >> 7), new Uint8Array(length).fill(1))
  device.up({ kind: 'stock', stream: privateStream, bytes: update(900) })
  await world.hub.idle()
  expect(device.closedWith).toBe(0)
  device.up({ kind: 'stock', stream: privateStream, bytes: update(200) })
  await world.hub.idle()
  expect(device.closedWith).toBe(closeCodes.tooLarge)
  expect(world.tables.blobs.get(device.person.account)?.size).toBe(1)
})

test('[PRIV-4] a device that writes and never answers is closed, at a bounded number of blobs; its next honest answer makes them one', async () => {
  const world = createHubWorld({ settings: { privateBlobsMax: 5 } })
  const device = await world.online(await world.person('dupe'))
  const send = (...bytes: number[]) => device.up({ kind: 'stock', stream: privateStream, bytes: Uint8Array.from(bytes) })
  send(0, 0, 1, 0)
  for (let i = 0; i < 100; i++) send(0, 2, 3, 9, 9, i)
  await world.hub.idle()
  expect(device.closedWith).toBe(closeCodes.busy)
  expect(world.tables.blobs.get(device.person.account)?.size).toBe(20)
  const again = await world.online(device.person)
  again.up({ kind: 'stock', stream: privateStream, bytes: Uint8Array.of(0, 0, 1, 0) })
  again.up({ kind: 'stock', stream: privateStream, bytes: Uint8Array.of(0, 1, 3, 7, 7, 7) })
  await world.hub.idle()
  expect([again.closedWith, world.tables.blobs.get(device.person.account)?.size]).toEqual([0, 1])
})

test('[PRIV-5] a device that asks again and again, and answers nothing, is closed', async () => {
  const world = createHubWorld()
  const device = await world.online(await world.person('dupe'))
  for (let i = 0; i < 100; i++) device.up({ kind: 'stock', stream: privateStream, bytes: Uint8Array.of(0, 0, 1, 0) })
  await world.hub.idle()
  expect(device.closedWith).toBe(closeCodes.busy)
})

test('[PRIV-6] a draft that was sent stays in no piece that the relay keeps: after some quiet seconds the device is asked for the whole', async () => {
  const world = createHubWorld()
  const person = await world.person('dupe')
  const doc = new Y.Doc()
  const { line, end } = await attach(world, person, doc)
  await settle(world, [line])
  const drafts = doc.getMap('drafts')
  drafts.set('a channel', 'abracadabra')
  drafts.set('another', 'this one stays')
  drafts.delete('a channel')
  await settle(world, [line])
  const stored = async () =>
    (await createMemoryPrivateStore(world.tables).blobs(person.account)).map(({ bytes }) => new TextDecoder().decode(bytes))
  expect((await stored()).join()).toContain('abracadabra')
  world.clock.time += 5_000
  world.hub.tick()
  await settle(world, [line])
  expect(await stored()).toEqual([expect.stringContaining('this one stays')])
  expect((await stored()).join()).not.toContain('abracadabra')
  world.clock.time += 10_000
  world.hub.tick()
  await settle(world, [line])
  expect(await stored()).toHaveLength(1)
  end()
})
