// A whole run of one seed, oracles included. Throws what broke.
import assert from 'node:assert/strict'
import type { ChannelId, EntryId } from '#shared/base/ids.ts'
import { openStructure } from '#shared/structure/structure-document.ts'
import { copyDisk } from '../fakes/memory-device-store.ts'
import { bootDevice, connectDevice, createDevice, type DeviceNode, stopDevice, type Trace } from './device-node.ts'
import { checkHealed } from './healed-oracle.ts'
import type { Mutant } from './mutants.ts'
import { settle } from './process.ts'
import { recordOf } from './relay-disk.ts'
import { begin, heal, pump, trouble } from './schedule.ts'
import { createSimulation, type Simulation, type Stats } from './simulation.ts'

export async function simulate(seed: number, mutant?: Mutant, trace?: Trace): Promise<Stats> {
  const sim = await createSimulation(seed, mutant, trace)
  await begin(sim)
  await trouble(sim)
  await heal(sim)
  await joinFresh(sim)
  checkHealed({ relay: sim.disk, devices: devicesOf(sim), deleted: deletedWords(sim), keyOf: sim.keyOf })
  checkPromises(sim)
  checkChainsTrusted(sim)
  if (sim.structure) checkStructure(sim)
  await checkTimelines(sim)
  for (const node of sim.nodes) stopDevice(node)
  return sim.stats
}

/** Every person signs in on one more device. */
async function joinFresh(sim: Simulation): Promise<void> {
  for (const person of sim.people) {
    const node = await sim.addDevice(person)
    bootDevice(sim.deviceWorld, node)
    await settle()
    connectDevice(sim.deviceWorld, node)
    await pump(sim)
  }
}

function devicesOf(sim: Simulation) {
  return sim.nodes.map(({ name, person, disk }) => ({ name, account: person.account, disk }))
}

/** The words of entries that were deleted, and of channels that are no more. */
function deletedWords({ disk, ledger }: Simulation): string[] {
  const gone = (channel: ChannelId, id: EntryId) => {
    const record = recordOf(disk, channel, id)
    return !disk.tables.channels.has(channel) || (record?.kind === 'accepted' && record.gone)
  }
  return [...ledger.words].flatMap(([channel, words]) => [...words].flatMap(([id, texts]) => (gone(channel, id) ? texts : [])))
}

/** Nothing written is lost: it is at the relay, or under "Not sent" on a device of its author; or it went with its channel or its community. */
function checkPromises({ disk, ledger, history, nodes }: Simulation): void {
  for (const [id, { account, space, channel, device }] of ledger.promised) {
    if (recordOf(disk, channel, id)) continue
    if (nodes.some((node) => node.person.account === account && node.disk.tables.outbox.get(id)?.state.kind === 'refused'))
      continue
    const wentWithItsPlace = history.channelsDeleted.has(channel) || history.wasOut.has(`${space} ${account}`)
    assert(history.accepted.has(id) && wentWithItsPlace, `what was written on ${device.name} is not lost: ${id} in ${channel}`)
  }
}

/** An honest relay gives no device a reason to doubt its chain. */
function checkChainsTrusted({ nodes }: Simulation): void {
  for (const { name, core } of nodes)
    for (const chain of core?.world.link?.chains.values() ?? [])
      assert.equal(chain.faults, 0, `${name} finds nothing wrong with a chain`)
}

function checkStructure({ disk }: Simulation): void {
  for (const { head, structures } of disk.community.spaces.values()) {
    const changes = structures.get(Math.max(...structures.keys())) ?? []
    const document = openStructure(changes)
    assert.deepEqual(document.state(), head.state, 'the structure document is the state')
    document.free()
  }
}

/** A timeline that grew bit by bit is the one that is read from the disk at once; and those who hold the same see the same. */
async function checkTimelines(sim: Simulation): Promise<void> {
  const seen = new Map<string, string>()
  for (const node of [...sim.nodes]) {
    const again = createDevice({ ...node, name: `${node.name}-reread`, disk: copyDisk(node.disk) })
    bootDevice(sim.deviceWorld, again)
    await settle()
    const channels = [...node.disk.tables.channel.values()].map((row) => row.id)
    const grown = await timelinesOf(sim, node)
    const read = await timelinesOf(sim, again)
    assert.deepEqual(grown, read, `${node.name} draws what it holds`)
    if (node.disk.tables.outbox.size === 0)
      channels.forEach((channel, i) => {
        const drawn = JSON.stringify(grown[i])
        assert.equal(drawn, seen.get(channel) ?? drawn, `${node.name} sees what the others see`)
        seen.set(channel, drawn)
      })
    stopDevice(again)
  }
}

async function timelinesOf(sim: Simulation, node: DeviceNode) {
  const { core, disk } = node
  assert(core, `${node.name} runs`)
  const channels = [...disk.tables.channel.values()].map((row) => row.id)
  for (const channel of channels) core.watch(channel, 10_000)
  await pump(sim)
  await core.idle()
  return channels.map((channel) => core.world.views.get(channel)?.timeline.window(10_000).posts)
}
