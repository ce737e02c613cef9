// Messages as views see them: a window of the timeline, and what was not sent.
import type { AccountId, ChannelId, SpaceId } from '#shared/base/ids.ts'
import type { TimelinePost } from '#shared/log/post-view.ts'
import type { MessageView, TimelineView, UnsentView } from '../api.ts'
import { textOf } from '../core/outbox.ts'
import type { UnsentWords } from '../core/ports.ts'
import { markerOf } from '../core/read-markers.ts'
import { rosterOf, type World } from '../core/state.ts'
import { hasOlderSegments, viewOf } from '../core/timelines.ts'
import { verdictOf } from '../core/verifying.ts'

/** Read after a turn that filled the view to `limit`. */
export function timelineView(world: World, channel: ChannelId, limit: number): TimelineView {
  const row = world.tables.channel.get(channel)
  const { posts, hasOlder } = viewOf(world, channel).timeline.window(limit)
  return {
    channel,
    ready: true,
    messages: posts.map((post) => messageView(world, row?.space, post)),
    hasOlder: hasOlder || hasOlderSegments(world, channel),
    complete: !row || row.heldRev >= 0,
    readSeq: world.readLines.get(channel) ?? markerOf(world, channel).seq,
  }
}

/** Own refused rows, and the words that other devices of the account left in the private document. */
export function unsentView(world: World, elsewhere: readonly UnsentWords[]): UnsentView[] {
  const views = new Map<string, UnsentView>()
  for (const { id, space, channel, communityName, channelName, text, at, code } of elsewhere) {
    if (world.tables.outbox.has(id)) continue
    views.set(id, { id, space, channel, communityName, channelName, text, at, code })
  }
  for (const { id, space, channel, body, at, state } of world.tables.outbox.values()) {
    if (state.kind !== 'refused') continue
    const { communityName, channelName, code } = state
    views.set(id, { id, space, channel, communityName, channelName, text: textOf(body) ?? '', at, code })
  }
  return [...views.values()].sort((a, b) => a.at - b.at)
}

/** Messages and commands that wait on this device. */
export function countWaiting(world: World): number {
  let waiting = world.tables.command.size
  for (const { state } of world.tables.outbox.values()) if (state.kind === 'waiting' || state.kind === 'notarget') waiting++
  return waiting
}

/** '' while the roster is not here. Who left keeps his name; an erased account has none. */
function nameOf(world: World, space: SpaceId | undefined, by: AccountId): string {
  const { me } = world.ports
  const row = space && rosterOf(world, space).get(by)
  if (row) return row.username || 'Deleted account'
  return by === me.account ? me.username : ''
}

function messageView(world: World, space: SpaceId | undefined, post: TimelinePost): MessageView {
  const { me } = world.ports
  const text = textOf(post.body)
  return {
    id: post.id,
    by: post.by,
    username: nameOf(world, space, post.by),
    you: post.by === me.account,
    at: post.at,
    arrived: post.arrived,
    seq: post.seq,
    text: text ?? '',
    edited: post.edited,
    newer: text === undefined,
    verified: verdictOf(world, post),
    reactions: post.reactions.map(({ emoji, by }) => ({ emoji, count: by.length, you: by.includes(me.account) })),
    pinned: post.pinned,
    state: post.state,
  }
}
