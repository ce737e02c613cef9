// What people do on their devices: one random action, through the calls that the app has.
import type { CallAnswer } from '#app/engine/api.ts'
import type { CoreCallName, CoreCalls } from '#app/engine/core/calls.ts'
import type { AccountId, ChannelId, EntryId, SpaceId } from '#shared/base/ids.ts'
import { makeTimeId } from '#shared/base/ids.ts'
import type { Prng } from '#shared/base/prng.ts'
import type { TimelinePost } from '#shared/log/post-view.ts'
import type { DeviceNode } from './device-node.ts'
import type { Operation } from './history.ts'
import type { Ledger } from './ledger.ts'
import { type RelayDisk, spacesOf } from './relay-disk.ts'

export interface ActionWorld {
  prng: Prng
  now: number
  disk: RelayDisk
  ledger: Ledger
  history: Operation[]
  people: readonly AccountId[]
}

type Action = (world: ActionWorld, node: DeviceNode) => void

/** [how often, what] */
const actions: readonly (readonly [number, Action])[] = [
  [42, write],
  [8, edit],
  [9, remove],
  [6, look],
  [5, markRead],
  [3, retry],
  [1, dropUnsent],
  [8, changeNames],
  [2, makeChannel],
  [1, deleteChannel],
  [3, removeSomebody],
  [1, leave],
  [3, invite],
  [6, join],
]
const total = actions.reduce((sum, [weight]) => sum + weight, 0)

export function act(world: ActionWorld, node: DeviceNode): void {
  let left = world.prng.below(total)
  for (const [weight, action] of actions) {
    left -= weight
    if (left >= 0) continue
    action(world, node)
    return
  }
}

function call<Name extends CoreCallName>(
  { prng, now }: ActionWorld,
  node: DeviceNode,
  name: Name,
  args: CoreCalls[Name],
  then: (answer: CallAnswer<Name>) => void = () => {},
): EntryId {
  const id = makeTimeId<'entry'>(now, prng.bytes(16))
  // A process that dies never answers.
  node.core?.call(id, name, args).then(node.process?.entry(then) ?? then)
  return id
}

/** A channel that this device shows, mostly the first one: people meet there. */
function somePlace({ prng }: ActionWorld, node: DeviceNode): { space: SpaceId; channel: ChannelId } | undefined {
  const rows = [...(node.core?.world.tables.channel.values() ?? [])]
  if (rows.length === 0) return undefined
  const row = prng.chance(0.5) ? rows[0] : prng.pick(rows)
  return row && { space: row.space, channel: row.id }
}

function somePost(world: ActionWorld, node: DeviceNode, wanted: (post: TimelinePost) => boolean) {
  const views = [...(node.core?.world.views ?? [])]
  if (views.length === 0) return undefined
  const [channel, view] = world.prng.pick(views)
  const posts = view.timeline.window(20).posts.filter(wanted)
  return posts.length > 0 ? { channel, post: world.prng.pick(posts) } : undefined
}

function mine(node: DeviceNode): (post: TimelinePost) => boolean {
  return (post) => post.by === node.person.account
}

export function write(world: ActionWorld, node: DeviceNode, place = somePlace(world, node)): void {
  if (!place) return
  const { ledger, history } = world
  const text = ledger.word()
  const id: EntryId = call(world, node, 'send', { ...place, text }, (answer) => {
    if (!answer.ok) return
    ledger.promise(id, node, place)
    history.push({ kind: 'saved', device: node.name, by: node.person.account, channel: place.channel, id })
  })
  ledger.wrote(id, place.channel, text)
}

function edit(world: ActionWorld, node: DeviceNode): void {
  const found = somePost(world, node, mine(node))
  if (!found) return
  const text = world.ledger.word()
  world.ledger.wrote(found.post.id, found.channel, text)
  call(world, node, 'edit', { channel: found.channel, id: found.post.id, text })
}

function remove(world: ActionWorld, node: DeviceNode): void {
  const found = somePost(world, node, world.prng.chance(0.7) ? mine(node) : () => true)
  if (!found) return
  const space = node.core?.world.tables.channel.get(found.channel)?.space
  const isOwner = space && node.core?.world.tables.space.get(space)?.state?.owner === node.person.account
  if (isOwner || found.post.by === node.person.account) takeBack(world, found.post.id)
  call(world, node, 'remove', { channel: found.channel, id: found.post.id })
}

