// The timelines in memory: of channels that somebody looks at, from the newest segment back as far as they look.
// A chain segment is folded together with its annexes; what is held but not looked at stays on the disk.
import type { ChannelId, EntryId } from '#shared/base/ids.ts'
import type { Element } from '#shared/log/entry-codec.ts'
import type { OutboxRow as Overlay } from '#shared/log/held-entry.ts'
import { createTimeline } from '#shared/log/timeline.ts'
import type { OutboxRow, SegmentRow } from '../device-store.ts'
import { readElements, replicaOf, segmentsOf } from './replicas.ts'
import type { ChannelView, World } from './state.ts'

/** Timelines kept after nobody looks at them any more: going back to a channel is instant. */
const idleViewsMax = 8

export function viewOf(world: World, channel: ChannelId): ChannelView {
  let view = world.views.get(channel)
  if (!view) {
    view = { timeline: createTimeline(), roots: new Set() }
    world.views.set(channel, view)
    for (const row of world.tables.outbox.values()) if (row.channel === channel) view.timeline.putRow(overlayOf(world, row))
  }
  return view
}

/** Reads segments from the store, newest first, until `limit` posts of them can be drawn or nothing older is held. */
export async function fillView(world: World, channel: ChannelId, limit: number): Promise<ChannelView> {
  const view = viewOf(world, channel)
  const rows = segmentsOf(world, channel)
  const roots = rows.filter((row) => row.of === '').sort((a, b) => b.order - a.order)
  const oldest = roots.findLastIndex((row) => view.roots.has(row.id))
  // What only lies in the outbox is drawn whatever is read, and says nothing about how far back it was: it must not keep newer ones out.
  const own = [...world.tables.outbox.values()].filter((row) => row.channel === channel).length
  const isFull = () => view.timeline.window(limit + own).posts.filter((post) => post.element).length >= limit
  for (const [i, root] of roots.entries()) {
    if (view.roots.has(root.id)) continue
    // No hole: what is newer than the oldest one here belongs to it. Behind that, only what is looked at.
    if (i > oldest && isFull()) break
    view.roots.add(root.id)
    for (const row of rows) if (row.id === root.id || row.of === root.id) await addCopy(world, view, row)
  }
  return view
}

/** Chain segments that are held and not in the timeline: older messages can be had without the network. */
export function hasOlderSegments(world: World, channel: ChannelId): boolean {
  const view = world.views.get(channel)
  return segmentsOf(world, channel).some((row) => row.of === '' && row.n > 0 && !view?.roots.has(row.id))
}

export function addToView(world: World, row: SegmentRow, elements: Iterable<{ clock: number; element: Element }>): void {
  const view = inView(world, row)
  if (view) for (const { clock, element } of elements) view.timeline.add(row.id, clock, element)
}

export function removeFromView(world: World, row: SegmentRow, clocks: readonly number[]): void {
  const view = inView(world, row)
  if (view) for (const clock of clocks) view.timeline.remove(row.id, clock)
}

export function dropFromView(world: World, row: SegmentRow): void {
  const view = world.views.get(row.channel)
  view?.timeline.dropSegment(row.id)
  view?.roots.delete(row.id)
}

/** A new copy of a segment that was drawn from its old one. */
export async function redrawCopy(world: World, row: SegmentRow): Promise<void> {
  const view = inView(world, row)
  view?.timeline.dropSegment(row.id)
  if (view) await addCopy(world, view, row)
}

/** The outbox row of this id is there, changed, or gone. */
export function overlayRow(world: World, channel: ChannelId, id: EntryId): void {
  const view = world.views.get(channel)
  const row = world.tables.outbox.get(id)
  if (row) view?.timeline.putRow(overlayOf(world, row))
  else view?.timeline.dropRow(id)
}

/** After a turn. */
export function letIdleViewsGo(world: World): void {
  let surplus = world.views.size - world.watched.size - idleViewsMax
  for (const channel of world.views.keys()) {
    if (surplus <= 0) return
    if (world.watched.has(channel) || world.viewed === channel) continue
    world.views.delete(channel)
    surplus--
  }
}

async function addCopy(world: World, view: ChannelView, row: SegmentRow): Promise<void> {
  for (const { clock, element } of readElements(await replicaOf(world, row.id))) view.timeline.add(row.id, clock, element)
}

function inView(world: World, row: SegmentRow): ChannelView | undefined {
  const view = world.views.get(row.channel)
  return view?.roots.has(row.of === '' ? row.id : row.of) ? view : undefined
}

/**
 * When a row was written. Once it is signed, what it says there counts, by the relay's clock: an edit must be later than that, and one
 * that went by our own clock would wait until the relay's has caught up.
 */
export function shownAt({ at, after, signed }: OutboxRow): number {
  const fields: unknown = signed && JSON.parse(signed.text)
  const signedAt: unknown = Array.isArray(fields) ? fields[3] : undefined
  return typeof signedAt === 'number' ? signedAt : Math.max(at, after)
}

function overlayOf(world: World, row: OutboxRow): Overlay {
  const { me, signer } = world.ports
  const { id, n, op, ref, ext, body, signed, state } = row
  const fields = { id, by: me.account, dev: signed?.dev ?? signer.dev, at: shownAt(row), op, ref, ext, body }
  switch (state.kind) {
    case 'accepted':
      return { id, fields, n, state: 'accepted', seq: state.seq }
    case 'refused':
      return { id, fields, n, state: 'refused', code: state.code }
    case 'waiting':
    case 'notarget':
      return { id, fields, n, state: signed ? 'signed' : 'unsigned' }
  }
}
