// Opens the segments of all channels and keeps them open, so that everything is held offline: heads first, the viewed channel's before all,
// older ones in the background. An update counts only after `opened` with the newest request sent for its segment.
import type { ChannelId, SegmentId } from '#shared/base/ids.ts'
import { createReplica } from '#shared/log/document.ts'
import type { ControlDown, SegmentListing } from '#shared/protocol/frames.ts'
import type { ChannelRow, SegmentRow } from '../device-store.ts'
import { absorbUpdate, swapCopy } from './absorbing.ts'
import { waitAgain } from './outbox.ts'
import { putBack } from './put-back.ts'
import { dropCopy, readElements, replicaOf, segmentsOf } from './replicas.ts'
import { changed, isReady, type Link, lasts, pauseFor, put, send, type World } from './state.ts'
import { dropFromView } from './timelines.ts'

/** Opens that the relay has not answered yet: enough to fill the line, few enough that a channel just opened comes soon. */
const openingMax = 16
/** Place of a head that no list has named yet: behind all that are listed, and behind any other such one, which is older. */
const unlistedOrder = 1_000_000
/** A relay that calls a fresh copy stale is too busy to serve it: not at once again. */
const staleAgainMs = 1_000

/** A channel as the relay has it now: its head is opened, the rest follows. */
export function planChannel(world: World, link: Link, channel: ChannelRow, rev: number): void {
  if (channel.head !== '') {
    if (!world.tables.segment.has(channel.head)) {
      const order = Math.max(unlistedOrder, nextOrder(world, channel.id))
      noteSegment(world, channel, channel.head, '', 0, order)
    }
    want(link, channel.head, channel.id === world.viewed)
  }
  if (channel.heldRev !== rev) {
    if (channel.id === world.viewed) link.unlisted.unshift(channel.id)
    else link.unlisted.push(channel.id)
    return
  }
  for (const row of newestFirst(segmentsOf(world, channel.id))) want(link, row.id, false)
}

/** The person looks at it: before all others. */
export function hurryChannel(world: World, link: Link, channel: ChannelId): void {
  if (link.unlisted.includes(channel)) link.unlisted = [channel, ...link.unlisted.filter((other) => other !== channel)]
  const mine = new Set(segmentsOf(world, channel).map((row) => row.id))
  link.wanted = [...link.wanted.filter((seg) => mine.has(seg)), ...link.wanted.filter((seg) => !mine.has(seg))]
}

/** Called at the end of every turn. */
export function openWanted(world: World): void {
  if (!isReady(world)) return
  const { link } = world
  let opening = 0
  const later: SegmentId[] = []
  for (const stream of link.streams.values()) if (!stream.opened) opening++
  while (opening < openingMax) {
    const segment = link.wanted.shift()
    if (segment === undefined) break
    const row = world.tables.segment.get(segment)
    if (!row || link.streams.has(segment)) continue
    if (lasts(world, link.stale.get(segment))) {
      later.push(segment)
      continue
    }
    const view = world.tables.channel.get(row.channel)?.view ?? 0
    open(world, link, row, row.n > 0 && row.view !== view)
    opening++
  }
  link.wanted.push(...later)
  if (link.asking !== '') return
  const channel = link.unlisted.shift()
  if (channel === undefined) return
  link.asking = channel
  link.listings.set(channel, { rev: 0, elements: new Map(), roots: 0, complete: false })
  send(world, { kind: 'control', message: { t: 'segments', channel, after: '' } })
}

export async function onSegments(world: World, link: Link, frame: Extract<ControlDown, { t: 'segments' }>): Promise<void> {
  const channel = world.tables.channel.get(frame.channel)
  const listing = link.listings.get(frame.channel)
  if (!channel || !listing || link.asking !== frame.channel) return
  listing.rev = frame.rev
  for (const { seg, of, client, n } of frame.list) {
    listing.elements.set(seg, n)
    const root = of === '' ? undefined : world.tables.segment.get(of)
    noteSegment(world, channel, seg, of, client, of === '' ? listing.roots++ : (root?.order ?? 0))
  }
  const last = frame.list.at(-1)
  if (frame.more && last) {
    send(world, { kind: 'control', message: { t: 'segments', channel: frame.channel, after: last.seg } })
    return
  }
  listing.complete = true
  link.asking = ''
  await dropUnlisted(world, link, channel, frame.list, listing.elements)
  for (const row of newestFirst(segmentsOf(world, channel.id))) want(link, row.id, false)
  if (channel.id === world.viewed) hurryChannel(world, link, channel.id)
  noteHeld(world, link, channel.id)
}

/** A new head or annex: told to who has a head or a root open, before its first update. */
export function onSegment(world: World, link: Link, frame: Extract<ControlDown, { t: 'segment' }>): void {
  const channel = world.tables.channel.get(frame.channel)
  if (!channel) return
  const root = frame.of === '' ? undefined : world.tables.segment.get(frame.of)
  const row = noteSegment(world, channel, frame.seg, frame.of, frame.client, root?.order ?? nextOrder(world, channel.id))
  if (frame.of === '' && channel.head !== frame.seg) put(world, 'channel', { ...channel, head: frame.seg })
  const stream = link.streams.get(frame.seg)
  if (!stream) open(world, link, row, false)
}

export function onOpened(world: World, link: Link, req: number, client: number): void {
  const segment = link.streamOfReq.get(req)
  link.streamOfReq.delete(req)
  const stream = segment === undefined ? undefined : link.streams.get(segment)
  const row = segment === undefined ? undefined : world.tables.segment.get(segment)
  if (!stream || !row || stream.req !== req) return
  if (row.client !== client && row.n > 0 && !stream.swaps) {
    open(world, link, row, true)
    return
  }
  stream.opened = true
  if (stream.swaps) stream.fresh = createReplica(client)
  else if (row.client !== client) {
    world.tables.segment.set(row.id, { ...row, client })
    world.replicas.get(row.id)?.destroy()
    world.replicas.delete(row.id)
  }
  noteHeld(world, link, row.channel)
}

