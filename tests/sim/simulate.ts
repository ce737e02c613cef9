// A whole run of one seed, oracles included. Safety and liveness are asked apart: a run that does not come together may still have lost nothing,
// and one that comes together quickly may have lost all. Throws what broke.
import assert from 'node:assert/strict'
import { textOf } from '#app/engine/core/outbox.ts'
import type { ChannelId, EntryId } from '#shared/base/ids.ts'
import type { Element } from '#shared/log/entry-codec.ts'
import { openStructure } from '#shared/structure/structure-document.ts'
import { copyDisk } from '../fakes/memory-device-store.ts'
import { bootDevice, connectDevice, createDevice, type DeviceNode, stopDevice } from './device-node.ts'
import { pump } from './events.ts'
import { RunFailed, Stuck } from './faults.ts'
import { checkNothingDeleted, checkRelay, checkTogether } from './healed-oracle.ts'
import { heal } from './healing.ts'
import { checkHistory } from './history-check.ts'
import { settle } from './process.ts'
import { acceptedIn, recordOf } from './relay-disk.ts'
import { begin, trouble } from './schedule.ts'
import { createSimulation, type Simulation, type SimulationOptions, type Stats } from './simulation.ts'

/** @throws {RunFailed} */
export async function simulate(seed: number, options: SimulationOptions = {}): Promise<Stats> {
  const sim = await createSimulation(seed, options)
  await judge(sim, async () => {
    await begin(sim)
    await trouble(sim)
  })
  return sim.stats
}

/** Runs the story, lets everything heal, and asks what holds. */
export async function judge(sim: Simulation, story: () => Promise<void>): Promise<void> {
  const devices = () => sim.nodes.map(({ name, person, disk }) => ({ name, account: person.account, disk }))
  const world = () => ({ relay: sim.disk, devices: devices(), deleted: deletedWords(sim), keyOf: sim.keyOf })
  await story()
  const liveness = await faultOf(async () => {
    await heal(sim)
    await joinFresh(sim)
  })
  const cameTogether = liveness === undefined
  const safety = await faultOf(async () => {
    const elements = checkRelay(world())
    checkHistories(sim, elements)
    checkChainsTrusted(sim)
    if (sim.structure) checkStructure(sim)
    if (!cameTogether) return
    checkPromises(sim)
    checkNothingDeleted(world())
    // A device whose mark was not ahead yet may hold what nobody can tell is lost: until the relay hears of it, two may see different things.
    if (wasNoticed(sim)) {
      checkTogether(world(), elements)
      await checkTimelines(sim)
    } else sim.stats.unnoticed++
  })
  for (const node of sim.nodes) stopDevice(node)
  sim.stats.fullRelay = sim.relayRoom.refusals
  sim.stats.fullDevices = sim.nodes.reduce((sum, node) => sum + node.room.refusals, 0)
  // What an oracle saw on the way is safety's, though it ended the healing.
  const isStuck = liveness instanceof Stuck
  const broken = [...(safety || (liveness && !isStuck) ? ['safety' as const] : []), ...(isStuck ? ['liveness' as const] : [])]
  if (broken.length > 0)
    throw new RunFailed(
      broken,
      [liveness, safety].filter((error) => error !== undefined),
    )
}

function wasNoticed({ history, disk }: Simulation): boolean {
  const era = disk.tables.meta.incarnation
  return !history.operations.some((one) => one.kind === 'relay-set-back' && !one.noticed && one.to === era)
}

async function faultOf(work: () => Promise<void>): Promise<unknown> {
  try {
    await work()
    return undefined
  } catch (error) {
    return error
  }
}

/** What devices saw, judged without a look at how it came about. */
function checkHistories({ disk, history, nodes }: Simulation, elements: ReadonlyMap<ChannelId, readonly Element[]>): void {
  const accepted = new Map(
    [...elements].map(([channel, standing]) => {
      const texts = new Map(standing.map(({ id, body }) => [id, textOf(body) ?? '']))
      return [channel, acceptedIn(disk, channel).map(({ id, seq }) => ({ id, seq, text: texts.get(id) ?? '' }))]
    }),
  )
  const refused = nodes.flatMap((node) => [...node.disk.tables.outbox.values()].filter(({ state }) => state.kind === 'refused'))
  const outcome = {
    era: disk.tables.meta.incarnation,
    accepted,
    unsent: new Set(refused.map((row) => row.id)),
    wereOut: history.accountsOut,
  }
  const faults = checkHistory(history.operations, outcome)
  assert(faults.length === 0, `what devices saw is a history without faults: ${faults.slice(0, 5).join('; ')}`)
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
