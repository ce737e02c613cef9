// Writes down what devices are told and what they show, as operations of the history.
import type { Change } from '#app/engine/core/ports.ts'
import { type ChannelId, type EntryId, parseChannelId } from '#shared/base/ids.ts'
import type { FrameDown } from '#shared/protocol/frames.ts'
import type { DeviceNode } from './device-node.ts'
import type { Operation, SeenPost } from './history.ts'

export interface Watcher {
  hears(node: DeviceNode, frame: FrameDown): void
  drew(node: DeviceNode, changes: ReadonlySet<Change>): void
}

/** The newest posts of a channel that one look writes down. */
const seenMax = 40
const timelineStart = 'timeline '

export function createWatcher({ operations }: { operations: Operation[] }, stats: { reads: number; verdicts: number }): Watcher {
  return {
    hears(node, frame) {
      if (frame.kind === 'control' && frame.message.t === 'welcome')
        operations.push({ kind: 'met', device: node.name, era: frame.message.incarnation })
      const link = node.core?.world.link
      if (!link || frame.kind !== 'control' || frame.message.t !== 'result') return
      const channel = link.appends.get(frame.message.nr)?.channel
      const era = eraOf(node)
      if (!channel || era === '') return
      const device = node.name
      for (const verdict of frame.message.verdicts) {
        stats.verdicts++
        if (verdict.kind === 'refused') {
          if (verdict.id !== 0) operations.push({ kind: 'refused', device, id: verdict.id })
        } else if (verdict.seq > 0) operations.push({ kind: 'accepted', device, era, channel, id: verdict.id, seq: verdict.seq })
      }
    },
    drew(node, changes) {
      const world = node.core?.world
      if (!world) return
      for (const change of changes) {
        const channel = change.startsWith(timelineStart) ? parseChannelId(change.slice(timelineStart.length)) : undefined
        if (!channel) continue
        if (!world.tables.channel.has(channel)) operations.push({ kind: 'forgot', device: node.name, channel })
        else look(node, channel)
      }
    },
  }

  function look(node: DeviceNode, channel: ChannelId): void {
    const view = node.core?.world.views.get(channel)
    // Behind that many there may be holes: what is older is read when somebody looks further back.
    const limit = Math.min(seenMax, node.core?.world.watched.get(channel) ?? 0)
    if (!view || limit === 0) return
    const posts: SeenPost[] = []
    const others: EntryId[] = []
    for (const { id, seq, state } of view.timeline.window(limit).posts)
      if (state.kind === 'accepted') posts.push({ id, seq })
      else others.push(id)
    stats.reads++
    operations.push({ kind: 'read', device: node.name, era: eraOf(node), channel, posts, others })
  }
}

function eraOf(node: DeviceNode): string {
  return node.core?.world.tables.meta.get('meta')?.incarnation ?? ''
}
