// Readers that stop reading, beside readers that go on: devices and stock Yjs clients on a real relay. The flood is far more than what the
// stalled ones may have waiting, so that whoever keeps it for them, or waits for them, is found out.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import WebSocket from 'ws'
import * as Y from 'yjs'
import { toBase64Url } from '#shared/base/bytes.ts'
import { idFromBytes, type SegmentId } from '#shared/base/ids.ts'
import { inviteHash } from '#shared/community/invite-code.ts'
import { loadSodium } from '#shared/crypto/sodium.ts'
import { encodeUp, parseDown } from '#shared/protocol/frame-codec.ts'
import type { ControlDown } from '#shared/protocol/frames.ts'
import { greetRaw, helloOf, type RawDevice } from '../fakes/raw-device.ts'
import {
  addDevice,
  entryText,
  makePerson,
  type Place,
  type RawPerson,
  signCommand,
  signEntry,
  signInByHand,
  someBytes,
} from '../fakes/raw-person.ts'
import { type RelayProcess, startRelay } from '../fakes/relay-process.ts'

const queueBytes = 65_536
const people = 20
const devicesEach = 20
const half = (people * devicesEach) / 2
const stockHalf = 40
/** A round of the flood: 5 MB for everybody, when a stalled line may hold 64 KB in the relay, and a few MB in the kernel. */
const appends = 70
const entriesEach = 6
const entryBytes = 12_000
const roundsMax = 8
/** Sockets, frames under way, garbage not yet collected: the same with and without stalled readers. */
const slackBytes = 160 * 1024 * 1024

const settings = {
  LOG_LEVEL: 'error',
  LIMIT_LINK_QUEUE_BYTES_MAX: String(queueBytes),
  LIMIT_ENTRY_BURST: '1000000',
  LIMIT_CHANNEL_BURST: '1000000',
  LIMIT_SEGMENT_BYTES_MAX: '1000000000',
  LIMIT_SEGMENT_BYTES_FULL: '1000000000',
  LIMIT_DIGEST_MEMORY_KIB: '64',
  LIMIT_DIGEST_PASSES: '1',
  // The stalled ones are not to be found out by their silence, but by their queue.
  LIMIT_SILENCE_MS: '600000',
}

interface Reader {
  /** Bytes of all updates that came. */
  readonly bytes: number
  /** Resolves when so many update bytes have come. */
  until(bytes: number): Promise<void>
  stall(): void
  resume(): void
  /** What the relay said instead of an update. */
  readonly told: Promise<'stale' | number>
  cut(): void
}

test('[SLOW-1] 200 readers that stopped cost the relay a bounded queue each, slow nobody down, and catch up when they read again', {
  timeout: 300_000,
}, async () => {
  const relay = await startRelay(settings)
  const readers: Reader[] = []
  try {
    await holdAgainst(relay, readers)
  } finally {
    for (const reader of readers) reader.cut()
    await relay.remove()
  }
})

