// What this device may see: communities and channels as the relay names them after `hello`, and as they come and go while the link lives.
// Nothing is forgotten before `ready`; what is then not named, is. What was written and not sent outlives it, under "Not sent".
import type { SpaceId } from '#shared/base/ids.ts'
import { chainStart } from '#shared/community/chain.ts'
import type { ChannelHead, ControlDown } from '#shared/protocol/frames.ts'
import type { ChannelRow } from '../device-store.ts'
import { followChain, restartChain } from './chain-follower.ts'
import { leaveSpace, loseChannel } from './losing.ts'
import { refuseChannel, waitAgain } from './outbox.ts'
import { putBack } from './put-back.ts'
import { dropCopy, readElements, replicaOf, segmentsOf } from './replicas.ts'
import { dropHopeless } from './sending.ts'
import { changed, drop, type Link, put, type World } from './state.ts'
import { planChannel } from './syncing.ts'

export function onSpace(world: World, link: Link, frame: Extract<ControlDown, { t: 'space' }>): void {
  link.namedSpaces.add(frame.id)
  let space = world.tables.space.get(frame.id)
  if (!space || frame.n < space.n) {
    // A chain that is shorter than ours is another one: it is followed from its beginning.
    space = restartChain(world, space ?? { id: frame.id, n: 0, hash: chainStart, state: undefined, membersN: 0 })
    changed(world, 'communities')
  }
  for (const head of frame.channels) {
    link.namedChannels.add(head.id)
    const row = takeHead(world, frame.id, head)
    if (link.phase === 'ready') planChannel(world, link, row, head.rev)
    else link.listings.set(head.id, { rev: head.rev, elements: new Map(), roots: 0, complete: false })
  }
  if (Math.min(space.n, space.membersN) < frame.n) followChain(world, link, frame.id)
}

export async function onReady(world: World, link: Link): Promise<void> {
  link.phase = 'ready'
  for (const space of [...world.tables.space.keys()]) {
    const id = world.tables.space.get(space)?.id
    if (id && !link.namedSpaces.has(id)) leaveSpace(world, id, 'notmember')
  }
  for (const { id } of [...world.tables.channel.values()]) if (!link.namedChannels.has(id)) loseChannel(world, id, 'nochannel')
  for (const row of [...world.tables.outbox.values()]) {
    if (!world.tables.channel.has(row.channel) && world.tables.outbox.has(row.id))
      refuseChannel(world, row.channel, world.tables.space.has(row.space) ? 'nochannel' : 'notmember')
  }
  // Accepted on another link and not seen since: a relay that was set back has lost it, and need not know. It answers `known` where it has it.
  for (const { id } of world.tables.channel.values()) waitAgain(world, id)
  const plans = [...world.tables.channel.values()].map((row) => ({ row, rev: link.listings.get(row.id)?.rev ?? row.heldRev }))
  link.listings.clear()
  plans.sort((a, b) => Number(b.row.id === world.viewed) - Number(a.row.id === world.viewed))
  for (const { row, rev } of plans) planChannel(world, link, row, rev)
  await dropHopeless(world)
  changed(world, 'link')
}

/**
 * The relay's database is not the one that this device knew: it may lack what was accepted. Own entries of all copies go back to the outbox,
 * copies and chains are fetched afresh; all in one transaction, so that a crash finds either the old state or the new.
 */
export async function startOver(world: World, incarnation: string, mark: string): Promise<void> {
  const knew = world.tables.meta.get('meta')
  put(world, 'meta', { incarnation, mark })
  if (!knew || knew.incarnation === '') return
  for (const row of [...world.tables.channel.values()]) {
    const elements = []
    for (const copy of segmentsOf(world, row.id)) {
      for (const { element } of readElements(await replicaOf(world, copy.id))) elements.push(element)
      dropCopy(world, copy)
    }
    world.views.delete(row.id)
    waitAgain(world, row.id)
    putBack(world, { space: row.space, channel: row.id }, elements)
    put(world, 'channel', { ...row, heldRev: -1, head: '', last: 0, unread: 0 })
    // Numbers are used anew: an old marker would call new messages read.
    drop(world, 'marker', row.id)
    changed(world, `timeline ${row.id}`)
  }
  world.readLines.clear()
  // Done in a history that may be no more: what is stored is given to the relay again, which knows the ids that it did.
  world.finished.clear()
  for (const space of [...world.tables.space.values()]) restartChain(world, space)
}

function takeHead(world: World, space: SpaceId, head: ChannelHead): ChannelRow {
  const before = world.tables.channel.get(head.id)
  // While a marker of ours is on its way, the relay counts as unread what was read here.
  const mine = world.tables.marker.get(head.id)?.dirty && before
  const row: ChannelRow = {
    id: head.id,
    space,
    heldRev: before?.heldRev === head.rev ? head.rev : -1,
    view: head.view,
    head: head.head,
    last: mine ? before.last : head.last,
    unread: mine ? before.unread : head.unread,
  }
  put(world, 'channel', row)
  changed(world, 'communities')
  return row
}
