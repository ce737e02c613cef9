// An update becomes part of this device: bytes, outbox, timeline and counts change in one transaction.
import type { ChannelId } from '#shared/base/ids.ts'
import type { Replica, ReplicaChange } from '#shared/log/document.ts'
import { type Element, readElement } from '#shared/log/entry-codec.ts'
import type { SegmentRow } from '../device-store.ts'
import { elementsCame, waitAgain } from './outbox.ts'
import { putBack } from './put-back.ts'
import { readElements, replicaOf } from './replicas.ts'
import { changeBytes, changed, put, type World } from './state.ts'
import { addToView, redrawCopy, removeFromView } from './timelines.ts'

/** Updates stored behind a snapshot before they are joined into it. */
const updatesMax = 128
const unreadMax = 100

export async function absorbUpdate(
  world: World,
  before: SegmentRow,
  replica: Replica,
  { added, deleted }: ReplicaChange,
  update: Uint8Array,
): Promise<void> {
  // A deleted run that was never here brings nothing to draw, but it counts.
  if (added.length === 0 && deleted.length === 0 && replica.next === before.n) return
  const elements = added.flatMap(({ clock, text }) => {
    const element = readElement(text)
    return element.ok ? [{ clock, element: element.value }] : []
  })
  // Rows behind the snapshot still hold the text of what this update deletes: all bytes are written anew, in this transaction.
  const rewrites = deleted.length > 0 || before.updates >= updatesMax
  const row = { ...before, ...extentOf(replica), updates: rewrites ? 0 : before.updates + 1 }
  put(world, 'segment', row)
  changeBytes(world, row.id, rewrites ? { kind: 'snapshot', state: replica.state() } : { kind: 'append', update })
  removeFromView(world, row, deleted)
  addToView(world, row, elements)
  const came = elements.map(({ element }) => element)
  elementsCame(world, row.channel, came)
  countNew(world, row.channel, came)
  changed(world, `timeline ${row.channel}`)
}

/** The fresh copy takes the old one's place at once. Own entries that it lacks go back to the outbox: the relay may have lost them. */
export async function swapCopy(world: World, before: SegmentRow, fresh: Replica): Promise<void> {
  const old = await replicaOf(world, before.id)
  const came = [...readElements(fresh)].map(({ element }) => element)
  const held = new Set(came.map((element) => element.id))
  const missing = [...readElements(old)].map(({ element }) => element).filter((element) => !held.has(element.id))
  old.destroy()
  world.replicas.set(before.id, fresh)
  const view = world.tables.channel.get(before.channel)?.view ?? 0
  const row = { ...before, ...extentOf(fresh), view, updates: 0 }
  put(world, 'segment', row)
  changeBytes(world, row.id, { kind: 'snapshot', state: fresh.state() })
  putBack(world, { space: row.space, channel: row.channel }, missing)
  waitAgain(world, row.channel)
  elementsCame(world, row.channel, came)
  await redrawCopy(world, row)
  changed(world, `timeline ${row.channel}`)
}

/** Standing posts of others behind `seq` in what is held here, counted to 100. Reads segments, newest first, as far as needed. */
export async function countUnread(world: World, channel: ChannelId, seq: number): Promise<number> {
  let count = 0
  const rows = [...world.tables.segment.values()].filter((row) => row.channel === channel && row.of === '')
  for (const row of rows.sort((a, b) => b.order - a.order)) {
    let reachesBack = false
    for (const { element } of readElements(await replicaOf(world, row.id))) {
      if (element.seq <= seq) reachesBack = true
      else if (isOthersPost(world, element)) count++
    }
    if (reachesBack || count >= unreadMax) break
  }
  return Math.min(count, unreadMax)
}

function extentOf(replica: Replica): Pick<SegmentRow, 'client' | 'n' | 'tail'> {
  // reason: a replica's tail is an entry id, '-' or '', which its type does not say
  return { client: replica.client, n: replica.next, tail: replica.tail() as SegmentRow['tail'] }
}

/** Posts that are newer than all that was known: older ones, fetched late, were counted by the relay. */
function countNew(world: World, channel: ChannelId, elements: readonly Element[]): void {
  const row = world.tables.channel.get(channel)
  if (!row) return
  const seen = world.tables.marker.get(channel)?.seq ?? 0
  const posts = elements.filter((element) => element.op === 'post' && element.seq > row.last)
  if (posts.length === 0) return
  const unread = posts.filter((element) => element.seq > seen && isOthersPost(world, element)).length
  const last = posts.reduce((newest, element) => Math.max(newest, element.seq), row.last)
  put(world, 'channel', { ...row, last, unread: Math.min(unreadMax, row.unread + unread) })
  changed(world, 'communities')
}

function isOthersPost(world: World, element: Element): boolean {
  return element.op === 'post' && element.by !== world.ports.me.account
}
