// What a person does with messages. Every answer is given when its effect is saved here; the network has no part in it.
// A call has an id of its caller's making: the same call again, to the next leader, does nothing twice.
import type { AccountId, ChannelId, EntryId, SpaceId } from '#shared/base/ids.ts'
import { channelRights } from '#shared/community/permissions.ts'
import type { RefusalCode } from '#shared/protocol/refusals.ts'
import type { OutboxRow } from '../device-store.ts'
import { endRow, faultOf, giveUpRow, putRow, rowsAbout, textOf, writeRow } from './outbox.ts'
import { markerOf } from './read-markers.ts'
import { changed, isReady, rosterOf, type World } from './state.ts'
import { hurryChannel } from './syncing.ts'
import { fillView, shownAt, viewOf } from './timelines.ts'

export type Outcome = 'ok' | RefusalCode

/** @param id of the call: it becomes the entry's */
export function sendMessage(world: World, id: EntryId, args: { space: SpaceId; channel: ChannelId; text: string }): Outcome {
  const { space, channel, text } = args
  if (world.tables.outbox.has(id)) return 'ok'
  const fault = faultOf(text) ?? placeFault(world, space, channel)
  if (fault) return fault
  writeRow(world, { id, space, channel, op: 'post', ref: 0, body: { t: text }, after: 0 })
  return 'ok'
}

/** @param id of the call: it becomes the entry's, where one is written */
export async function editMessage(
  world: World,
  id: EntryId,
  { channel, id: target, text }: { channel: ChannelId; id: EntryId; text: string },
): Promise<Outcome> {
  const fault = faultOf(text)
  if (fault) return fault
  const row = world.tables.outbox.get(target)
  if (row?.op === 'post' && mayChange(row)) {
    putRow(world, { ...row, body: { t: text } })
    return 'ok'
  }
  if (world.tables.outbox.has(id)) return 'ok'
  const post = (await viewWith(world, channel, target)).timeline.post(target)
  const space = world.tables.channel.get(channel)?.space
  if (!post || !space) return 'target'
  if (post.by !== world.ports.me.account) return 'forbidden'
  if (textOf(post.body) === text) return 'ok'
  const after = Math.max(post.at, post.edited) + 1
  const waiting = rowsAbout(world, target).find((other) => other.op === 'edit' && mayChange(other))
  if (waiting) putRow(world, { ...waiting, body: { t: text }, at: world.ports.clock.now() })
  else writeRow(world, { id, space, channel, op: 'edit', ref: target, body: { t: text }, after })
  return 'ok'
}

/** @param id of the call: it becomes the entry's, where one is written */
export async function removeMessage(world: World, id: EntryId, args: { channel: ChannelId; id: EntryId }): Promise<Outcome> {
  const { channel, id: target } = args
  const row = world.tables.outbox.get(target)
  if (row && (row.state.kind === 'refused' || mayChange(row))) {
    giveUpRow(world, row)
    return 'ok'
  }
  const about = rowsAbout(world, target)
  if (about.some((other) => other.op === 'redact')) return 'ok'
  const space = world.tables.channel.get(channel)?.space
  const post = (await viewWith(world, channel, target)).timeline.post(target)
  if (!post || !space) return 'target'
  if (post.by !== world.ports.me.account && !mayManage(world, space, channel)) return 'forbidden'
  for (const other of about) if (mayChange(other)) giveUpRow(world, other)
  writeRow(world, { id, space, channel, op: 'redact', ref: target, body: 0, after: 0 })
  return 'ok'
}

