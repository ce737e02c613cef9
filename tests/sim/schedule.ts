// The course of a run: a calm beginning in which a community comes about, then trouble, then calm again until everything has come together.
import assert from 'node:assert/strict'
import type { CallAnswer, Calls } from '#app/engine/api.ts'
import type { CoreCallName, CoreCalls } from '#app/engine/core/calls.ts'
import { type ChannelId, type EntryId, makeTimeId } from '#shared/base/ids.ts'
import { copyDisk, type MemoryDisk } from '../fakes/memory-device-store.ts'
import { act } from './actions.ts'
import { bootDevice, connectDevice, createDevice, cutDevice, type DeviceNode, stopDevice } from './device-node.ts'
import { nextLie } from './liar.ts'
import { type Mishap, settle } from './process.ts'
import { copyRelayDisk, type RelayDisk } from './relay-disk.ts'
import type { Simulation } from './simulation.ts'

/** Far above what any run needs: more means that something goes round in circles. */
const pumpStepsMax = 40_000
const roundsMax = 8
const beatMs = 10_000
const weekMs = 8 * 24 * 3_600_000

/** Somebody makes a community, and most of the others join. */
export async function begin(sim: Simulation): Promise<void> {
  const { prng } = sim
  await sim.startRelay()
  for (const person of sim.people) for (let i = 0; i <= prng.below(2) && sim.nodes.length < 8; i++) await sim.addDevice(person)
  for (const node of sim.nodes) bootDevice(sim.deviceWorld, node)
  await settle()
  for (const node of sim.nodes) connectDevice(sim.deviceWorld, node)
  await pump(sim)
  const ones = sim.people.flatMap((person) => sim.nodes.find((node) => node.person === person) ?? [])
  for (const founder of ones.slice(0, prng.chance(0.3) ? 2 : 1)) {
    const { space } = await ask(sim, founder, 'createCommunity', { name: `of ${founder.name}` })
    await ask(sim, founder, 'createChannel', { space, name: 'second', kind: 'text' })
    const { code } = await ask(sim, founder, 'createInvite', { space, days: 0, uses: 0 })
    sim.ledger.invites.push({ space, code })
    for (const node of ones) if (node !== founder && prng.chance(0.85)) await ask(sim, node, 'join', { code, space })
  }
}

async function ask<Name extends CoreCallName>(
  sim: Simulation,
  node: DeviceNode,
  name: Name,
  args: CoreCalls[Name],
): Promise<Calls[Name]['value']> {
  const answers: CallAnswer<Name>[] = []
  node.core?.call(makeTimeId(sim.now, sim.prng.bytes(16)), name, args).then((answer) => answers.push(answer))
  await pump(sim)
  const [answer] = answers
  assert(answer?.ok, `${name} succeeds in calm weather (${answer?.ok === false ? answer.code : 'no answer'})`)
  return answer.value
}

interface Trouble {
  lies: boolean
  restores: number
  oldCopies: number
  clones: number
  backup: RelayDisk | undefined
  copies: Map<DeviceNode, MemoryDisk>
}

export async function trouble(sim: Simulation): Promise<void> {
  const { prng } = sim
  sim.calm = false
  const plan: Trouble = {
    lies: prng.chance(0.6),
    restores: prng.chance(0.4) ? 1 + prng.below(2) : 0,
    oldCopies: prng.chance(0.3) ? 1 : 0,
    clones: prng.chance(0.3) ? 1 : 0,
    backup: undefined,
    copies: new Map(),
  }
  const steps = 120 + prng.below(220)
  for (let i = 0; i < steps && sim.fault === undefined; i++) {
    sim.stats.steps++
    sim.now += prng.below(40)
    for (let k = prng.below(8); k > 0; k--) {
      oneEvent(sim)
      if (prng.chance(0.7)) await settle()
    }
    const node = prng.pick(sim.nodes)
    if (prng.chance(0.5) && node.core) act(sim.action(), node)
    await befall(sim, plan, node)
    await settle()
  }
}

/** A frame arrives, or a call of a disk is done. `false`: nothing waits. */
function oneEvent(sim: Simulation): boolean {
  const events: (() => void)[] = []
  for (const line of sim.lines) {
    if (line.upWaits && sim.relay) events.push(() => line.deliverUp())
    if (line.downWaits) events.push(() => line.deliverDown())
  }
  for (const { process } of sim.nodes) if (process?.waits) events.push(() => process.step())
  const relay = sim.relay?.process
  // The relay is one for all: it gets its turns more often.
  if (relay?.waits) for (let i = 0; i < 3; i++) events.push(() => relay.step())
  if (events.length === 0) return false
  sim.prng.pick(events)()
  return true
}