async function holdAgainst(relay: RelayProcess, readers: Reader[]): Promise<void> {
  const { url } = relay
  const { tokens, stockTokens, segment, flood } = await furnish(relay)
  const connect = async (from: number, stockFrom: number) => {
    const devices = await Promise.all(tokens.slice(from, from + half).map((token) => openDevice(url, token, segment)))
    const stock = await Promise.all(
      stockTokens.slice(stockFrom, stockFrom + stockHalf).map((token) => openStock(url, token, segment)),
    )
    readers.push(...devices, ...stock)
    return [...devices, ...stock]
  }
  const good = await connect(0, 0)
  const stalled = await connect(half, stockHalf)
  for (const reader of stalled) reader.stall()
  const before = peakMemoryOf(relay.pid)
  // What the kernel takes on top for each line differs: until none of them has room there either.
  const besideMs: number[] = []
  let figures = await figuresOf(url)
  while (figures('stale_total') + figures('links_closed_total{code="4503"}') < stalled.length && besideMs.length < roundsMax) {
    // Everybody who reads has everything when this resolves.
    besideMs.push(await flood(good))
    figures = await figuresOf(url)
  }
  expect([figures('stale_total'), figures('links_closed_total{code="4503"}')]).toEqual([half, stockHalf])
  expect(peakMemoryOf(relay.pid) - before).toBeLessThan(stalled.length * 2 * queueBytes + slackBytes)
  expect(figures('queue_bytes')).toBeLessThan(stalled.length * 2 * queueBytes)

  for (const reader of stalled) reader.resume()
  const told = await Promise.all(stalled.map((reader) => reader.told))
  // A device opens the segment again; a stock client is cut off, since it reads no goodbye either, and its provider connects again.
  expect(told.filter((one) => one === 'stale')).toHaveLength(half)
  const whole = new Y.Doc()
  const again = await openDevice(url, tokens.at(-1) ?? '', segment)
  readers.push(again, await openStock(url, stockTokens.at(-1) ?? '', segment, whole))
  const entries = 1 + besideMs.length * appends * entriesEach
  expect(whole.getArray('log').length).toBe(entries)
  expect(again.bytes).toBeGreaterThan((entries - 1) * entryBytes)

  for (const reader of [...stalled, again]) reader.cut()
  const aloneMs = await flood(good)
  // Generous: both cores run this test, the relay, and whatever else there is.
  expect(Math.min(...besideMs)).toBeLessThan(3 * aloneMs + 2_000)
}

async function furnish(relay: RelayProcess) {
  const { url } = relay
  const all: RawPerson[] = []
  for (let i = 0; i < people; i++) all.push(await makePerson(url, `reader${i}`))
  const [owner] = all
  if (!owner) throw new Error('there are people')
  const place: Place = { space: idFromBytes<'space'>(someBytes(16)), channel: idFromBytes<'channel'>(someBytes(16)) }
  const code = toBase64Url(someBytes(16))
  const hash = inviteHash(await loadSodium(), code)
  const command = async (device: RawDevice, person: RawPerson, act: Parameters<typeof signCommand>[2], secret = '') => {
    const given = signCommand(person, place.space, act)
    device.say({ ...given, secret })
    const [id] = JSON.parse(given.text)
    const done = await device.heard('done', (message) => message.id === id)
    if ('code' in done) throw new Error(done.code)
  }
  const writer = await greetRaw(url, owner.token)
  await command(writer, owner, {
    act: 'community.create',
    args: { name: 'Slow Lane', channel: place.channel, channelName: 'general' },
    was: 0,
  })
  await command(writer, owner, { act: 'invite.create', args: { hash, until: 0, uses: 0 }, was: 0 })
  for (const person of all.slice(1)) {
    const device = await greetRaw(url, person.token)
    await command(device, person, { act: 'member.join', args: { hash }, was: 0 }, code)
    await device.end()
  }
  const tokens: string[] = []
  const stockTokens: string[] = []
  for (const person of all) {
    // The writer's own device stays the writer's.
    if (person !== owner) tokens.push(person.token)
    for (let i = 1; i < devicesEach; i++)
      tokens.push((await addDevice(url, person, await signInByHand(url, person.username, person.authKey))).token)
    for (let i = 0; i < (2 * stockHalf) / people; i++) stockTokens.push(tokens.at(-1 - i) ?? '')
  }
  // One short, for the writer's; the next account's newest device does a second person's part.
  const spare = await makePerson(url, 'spare')
  const device = await greetRaw(url, spare.token)
  await command(device, spare, { act: 'member.join', args: { hash }, was: 0 }, code)
  await device.end()
  tokens.push(spare.token)
  await writer.append(place.channel, [signEntry(owner.device, place, entryText(owner))])
  writer.say({ t: 'segments', channel: place.channel, after: '' })
  const { list } = await writer.heard('segments')
  const segment = list[0]?.seg
  if (!segment) throw new Error('the first message opened a segment')
  const words = 'w'.repeat(3_990)
  const entry = () => signEntry(owner.device, place, entryText(owner, { body: { t: words, more: [words, words] } }))

  /** @returns ms until all of it is with everybody */
  const flood = async (readers: readonly Reader[]): Promise<number> => {
    const entries = Array.from({ length: appends }, () => Array.from({ length: entriesEach }, entry))
    const held = readers.map((reader) => reader.bytes)
    const from = performance.now()
    for (const [i, some] of entries.entries()) {
      const { verdicts } = await writer.append(place.channel, some)
      expect(verdicts.every((verdict) => verdict.kind === 'accepted')).toBe(true)
      // In step: a reader that reads has never more than this under way, so that none of them is ever too slow.
      const least = (i + 1) * entriesEach * entryBytes
      await Promise.all(readers.map((reader, at) => reader.until((held[at] ?? 0) + least)))
    }
    return performance.now() - from
  }
  return { tokens, stockTokens, segment, flood }
}

