// Read markers: how far a person has read, by channel. (gen, seq), the greatest wins; made offline too, sent when there is a link.
import type { ChannelId } from '#shared/base/ids.ts'
import type { ReadMarker } from '#shared/protocol/frames.ts'
import type { MarkerRow } from '../device-store.ts'
import { countUnread } from './absorbing.ts'
import { changed, isReady, put, send, type World } from './state.ts'

export async function markRead(world: World, channel: ChannelId, seq: number): Promise<void> {
  const row = world.tables.channel.get(channel)
  const marker = markerOf(world, channel)
  if (!row || seq <= marker.seq) return
  put(world, 'marker', { ...marker, seq, dirty: true })
  await recount(world, channel, seq)
}

/** What one's other devices have read, or the relay's answer to what was read here. */
export async function onRead(world: World, rows: readonly ReadMarker[]): Promise<void> {
  for (const { channel, gen, seq } of rows) {
    const mine = markerOf(world, channel)
    const order = gen - mine.gen || seq - mine.seq
    if (order < 0 || (order === 0 && !mine.dirty)) continue
    put(world, 'marker', { channel, gen, seq, dirty: false })
    // Before `ready` the heads that came with the hello carry counts made by these very markers, and nothing may be held to count yet.
    if (order > 0 && isReady(world)) await recount(world, channel, seq)
  }
}

/** Called at the end of every turn. What is not confirmed is sent again with the next link: the greatest wins, so that is harmless. */
export function sendMarkers(world: World): void {
  if (!isReady(world)) return
  const { link } = world
  const incarnation = world.tables.meta.get('meta')?.incarnation ?? ''
  for (const { channel, gen, seq, dirty } of world.tables.marker.values()) {
    const sent = link.markersSent.get(channel)
    if (!dirty || (sent?.gen === gen && sent.seq === seq)) continue
    link.markersSent.set(channel, { gen, seq })
    send(world, { kind: 'control', message: { t: 'read', incarnation, channel, gen, seq } })
  }
}

export function markerOf(world: World, channel: ChannelId): MarkerRow {
  return world.tables.marker.get(channel) ?? { channel, gen: 0, seq: 0, dirty: false }
}

async function recount(world: World, channel: ChannelId, seq: number): Promise<void> {
  const row = world.tables.channel.get(channel)
  if (!row) return
  const unread = seq >= row.last ? 0 : await countUnread(world, channel, seq)
  put(world, 'channel', { ...row, unread })
  changed(world, 'communities')
}
