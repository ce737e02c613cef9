// The copies of segments that are in memory: read from the store when needed, let go when there are many.
import type { ChannelId, EntryId, SegmentId } from '#shared/base/ids.ts'
import { createReplica, type Replica } from '#shared/log/document.ts'
import { type Element, readElement } from '#shared/log/entry-codec.ts'
import type { SegmentRow } from '../device-store.ts'
import { changeBytes, drop, type World } from './state.ts'

/** Copies kept in memory beside those that are looked at: a live message then costs no read. */
const idleReplicasMax = 32

/**
 * The stored copy, in memory. A copy whose bytes do not fit together (a broken disk) reads as empty: it is fetched again.
 */
export async function replicaOf(world: World, segment: SegmentId): Promise<Replica> {
  const held = world.replicas.get(segment)
  if (held) return held
  const row = world.tables.segment.get(segment)
  const replica = createReplica(row?.client ?? 0)
  world.replicas.set(segment, replica)
  if (!row || row.n === 0) return replica
  for (const part of await world.ports.store.loadSegment(segment)) {
    if (!replica.apply(part).ok) break
  }
  return replica
}

/** What stands in a copy and can be read, with its clock. */
export function* readElements(replica: Replica): Generator<{ clock: number; element: Element }> {
  for (const { clock, text } of replica.elements()) {
    const element = readElement(text)
    if (element.ok) yield { clock, element: element.value }
  }
}

export function segmentsOf(world: World, channel: ChannelId): SegmentRow[] {
  return [...world.tables.segment.values()].filter((row) => row.channel === channel)
}

/** Forgets a copy in memory and on the disk; the caller has put own entries back where that is due. */
export function dropCopy(world: World, row: SegmentRow): void {
  drop(world, 'segment', row.id)
  changeBytes(world, row.id, { kind: 'drop' })
  world.replicas.get(row.id)?.destroy()
  world.replicas.delete(row.id)
}

/** Does any copy of this channel hold the element? Reads all of them: for rare questions only. */
export async function holdsElement(world: World, channel: ChannelId, id: EntryId): Promise<boolean> {
  for (const row of segmentsOf(world, channel)) {
    for (const { element } of readElements(await replicaOf(world, row.id))) if (element.id === id) return true
  }
  return false
}

/** After a turn: what nobody looks at goes, oldest first. Everything of it is on the disk. */
export function letIdleReplicasGo(world: World): void {
  let surplus = world.replicas.size - idleReplicasMax
  for (const [segment, replica] of world.replicas) {
    if (surplus <= 0) return
    const channel = world.tables.segment.get(segment)?.channel
    if (channel !== undefined && world.views.has(channel)) continue
    replica.destroy()
    world.replicas.delete(segment)
    surplus--
  }
}