export async function onUpdate(world: World, link: Link, segment: SegmentId, update: Uint8Array): Promise<void> {
  const stream = link.streams.get(segment)
  const row = world.tables.segment.get(segment)
  if (!stream?.opened || !row) return
  const replica = stream.fresh ?? (await replicaOf(world, segment))
  const applied = replica.apply(update)
  if (!applied.ok) {
    // Not what follows on this copy: the relay is right, since it is the author. Asked anew, from the beginning.
    open(world, link, row, true)
    return
  }
  if (stream.fresh) {
    await swapCopy(world, row, stream.fresh)
    stream.fresh = undefined
    stream.swaps = false
  } else {
    await absorbUpdate(world, row, replica, applied.value, update)
  }
  noteHeld(world, link, row.channel)
}

/** Not of this history, or we were too slow: a fresh copy is fetched, and takes the old one's place when it is whole. */
export function onStale(world: World, link: Link, req: number): void {
  const segment = link.streamOfReq.get(req) ?? [...link.streams].find(([, stream]) => stream.req === req)?.[0]
  const stream = segment === undefined ? undefined : link.streams.get(segment)
  const row = segment === undefined ? undefined : world.tables.segment.get(segment)
  if (!stream || !row || stream.req !== req) return
  if (stream.swaps || row.n === 0) {
    link.streams.delete(row.id)
    link.wanted.push(row.id)
    link.stale.set(row.id, pauseFor(world, staleAgainMs))
    // Or it knows no such segment: set back unnoticed, it lost what only devices hold now. The list of the channel tells.
    if (link.asking !== row.channel && !link.unlisted.includes(row.channel)) link.unlisted.push(row.channel)
  } else open(world, link, row, true)
}

/** Nothing of this channel is fetched any more; what is still on the way for it is ignored. */
export function closeStreams(link: Link, channel: ChannelId): void {
  for (const [segment, stream] of link.streams) if (stream.channel === channel) link.streams.delete(segment)
  link.unlisted = link.unlisted.filter((other) => other !== channel)
  link.listings.delete(channel)
  if (link.asking === channel) link.asking = ''
}

function want(link: Link, segment: SegmentId, first: boolean): void {
  if (link.streams.has(segment) || link.wanted.includes(segment)) return
  if (first) link.wanted.unshift(segment)
  else link.wanted.push(segment)
}

function open(world: World, link: Link, row: SegmentRow, swaps: boolean): void {
  const before = link.streams.get(row.id)
  before?.fresh?.destroy()
  const req = link.nextReq++
  link.streams.set(row.id, { req, channel: row.channel, opened: false, swaps, fresh: undefined })
  link.streamOfReq.set(req, row.id)
  const view = world.tables.channel.get(row.channel)?.view ?? 0
  const [n, tail] = swaps ? [0, ''] : [row.n, row.tail]
  send(world, { kind: 'control', message: { t: 'open', req, seg: row.id, n, view, tail } })
}

/** In memory only: a segment of which nothing is held yet needs no row on the disk. */
function noteSegment(
  world: World,
  channel: ChannelRow,
  segment: SegmentId,
  of: SegmentId | '',
  client: number,
  order: number,
): SegmentRow {
  const known = world.tables.segment.get(segment)
  const { id, space, view } = channel
  const row: SegmentRow = known
    ? { ...known, of, order }
    : { id: segment, space, channel: id, of, client, view, order, n: 0, tail: '', updates: 0 }
  if (known && known.n > 0 && (known.of !== of || known.order !== order)) put(world, 'segment', row)
  else world.tables.segment.set(segment, row)
  return row
}

/** Copies of segments that the channel does not consist of any more: own entries go back before they are dropped. */
async function dropUnlisted(
  world: World,
  link: Link,
  channel: ChannelRow,
  page: readonly SegmentListing[],
  listed: ReadonlyMap<SegmentId, number>,
): Promise<void> {
  // The head that was told after the list was made is not in it.
  const surplus = segmentsOf(world, channel.id).filter((row) => !listed.has(row.id) && !link.streams.get(row.id)?.opened)
  if (surplus.length === 0 || page.length === 0) return
  for (const row of surplus) {
    const replica = await replicaOf(world, row.id)
    putBack(
      world,
      { space: row.space, channel: channel.id },
      [...readElements(replica)].map(({ element }) => element),
    )
    dropFromView(world, row)
    dropCopy(world, row)
    link.streams.delete(row.id)
  }
  waitAgain(world, channel.id)
  changed(world, `timeline ${channel.id}`)
}

/** All that was listed is here: until the relay names another rev, nothing is missing. */
function noteHeld(world: World, link: Link, channel: ChannelId): void {
  const listing = link.listings.get(channel)
  const row = world.tables.channel.get(channel)
  if (!listing?.complete || !row || row.heldRev === listing.rev) return
  for (const [segment, n] of listing.elements) {
    if ((world.tables.segment.get(segment)?.n ?? 0) < n || link.streams.get(segment)?.swaps) return
  }
  put(world, 'channel', { ...row, heldRev: listing.rev })
  changed(world, `timeline ${channel}`)
}

function nextOrder(world: World, channel: ChannelId): number {
  return segmentsOf(world, channel).reduce((next, row) => Math.max(next, row.order + 1), 0)
}

function newestFirst(rows: SegmentRow[]): SegmentRow[] {
  return rows.sort((a, b) => b.order - a.order)
}
