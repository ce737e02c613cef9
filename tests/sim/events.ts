// What happens next in a run, one step at a time: a frame arrives, a call of a disk is done, a timer rings.
import { limits } from '#shared/base/limits.ts'
import { beatDevice, type DeviceNode } from './device-node.ts'
import { Stuck } from './faults.ts'
import { settle } from './process.ts'
import type { Simulation } from './simulation.ts'

/** Far above what any run needs: more means that something goes round in circles. */
const pumpStepsMax = 40_000
/** A slow line delivers this seldom, of the times that it could. */
const slowness = 0.05

/** A frame arrives, or a call of a disk is done. `false`: nothing waits. */
export function oneEvent(sim: Simulation): boolean {
  const events: (() => void)[] = []
  const slow: (() => void)[] = []
  for (const line of sim.lines) {
    const list = line.slow && !sim.prng.chance(slowness) ? slow : events
    if (line.upWaits && sim.relay) list.push(() => line.deliverUp())
    if (line.downWaits) list.push(() => line.deliverDown())
  }
  for (const { process } of sim.nodes) if (process?.waits) events.push(() => process.step())
  const relay = sim.relay?.process
  // The relay is one for all: it gets its turns more often.
  if (relay?.waits) for (let i = 0; i < 3; i++) events.push(() => relay.step())
  if (events.length === 0 && !sim.calm) return false
  const [event] = events.length > 0 ? [sim.prng.pick(events)] : slow
  event?.()
  return event !== undefined
}

export function wake(node: DeviceNode): void {
  node.wakeAt = 0
  const core = node.core
  node.process?.entry(() => core?.wake())()
}

/** Time goes on: devices beat that have not for ten seconds, timers ring that are due, and the relay looks after its links. */
export function passTime(sim: Simulation, ms: number): void {
  sim.now += ms
  for (const node of sim.nodes) {
    if (node.line && node.beatAt + limits.beatIntervalMs <= sim.now && beatDevice(sim.deviceWorld, node)) sim.stats.silent++
    if (node.wakeAt > 0 && node.wakeAt <= sim.now) wake(node)
  }
  sim.relay?.tick()
}

/** Runs until nothing is under way, without letting time pass. */
export async function drain(sim: Simulation): Promise<void> {
  for (let steps = 0; sim.fault === undefined; steps++) {
    if (steps >= pumpStepsMax) throw new Stuck('it does not come to rest')
    if (steps % 8 === 7) await settle()
    if (oneEvent(sim)) continue
    await settle()
    if (!oneEvent(sim)) break
  }
  const alive = sim.lines.filter((line) => !line.dead)
  sim.lines.length = 0
  sim.lines.push(...alive)
  if (sim.fault !== undefined) throw sim.fault
}

/** Runs until nothing is under way and nobody waits for a near time. */
export async function pump(sim: Simulation): Promise<void> {
  for (let wakes = 0; ; wakes++) {
    await drain(sim)
    if (wakes >= pumpStepsMax) throw new Stuck('somebody wakes again and again')
    const next = sim.nodes.filter((node) => node.line && node.wakeAt > 0).sort((a, b) => a.wakeAt - b.wakeAt)[0]
    if (!next) return
    // In steps, so that the relay tells its time meanwhile.
    passTime(sim, Math.min(limits.beatIntervalMs, Math.max(0, next.wakeAt - sim.now)))
    await settle()
  }
}
