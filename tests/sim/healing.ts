// After the trouble: everything that was broken works again, and nobody helps. Then all must come together, within a bounded time: that is
// liveness. Whether what came together is right is another question, asked elsewhere.
import { bootDevice, connectDevice, cutDevice, type DeviceNode, stopDevice } from './device-node.ts'
import { drain, passTime, pump } from './events.ts'
import { Stuck } from './faults.ts'
import { settle } from './process.ts'
import type { Simulation } from './simulation.ts'

const roundsMax = 8
/** Longer than any line may be silent at either end without being given up. */
const lonelyMs = 60_000
/** From the end of the trouble until all is quiet: the longest wait for tokens, and then some. No clock that jumped may add to it. */
const quietWithinMs = 15 * 60_000
const weekMs = 8 * 24 * 3_600_000

/** @throws {Stuck} what did not come about */
export async function heal(sim: Simulation): Promise<void> {
  repair(sim)
  const start = sim.now
  await sim.startRelay()
  await alone(sim)
  await meetUntilQuiet(sim)
  if (sim.now - start > quietWithinMs)
    throw new Stuck(`it took ${Math.round((sim.now - start) / 60_000)} minutes to come to rest`)
  // What waits for an entry that never comes is given up after a week.
  sim.now += weekMs
  await meet(sim)
}

/** Disks, lines that nobody thinks dead, and processes; half-open lines stay what they are, and clocks too, for the most part. */
function repair(sim: Simulation): void {
  sim.calm = true
  sim.liarLine?.breakAtDevice()
  sim.relayRoom.full = false
  for (const line of sim.lines) line.slow = false
  if (sim.relay) sim.relay.process.mishap = undefined
  if (sim.prng.chance(0.3)) sim.relaySkew = 0
  for (const node of sim.nodes) {
    node.away = false
    node.room.full = false
    if (node.process) node.process.mishap = undefined
    if (sim.prng.chance(0.3)) node.skew = 0
    if (node.process && sim.prng.chance(0.3)) stopDevice(node)
  }
}

/** A minute in which every device does what it would do by itself: start, dial where it has no line, beat, and find out which lines are dead. */
async function alone(sim: Simulation): Promise<void> {
  for (let ms = 0; ms < lonelyMs; ms += 1_000) {
    for (const node of sim.nodes) if (!node.process) bootDevice(sim.deviceWorld, node)
    await settle()
    for (const node of firstTwins(sim)) if (!node.line) connectDevice(sim.deviceWorld, node)
    await drain(sim)
    passTime(sim, 1_000)
  }
  await drain(sim)
  for (const { name, line, core } of firstTwins(sim)) {
    if (line?.deafUp || line?.deafDown) throw new Stuck(`${name} still believes in a line that is half open`)
    if (core?.world.link?.phase !== 'ready') throw new Stuck(`${name} does not find the relay again by itself`)
  }
}

/** Of devices that share a key, one: together they would throw each other out for ever. */
function firstTwins(sim: Simulation): DeviceNode[] {
  return [...turnsOf(sim).values()].flatMap((nodes) => nodes.slice(0, 1))
}

function turnsOf(sim: Simulation): Map<string, DeviceNode[]> {
  const turns = new Map<string, DeviceNode[]>()
  for (const node of sim.nodes) turns.set(node.device.dev, [...(turns.get(node.device.dev) ?? []), node])
  return turns
}

async function meetUntilQuiet(sim: Simulation): Promise<void> {
  let before = -1
  for (let round = 0; before !== sim.disk.tables.meta.commits || round < 2; round++) {
    if (round >= roundsMax) throw new Stuck('it does not come to rest in a few rounds')
    before = sim.disk.tables.meta.commits
    await meet(sim)
  }
}

/** Every device meets the relay once; those that share a key take turns. */
async function meet(sim: Simulation): Promise<void> {
  const turns = turnsOf(sim)
  const most = Math.max(...[...turns.values()].map((nodes) => nodes.length))
  for (let turn = 0; turn < most; turn++) {
    for (const node of sim.nodes) cutDevice(node)
    await pump(sim)
    for (const nodes of turns.values()) {
      const node = nodes[turn % nodes.length]
      if (node) connectDevice(sim.deviceWorld, node)
    }
    await pump(sim)
    // A restore that a mark tells of ends all links once.
    for (const nodes of turns.values()) {
      const node = nodes[turn % nodes.length]
      if (node && !node.line) connectDevice(sim.deviceWorld, node)
    }
    await pump(sim)
    for (const { name, line, core } of sim.nodes)
      if (line && core?.world.link?.phase !== 'ready') throw new Stuck(`${name} is not ready when all is quiet`)
  }
}
