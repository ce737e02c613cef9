// One story that is always the same, for faults that are to strike at every place: two people, all kinds of writes, one of them without
// a network for a while, removed, and let in again.
import assert from 'node:assert/strict'
import { type ChannelId, makeTimeId, type SpaceId } from '#shared/base/ids.ts'
import { write } from './actions.ts'
import { bootDevice, connectDevice, cutDevice, type DeviceNode } from './device-node.ts'
import { drain } from './events.ts'
import { type Mishap, settle } from './process.ts'
import { ask } from './schedule.ts'
import { judge } from './simulate.ts'
import { createSimulation, type Simulation } from './simulation.ts'
import type { SqliteFile } from './sqlite-stores.ts'

/** Its relay seals segments early and has tokens enough. */
const storySeed = 3

export type Struck = 'relay' | 'owner' | 'member'

export interface Strike {
  struck: Struck
  /** Strikes once, from the beginning of the story on. */
  mishap?: Mishap
  /** Gives the relay its real stores. */
  sqlite?: SqliteFile
  /** The statement of a transaction that fails, from the beginning of the story on. */
  statement?: number
}

/** @returns how many calls whoever is struck made in the story, and how many statements SQLite */
export async function runStory({
  struck,
  mishap,
  sqlite,
  statement = 0,
}: Strike): Promise<{ calls: number; statements: number }> {
  const sim = await createSimulation(storySeed, { sqlite })
  const made = { calls: 0, statements: 0 }
  await judge(sim, async () => {
    const story = await prepare(sim)
    const { owner, member } = story
    const process = struck === 'relay' ? sim.relay?.process : (struck === 'owner' ? owner : member).process
    assert(process, 'whoever is struck runs')
    const before = { calls: process.calls, statements: sqlite?.statements ?? 0 }
    process.mishap = mishap
    if (sqlite) sqlite.failAt = statement
    await tell(sim, story)
    made.calls = process.calls - before.calls
    made.statements = (sqlite?.statements ?? 0) - before.statements
  })
  return made
}

interface Story {
  owner: DeviceNode
  member: DeviceNode
  space: SpaceId
  channel: ChannelId
}

async function prepare(sim: Simulation): Promise<Story> {
  const [ann, ben] = sim.people
  assert(ann && ben, 'there are two people')
  await sim.startRelay()
  const [owner, member] = [await sim.addDevice(ann), await sim.addDevice(ben)]
  for (const node of [owner, member]) {
    node.skew = 0
    bootDevice(sim.deviceWorld, node)
    await settle()
    connectDevice(sim.deviceWorld, node)
  }
  await drain(sim)
  const { space } = await ask(sim, owner, 'createCommunity', { name: 'Story' })
  const { code } = await ask(sim, owner, 'createInvite', { space, days: 0, uses: 0 })
  sim.ledger.invites.push({ space, code })
  await ask(sim, member, 'join', { code, space })
  const [channel] = member.disk.tables.channel.values()
  assert(channel, 'a community has a channel')
  for (const node of [owner, member]) node.core?.watch(channel.id, 50)
  return { owner, member, space, channel: channel.id }
}

async function tell(sim: Simulation, { owner, member, space, channel }: Story): Promise<void> {
  const place = { space, channel }
  const id = () => makeTimeId<'entry'>(sim.now, sim.prng.bytes(16))
  const posts = (node: DeviceNode) => node.core?.world.views.get(channel)?.timeline.window(50).posts ?? []
  const own = (node: DeviceNode) => posts(node).filter((post) => post.by === node.person.account)
  const say = async (node: DeviceNode, times: number) => {
    for (let i = 0; i < times; i++) write(sim.action(), node, place)
    await goOn(sim, owner, member)
  }
  const edit = async (node: DeviceNode) => {
    const post = own(node)[0]
    const text = sim.ledger.word()
    if (post) {
      sim.ledger.wrote(post.id, channel, text)
      node.core?.call(id(), 'edit', { channel, id: post.id, text })
    }
    await goOn(sim, owner, member)
  }
  const remove = async (node: DeviceNode, post = own(node)[0]) => {
    if (post) {
      sim.ledger.mayBeGone(post.id)
      sim.history.operations.push({ kind: 'taken-back', id: post.id })
      node.core?.call(id(), 'remove', { channel, id: post.id })
    }
    await goOn(sim, owner, member)
  }

  await say(owner, 2)
  await say(member, 3)
  await edit(member)
  await remove(owner, own(member)[1])
  owner.core?.call(id(), 'renameChannel', { ...place, name: 'renamed' })
  owner.core?.call(id(), 'markRead', { channel, seq: 2 })
  await goOn(sim, owner, member)
  member.away = true
  cutDevice(member)
  await say(member, 2)
  await edit(member)
  await say(owner, 3)
  owner.core?.call(id(), 'removeMember', { space, account: member.person.account })
  await goOn(sim, owner, member)
  member.away = false
  await goOn(sim, owner, member)
  const invite = sim.ledger.invites[0]
  if (invite) member.core?.call(id(), 'join', invite)
  await goOn(sim, owner, member)
  for (const row of member.disk.tables.outbox.values()) {
    if (row.state.kind !== 'refused') continue
    sim.history.operations.push({ kind: 'refused', device: member.name, id: row.id })
    member.core?.call(id(), 'retryUnsent', { id: row.id, text: sim.ledger.word() })
  }
  await say(member, 1)
  await remove(member)
}

/** Everything happens that can; who died starts again, and who lost the line dials. */
async function goOn(sim: Simulation, ...nodes: DeviceNode[]): Promise<void> {
  for (let i = 0; i < 2; i++) {
    await drain(sim)
    for (const { room } of nodes) room.full = false
    sim.relayRoom.full = false
    await sim.startRelay()
    for (const node of nodes) if (!node.process) bootDevice(sim.deviceWorld, node)
    await settle()
    for (const node of nodes) if (!node.line) connectDevice(sim.deviceWorld, node)
  }
  await drain(sim)
}