async function befall(sim: Simulation, plan: Trouble, node: DeviceNode): Promise<void> {
  const { prng, deviceWorld, stats } = sim
  if (!node.process && prng.chance(0.5)) bootDevice(deviceWorld, node)
  else if (node.core && !node.line && sim.relay && prng.chance(0.6)) connectDevice(deviceWorld, node)
  if (node.wakeAt > 0 && node.wakeAt <= sim.now) wake(sim, node)
  if (!sim.relay && prng.chance(0.4)) await sim.startRelay()
  if (prng.chance(0.1)) time(sim, prng.chance(0.1) ? 12_000 : 200)
  if (prng.chance(0.03) && node.line) {
    stats.cuts++
    cutDevice(node)
  }
  if (prng.chance(0.02) && node.process) node.process.mishap = someMishap(sim)
  if (prng.chance(0.02) && sim.relay) sim.relay.process.mishap = someMishap(sim)
  if (plan.lies && sim.relay && prng.chance(0.4)) lie(sim)
  if (prng.chance(0.02)) plan.backup ??= copyRelayDisk(sim.disk)
  if (plan.backup && plan.restores > 0 && prng.chance(0.03)) {
    plan.restores--
    await sim.restoreRelay(plan.backup)
  }
  if (prng.chance(0.02)) plan.copies.set(node, copyDisk(node.disk))
  const copy = plan.copies.get(node)
  if (copy && plan.oldCopies > 0 && prng.chance(0.1)) {
    plan.oldCopies--
    stats.oldCopies++
    stopDevice(node)
    node.disk = copyDisk(copy)
    sim.ledger.diskLost(node)
  }
  if (plan.clones > 0 && prng.chance(0.01)) {
    plan.clones--
    stats.clones++
    sim.nodes.push(createDevice({ ...node, name: `${node.name}-clone`, disk: copyDisk(node.disk) }))
  }
}

function someMishap({ prng }: Simulation): Mishap {
  return { calls: 1 + prng.below(6), how: prng.pick(['dies-before', 'dies-after', 'fails-before', 'fails-after'] as const) }
}

function wake(_sim: Simulation, node: DeviceNode): void {
  node.wakeAt = 0
  const core = node.core
  node.process?.entry(() => core?.wake())()
}

function time(sim: Simulation, ms: number): void {
  sim.now += sim.prng.below(ms)
  for (const node of sim.nodes) {
    if (!node.line || node.beatAt + beatMs > sim.now) continue
    node.beatAt = sim.now
    node.core?.beat()
  }
  sim.relay?.tick()
}

function lie(sim: Simulation): void {
  const { prng, ledger, disk, now } = sim
  if (!sim.liarLine || sim.liarLine.dead || prng.chance(0.03)) {
    sim.liarLine?.breakAtDevice()
    sim.dialAsLiar()
  }
  const overheard = sim.nodes.flatMap((node) =>
    [...node.disk.tables.outbox.values()].map(({ id, channel }) => ({ id, channel, by: node.person.account })),
  )
  const word = (id: EntryId, channel: ChannelId) => {
    const text = ledger.word()
    ledger.wrote(id, channel, text)
    return text
  }
  const frame = nextLie(sim.liar, { prng, disk, now, overheard, word })
  if (!frame) return
  sim.stats.lies++
  sim.liarLine?.sendUp(new Uint8Array(frame))
}

/** Runs until nothing is under way and nobody waits for a near time. */
export async function pump(sim: Simulation): Promise<void> {
  for (let steps = 0; sim.fault === undefined; steps++) {
    assert(steps < pumpStepsMax, 'it comes to rest')
    if (steps % 8 === 7) await settle()
    if (oneEvent(sim)) continue
    await settle()
    if (oneEvent(sim)) continue
    const next = sim.nodes.filter((node) => node.line && node.wakeAt > 0).sort((a, b) => a.wakeAt - b.wakeAt)[0]
    if (!next) break
    sim.now = Math.max(sim.now, next.wakeAt)
    wake(sim, next)
    await settle()
  }
  dropDeadLines(sim)
  if (sim.fault !== undefined) throw sim.fault
}

function dropDeadLines(sim: Simulation): void {
  const alive = sim.lines.filter((line) => !line.dead)
  sim.lines.length = 0
  sim.lines.push(...alive)
}

/** No more trouble: every device meets the relay, until nothing changes any more. Devices that share a key take turns. */
export async function heal(sim: Simulation): Promise<void> {
  sim.calm = true
  sim.liarLine?.breakAtDevice()
  await recover(sim)
  let before = -1
  for (let round = 0; before !== sim.disk.tables.meta.commits || round < 2; round++) {
    assert(round < roundsMax, 'it comes to rest in a few rounds')
    before = sim.disk.tables.meta.commits
    await meet(sim)
  }
  // What waits for an entry that never comes is given up after a week.
  sim.now += weekMs
  await meet(sim)
}

async function recover(sim: Simulation): Promise<void> {
  if (sim.relay) sim.relay.process.mishap = undefined
  await sim.startRelay()
  for (const node of sim.nodes) if (node.process) node.process.mishap = undefined
  await pump(sim)
  for (const node of sim.nodes) {
    if (node.process && sim.prng.chance(0.3)) stopDevice(node)
    if (!node.process) bootDevice(sim.deviceWorld, node)
  }
  await pump(sim)
}

async function meet(sim: Simulation): Promise<void> {
  const turns = new Map<string, DeviceNode[]>()
  for (const node of sim.nodes) turns.set(node.device.dev, [...(turns.get(node.device.dev) ?? []), node])
  const most = Math.max(...[...turns.values()].map((nodes) => nodes.length))
  for (let turn = 0; turn < most; turn++) {
    for (const node of sim.nodes) cutDevice(node)
    await pump(sim)
    for (const nodes of turns.values()) {
      const node = nodes[turn % nodes.length]
      if (node) connectDevice(sim.deviceWorld, node)
    }
    await pump(sim)
    for (const { name, line, core } of sim.nodes)
      if (line) assert(core?.world.link?.phase === 'ready', `${name} is ready when all is quiet`)
  }
}
