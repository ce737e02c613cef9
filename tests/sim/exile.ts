// The story of one who is removed, goes on writing, is let in again, and comes back with what he wrote meanwhile, or with a disk of before.
// It runs beside everything else; a step that cannot be made is tried again, and after a while the story is left.

import { type ChannelId, makeTimeId, type SpaceId } from '#shared/base/ids.ts'
import type { MemoryDisk } from '../fakes/memory-device-store.ts'
import { copyDisk } from '../fakes/memory-device-store.ts'
import { write } from './actions.ts'
import { bootDevice, connectDevice, cutDevice, type DeviceNode, stopDevice } from './device-node.ts'
import { isMemberOf } from './relay-disk.ts'
import type { Simulation } from './simulation.ts'

export interface Exile {
  space: SpaceId
  channel: ChannelId
  owner: DeviceNode
  node: DeviceNode
  /** His device that comes first when he is let in again. */
  envoy: DeviceNode | undefined
  copy: MemoryDisk
  stage: 'remove' | 'write' | 'invite' | 'join' | 'return'
  /** Steps that are left. */
  patience: number
}

const patienceMax = 150

export function startExile(sim: Simulation): Exile | undefined {
  const { prng, nodes } = sim
  const node = prng.pick(nodes)
  const space = [...(node.core?.world.tables.space.values() ?? [])].find(
    (row) => row.state && row.state.owner !== node.person.account,
  )
  const owner = space && nodes.find((one) => one.core && one.person.account === space.state?.owner)
  const channel = space && [...node.disk.tables.channel.values()].find((row) => row.space === space.id)
  const isTwin = nodes.some((one) => one !== node && one.device === node.device)
  if (!space || !owner || !channel || isTwin || !isMemberOf(sim.disk, space.id, node.person.account)) return undefined
  const copy = copyDisk(node.disk)
  // Mostly without a network, so that he does not know.
  if (prng.chance(0.7)) {
    node.away = true
    cutDevice(node)
  }
  return { space: space.id, channel: channel.id, owner, node, envoy: undefined, copy, stage: 'remove', patience: patienceMax }
}

/** @returns whether it is over */
export async function goOn(sim: Simulation, exile: Exile): Promise<boolean> {
  const { prng, deviceWorld } = sim
  const { node, owner, space, channel } = exile
  const account = node.person.account
  if (--exile.patience <= 0) return end(sim, exile)
  if (!owner.process) bootDevice(deviceWorld, owner)
  if (!owner.line && sim.relay) connectDevice(deviceWorld, owner)
  const isMember = isMemberOf(sim.disk, space, account)
  switch (exile.stage) {
    case 'remove':
      if (!isMember) exile.stage = 'write'
      else if (prng.chance(0.3)) owner.core?.call(makeTimeId(sim.now, prng.bytes(16)), 'removeMember', { space, account })
      return false
    case 'write':
      if (node.core) write(sim.action(), node, { space, channel })
      if (prng.chance(0.3)) exile.stage = 'invite'
      return false
    case 'invite':
      if (prng.chance(0.3)) {
        const id = makeTimeId<'entry'>(sim.now, prng.bytes(16))
        const answer = (code: string) => {
          sim.ledger.invites.push({ space, code })
          if (exile.stage === 'invite') exile.stage = 'join'
        }
        owner.core?.call(id, 'createInvite', { space, days: 0, uses: 0 }).then((made) => made.ok && answer(made.value.code))
      }
      return false
    case 'join':
      if (isMember) exile.stage = 'return'
      else await sendEnvoy(sim, exile)
      return false
    case 'return':
      if (prng.chance(0.3)) {
        sim.stats.returns++
        return end(sim, exile)
      }
      return false
  }
}

/** Another device of his accepts the invite, so that this one comes back as a member, and does not know that it was none. */
async function sendEnvoy(sim: Simulation, exile: Exile): Promise<void> {
  const { prng, deviceWorld, ledger } = sim
  const { node, space } = exile
  exile.envoy ??= sim.nodes.find((one) => one !== node && one.person === node.person) ?? (await sim.addDevice(node.person))
  const { envoy } = exile
  if (!envoy.process) bootDevice(deviceWorld, envoy)
  if (!envoy.line && sim.relay) connectDevice(deviceWorld, envoy)
  const invite = ledger.invites.findLast((one) => one.space === space)
  if (invite && prng.chance(0.3)) envoy.core?.call(makeTimeId(sim.now, prng.bytes(16)), 'join', invite)
}

function end(sim: Simulation, { node, copy }: Exile): boolean {
  if (sim.prng.chance(0.3)) setDeviceBack(sim, node, copy)
  node.away = false
  return true
}

/** An old copy takes the place of a device's disk. */
export function setDeviceBack(sim: Simulation, node: DeviceNode, copy: MemoryDisk): void {
  sim.stats.oldCopies++
  stopDevice(node)
  node.disk = copyDisk(copy)
  sim.ledger.diskLost(node)
  sim.history.operations.push({ kind: 'device-set-back', device: node.name })
}