function takeBack({ ledger, history }: ActionWorld, id: EntryId): void {
  ledger.mayBeGone(id)
  history.push({ kind: 'taken-back', id })
}

function look(world: ActionWorld, node: DeviceNode): void {
  const place = somePlace(world, node)
  if (!place) return
  call(world, node, 'openChannel', place)
  node.core?.watch(place.channel, world.prng.pick([0, 3, 10, 50]))
}

function markRead(world: ActionWorld, node: DeviceNode): void {
  const place = somePlace(world, node)
  const last = place && node.core?.world.tables.channel.get(place.channel)?.last
  if (place && last) call(world, node, 'markRead', { channel: place.channel, seq: 1 + world.prng.below(last) })
}

function refusedRow({ prng }: ActionWorld, node: DeviceNode) {
  const rows = [...(node.core?.world.tables.outbox.values() ?? [])].filter((row) => row.state.kind === 'refused')
  return rows.length > 0 ? prng.pick(rows) : undefined
}

function retry(world: ActionWorld, node: DeviceNode): void {
  const row = refusedRow(world, node)
  if (!row) return
  const text = world.ledger.word()
  world.history.push({ kind: 'refused', device: node.name, id: row.id })
  world.ledger.wrote(row.op === 'edit' && row.ref !== 0 ? row.ref : row.id, row.channel, text)
  call(world, node, 'retryUnsent', { id: row.id, text })
}

function dropUnsent(world: ActionWorld, node: DeviceNode): void {
  const row = refusedRow(world, node)
  if (!row) return
  takeBack(world, row.id)
  call(world, node, 'dropUnsent', { id: row.id })
}

function changeNames(world: ActionWorld, node: DeviceNode): void {
  const place = somePlace(world, node)
  if (!place) return
  const { prng } = world
  const name = `n${prng.below(1_000)}`
  const { space } = place
  const others = [...(node.core?.world.tables.channel.values() ?? [])].filter((row) => row.space === space)
  const kind = prng.below(4)
  if (kind === 0) call(world, node, 'renameCommunity', { space, name })
  else if (kind === 1) call(world, node, 'renameChannel', { ...place, name })
  else if (kind === 2) call(world, node, 'setTopic', { ...place, topic: name })
  else call(world, node, 'moveChannel', { ...place, before: prng.chance(0.3) ? '' : prng.pick(others).id })
}

function makeChannel(world: ActionWorld, node: DeviceNode): void {
  const place = somePlace(world, node)
  if (!place || world.disk.tables.channels.size > 5) return
  const kind = world.prng.chance(0.8) ? 'text' : 'voice'
  call(world, node, 'createChannel', { space: place.space, name: `c${world.prng.below(1_000)}`, kind })
}

function deleteChannel(world: ActionWorld, node: DeviceNode): void {
  const place = somePlace(world, node)
  if (place) call(world, node, 'deleteChannel', place)
}

function removeSomebody(world: ActionWorld, node: DeviceNode): void {
  const place = somePlace(world, node)
  if (place) call(world, node, 'removeMember', { space: place.space, account: world.prng.pick(world.people) })
}

function leave(world: ActionWorld, node: DeviceNode): void {
  const place = somePlace(world, node)
  if (place && world.prng.chance(0.5)) call(world, node, 'leave', { space: place.space })
}

function invite(world: ActionWorld, node: DeviceNode): void {
  const place = somePlace(world, node)
  if (!place) return
  call(world, node, 'createInvite', { space: place.space, days: world.prng.below(2), uses: world.prng.below(3) }, (answer) => {
    if (answer.ok) world.ledger.invites.push({ space: place.space, code: answer.value.code })
  })
}

function join(world: ActionWorld, node: DeviceNode): void {
  const member = new Set(spacesOf(world.disk, node.person.account))
  const open = world.ledger.invites.filter((one) => !member.has(one.space))
  if (open.length > 0) call(world, node, 'join', world.prng.pick(open.slice(-3)))
}
