// The private document: one person's devices share a Yjs document by stock y-protocols messages, and the relay keeps its bytes as numbered blobs.
// It reads the envelope only. A device's step 1 is answered with every blob and with a step 1 that asks for the whole document; that answer
// replaces the blobs it was made from. So blobs never pile up, and no Yjs is needed here.
//   message = 00 sync ( 00 step 1, vector | 01 step 2, update | 02 update ) | 01 awareness | 02 auth | 03 query; payloads length-prefixed
import { type ByteReader, createByteReader, createByteWriter } from '#shared/base/byte-cursor.ts'
import { type Bytes, equalBytes } from '#shared/base/bytes.ts'
import type { AccountId } from '#shared/base/ids.ts'
import { encodeDown } from '#shared/protocol/frame-codec.ts'
import { closeCodes, privateStream } from '#shared/protocol/frames.ts'
import type { HubParts } from './hub-hello.ts'
import type { Link } from './hub-links.ts'
import { unlessFull } from './hub-room.ts'

const sync = 0
const ignored: ReadonlySet<number> = new Set([1, 2, 3])
const steps = { one: 0, two: 1, update: 2 } as const
const emptyUpdate = Uint8Array.of(0, 0)
const emptyVector = Uint8Array.of(0)

/** A device that is asked for the whole and does not answer is cut off at this many times the blobs that may pile up. */
const blobsTimesMax = 4
/** Words that were sent may be taken back; no draft of them stays longer. */
const tidyAfterMs = 5_000
/** Questions that one link may leave unanswered: an honest device answers each before its next. */
const askedMax = 16

/** Sizes by blob number, so that an update need not read the others. */
export type PrivateSizes = Map<AccountId, Map<number, number>>

export async function runPrivate(
  hub: HubParts,
  sizes: PrivateSizes,
  link: Link,
  stream: number,
  bytes: Uint8Array,
): Promise<void> {
  const { links } = hub
  const message = stream === privateStream ? parseMessage(bytes) : undefined
  if (!message) return links.close(link, closeCodes.malformed, 'stock message')
  if (message === 'ignored' || !link.session) return
  switch (message.step) {
    case steps.one:
      return sendAll(hub, sizes, link, link.session.account)
    case steps.two:
      return keep(hub, sizes, link, message.payload, link.privateAsked?.shift() ?? [])
    default:
      return keep(hub, sizes, link, message.payload, [])
  }
}

/** What was deleted from the document still lies in the pieces that came before: when no more come for a while, its device is asked for the whole. */
export function tidyPrivate({ links, ports }: HubParts, sizes: PrivateSizes, link: Link): void {
  const account = link.session?.account
  if (link.privateAt === 0 || !account || ports.clock.now() - link.privateAt < tidyAfterMs) return
  link.privateAt = 0
  const held = sizes.get(account)
  if (held && held.size > 1 && link.privateAsked?.length === 0) ask(links, link, [...held.keys()])
}

/** There is room again: what found none before comes with the whole. */
export function askForOwed({ links }: HubParts, sizes: PrivateSizes, link: Link): void {
  const account = link.session?.account
  if (!link.privateOwed || !account) return
  link.privateOwed = false
  ask(links, link, [...(sizes.get(account)?.keys() ?? [])])
}

async function sendAll({ ports, links }: HubParts, sizes: PrivateSizes, link: Link, account: AccountId): Promise<void> {
  if ((link.privateAsked?.length ?? 0) >= askedMax) return links.close(link, closeCodes.busy, 'asks and does not answer')
  const blobs = await ports.private.blobs(account)
  sizes.set(account, new Map(blobs.map(({ nr, bytes }) => [nr, bytes.length])))
  const answers = blobs.length > 0 ? blobs.map(({ bytes }) => bytes) : [emptyUpdate]
  for (const bytes of answers) links.sendBytes(link, syncFrame(steps.two, bytes))
  link.privateAsked ??= []
  ask(
    links,
    link,
    blobs.map(({ nr }) => nr),
  )
}