/** @param id of the call: an edit's, if the relay may have the first words already */
export function retryUnsent(world: World, id: EntryId, { id: target, text }: { id: EntryId; text: string }): Outcome {
  const row = world.tables.outbox.get(target) ?? adopt(world, target)
  // Sent again already, here or on another device.
  if (row?.state.kind !== 'refused') return 'ok'
  const fault = faultOf(text) ?? placeFault(world, row.space, row.channel)
  if (fault) return fault
  if (row.signed && !row.state.sure) {
    // The relay may have taken it before it was lost sight of: those bytes go again, and what was changed follows as an edit.
    const { space, channel } = row
    putRow(world, { ...row, body: bodyOfSigned(row), state: { kind: 'waiting' } })
    if (textOf(bodyOfSigned(row)) !== text && row.op === 'post')
      writeRow(world, { id, space, channel, op: 'edit', ref: target, body: { t: text }, after: shownAt(row) + 1 })
  } else {
    const body = textOf(row.body) === text ? row.body : { t: text }
    putRow(world, { ...row, body, signed: undefined, state: { kind: 'waiting' } })
  }
  world.turn.after.push(() => world.ports.words.settle(target))
  return 'ok'
}

export function dropUnsent(world: World, { id }: { id: EntryId }): Outcome {
  const row = world.tables.outbox.get(id)
  if (row?.state.kind === 'refused') giveUpRow(world, row)
  else if (!row) world.turn.after.push(() => world.ports.words.settle(id))
  changed(world, 'unsent')
  return 'ok'
}

/** Another device of the account dropped these words or sent them again. */
export function settleUnsent(world: World, id: EntryId): void {
  const row = world.tables.outbox.get(id)
  if (row?.state.kind === 'refused') endRow(world, row)
}

export function openChannel(world: World, { channel }: { channel: ChannelId }): Outcome {
  world.viewed = channel
  world.readLines.set(channel, markerOf(world, channel).seq)
  if (isReady(world)) hurryChannel(world, world.link, channel)
  changed(world, `timeline ${channel}`)
  return 'ok'
}

/** The relay does not have it: it may be changed in place. */
function mayChange(row: OutboxRow): boolean {
  if (row.state.kind === 'refused') return row.state.sure
  return row.signed === undefined && row.state.kind !== 'accepted'
}

function placeFault(world: World, space: SpaceId, channel: ChannelId): RefusalCode | undefined {
  const row = world.tables.space.get(space)
  if (!row?.state) return 'notmember'
  const info = row.state.channels[channel]
  if (!info || !world.tables.channel.has(channel)) return 'nochannel'
  return rightsIn(world, space, channel).may.has('post') ? undefined : 'forbidden'
}

function mayManage(world: World, space: SpaceId, channel: ChannelId): boolean {
  return rightsIn(world, space, channel).manage
}

function rightsIn(world: World, space: SpaceId, channel: ChannelId) {
  const me: AccountId = world.ports.me.account
  const state = world.tables.space.get(space)?.state
  if (!state) return { may: new Set<string>(), manage: false }
  // The roster may still be on its way; that the relay named the community to us says that we are in it.
  const left = rosterOf(world, space).get(me)?.left ?? 0
  return channelRights(state, me, left === 0, state.channels[channel])
}

/** A timeline that reaches back to this entry, or to the beginning of what is held. */
async function viewWith(world: World, channel: ChannelId, id: EntryId) {
  const view = viewOf(world, channel)
  if (view.timeline.entry(id)) return view
  return fillView(world, channel, Number.POSITIVE_INFINITY)
}

/** Words that another device left under "Not sent" become this device's, under the same id. */
function adopt(world: World, id: EntryId): OutboxRow | undefined {
  const words = world.ports.words.find(id)
  if (!words) return undefined
  const { space, channel, communityName, channelName, text, at, code } = words
  const row = writeRow(world, { id, space, channel, op: 'post', ref: 0, body: { t: text }, after: 0 })
  const refused: OutboxRow = { ...row, at, state: { kind: 'refused', code, sure: true, communityName, channelName } }
  putRow(world, refused)
  return refused
}

function bodyOfSigned(row: OutboxRow): OutboxRow['body'] {
  const fields: unknown = row.signed && JSON.parse(row.signed.text)
  return Array.isArray(fields) ? fields[7] : row.body
}