function readerOf(line: WebSocket, read: (bytes: Uint8Array) => { update: number } | 'stale' | undefined): Reader {
  let bytes = 0
  const waits = new Set<() => void>()
  const told = Promise.withResolvers<'stale' | number>()
  line.on('error', () => {})
  line.on('close', (code) => told.resolve(code))
  line.on('message', (data) => {
    if (!(data instanceof Uint8Array)) return
    const came = read(data)
    if (came === 'stale') told.resolve('stale')
    if (came === undefined || came === 'stale') return
    bytes += came.update
    for (const look of waits) look()
  })
  return {
    get bytes() {
      return bytes
    },
    until: (least) =>
      new Promise((resolve) => {
        const look = () => {
          if (bytes < least) return
          waits.delete(look)
          resolve()
        }
        waits.add(look)
        look()
      }),
    stall: () => line.pause(),
    resume: () => line.resume(),
    told: told.promise,
    cut: () => line.terminate(),
  }
}

/** A device that has the segment open, from its beginning. Only the first byte of an update is looked at. */
async function openDevice(url: string, token: string, seg: SegmentId): Promise<Reader> {
  const line = new WebSocket(`${url.replace(/^http/, 'ws')}/api/socket`, { perMessageDeflate: false })
  const control = (bytes: Uint8Array): ControlDown | undefined => {
    const frame = parseDown(new Uint8Array(bytes))
    return frame?.kind === 'control' ? frame.message : undefined
  }
  const reader = readerOf(line, (bytes) => {
    if (bytes[0] === 2) return { update: bytes.length }
    const message = control(bytes)
    if (message?.t === 'ready')
      line.send(encodeUp({ kind: 'control', message: { t: 'open', req: 1, seg, n: 0, view: 0, tail: '' } }))
    return message?.t === 'stale' ? 'stale' : undefined
  })
  line.on('open', () => {
    const hello = new TextEncoder().encode(JSON.stringify(helloOf(token)))
    line.send(Buffer.concat([Uint8Array.of(0), hello]))
  })
  await reader.until(1)
  return reader
}

/** A stock client, as far as the relay can tell. @param doc gets what comes */
async function openStock(url: string, token: string, seg: SegmentId, doc?: Y.Doc): Promise<Reader> {
  const line = new WebSocket(`${url.replace(/^http/, 'ws')}/api/doc/${seg}`, ['dupecord.1', `token.${token}`], {
    perMessageDeflate: false,
  })
  const reader = readerOf(line, (bytes) => {
    // Sync, and a step 2 or an update; awareness is nothing here.
    if (bytes[0] !== 0 || bytes[1] === 0) return undefined
    if (doc) {
      let at = 2
      while ((bytes[at] ?? 0) >= 128) at++
      Y.applyUpdate(doc, bytes.subarray(at + 1))
    }
    return { update: bytes.length }
  })
  line.on('open', () => line.send(Uint8Array.of(0, 0, 1, 0)))
  await reader.until(1)
  return reader
}

async function figuresOf(url: string): Promise<(name: string) => number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  return (name) =>
    Number(
      text
        .split('\n')
        .find((line) => line.startsWith(`dupecord_${name} `))
        ?.split(' ')[1] ?? 0,
    )
}

/** The most that the process ever had in memory at once, bytes. */
function peakMemoryOf(pid: number): number {
  const peak = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return Number(peak?.[1] ?? 0) * 1024
}