async function keep(
  hub: HubParts,
  sizes: PrivateSizes,
  link: Link,
  update: Uint8Array,
  answersFor: readonly number[],
): Promise<void> {
  const { ports, links } = hub
  const account = link.session?.account
  if (!account) return
  const held = sizes.get(account) ?? (await readSizes(hub, sizes, account))
  const replaces = answersFor.filter((nr) => held.has(nr))
  if (await isNothingNew(hub, account, update, replaces)) return
  const total = [...held].reduce((sum, [nr, size]) => sum + (replaces.includes(nr) ? 0 : size), update.length)
  if (total > ports.settings.privateDocumentBytesMax) return links.close(link, closeCodes.tooLarge, 'private document')

  if (replaces.length === 0 && held.size >= blobsTimesMax * ports.settings.privateBlobsMax)
    return links.close(link, closeCodes.busy, 'private document in too many pieces')

  const bytes = new Uint8Array(update)
  const put = hub.room.full ? undefined : await unlessFull(hub.room, () => ports.private.put(account, bytes, replaces))
  if (!put) {
    link.privateOwed = true
    return
  }
  for (const old of replaces) held.delete(old)
  held.set(put.value, bytes.length)
  link.privateAt = ports.clock.now()
  const frame = syncFrame(steps.update, bytes)
  for (const other of links.ofAccount(account)) if (other !== link && other.privateAsked) links.sendBytes(other, frame)
  if (link.privateAsked?.length === 0 && isPiledUp(hub, held)) ask(links, link, [...held.keys()])
}

/** This device has applied every blob that is named by the time it answers: they were sent before, or are its own. */
function ask(links: HubParts['links'], link: Link, blobs: number[]): void {
  link.privateAsked?.push(blobs)
  links.sendBytes(link, syncFrame(steps.one, emptyVector))
}

function isPiledUp({ ports }: HubParts, held: ReadonlyMap<number, number>): boolean {
  const { privateBlobsMax, privateDocumentBytesMax } = ports.settings
  const [oldest = 0, ...later] = held.values()
  const laterBytes = later.reduce((sum, size) => sum + size, 0)
  return held.size > privateBlobsMax || (oldest > 0 && laterBytes > privateDocumentBytesMax / 4)
}

async function isNothingNew(
  { ports }: HubParts,
  account: AccountId,
  update: Uint8Array,
  replaces: readonly number[],
): Promise<boolean> {
  if (replaces.length === 0) return equalBytes(update, emptyUpdate)
  if (replaces.length > 1) return false
  const same = (await ports.private.blobs(account)).find(({ nr }) => nr === replaces[0])
  return same !== undefined && equalBytes(same.bytes, update)
}

async function readSizes({ ports }: HubParts, sizes: PrivateSizes, account: AccountId): Promise<Map<number, number>> {
  const held = new Map((await ports.private.blobs(account)).map(({ nr, bytes }) => [nr, bytes.length]))
  sizes.set(account, held)
  return held
}

function parseMessage(bytes: Uint8Array): { step: number; payload: Uint8Array } | 'ignored' | undefined {
  const reader = createByteReader(bytes)
  const kind = reader.uint()
  if (kind !== sync) return kind !== undefined && ignored.has(kind) ? 'ignored' : undefined
  const step = reader.uint()
  const payload = readPayload(reader)
  return step === undefined || step > steps.update || !payload || !reader.ended ? undefined : { step, payload }
}

function readPayload(reader: ByteReader): Uint8Array | undefined {
  const length = reader.uint()
  return length === undefined ? undefined : reader.take(length)
}

function syncFrame(step: number, payload: Uint8Array): Bytes {
  const bytes = createByteWriter(payload.length + 8)
    .uint(sync)
    .uint(step)
    .uint(payload.length)
    .bytes(payload)
    .done()
  return encodeDown({ kind: 'stock', stream: privateStream, bytes })
}
