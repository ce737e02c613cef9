// Trouble: what may befall devices, the relay, their disks, clocks and lines between two steps.

import type { ChannelId, EntryId } from '#shared/base/ids.ts'
import { copyDisk, type MemoryDisk } from '../fakes/memory-device-store.ts'
import { bootDevice, connectDevice, createDevice, cutDevice, type DeviceNode } from './device-node.ts'
import { passTime, wake } from './events.ts'
import { type Exile, goOn, setDeviceBack, startExile } from './exile.ts'
import { nextLie } from './liar.ts'
import type { Mishap } from './process.ts'
import { copyRelayDisk, type RelayDisk } from './relay-disk.ts'
import type { Simulation } from './simulation.ts'

export interface Weather {
  lies: boolean
  restores: number
  /** Restores set the whole disk back, the incarnation's file too. */
  silently: boolean
  oldCopies: number
  clones: number
  jumps: boolean
  fullDisks: boolean
  badLines: boolean
  exiles: number
  exile: Exile | undefined
  backup: RelayDisk | undefined
  copies: Map<DeviceNode, MemoryDisk>
}

const hourMs = 3_600_000

export function someWeather({ prng, sqlite }: Simulation): Weather {
  return {
    lies: prng.chance(0.6),
    restores: prng.chance(0.4) && !sqlite ? 1 + prng.below(2) : 0,
    silently: prng.chance(0.4),
    oldCopies: prng.chance(0.3) ? 1 : 0,
    clones: prng.chance(0.3) ? 1 : 0,
    jumps: prng.chance(0.4),
    fullDisks: prng.chance(0.4),
    badLines: prng.chance(0.5),
    exiles: prng.chance(0.4) ? 1 + prng.below(2) : 0,
    exile: undefined,
    backup: undefined,
    copies: new Map(),
  }
}

export async function befall(sim: Simulation, weather: Weather, node: DeviceNode): Promise<void> {
  const { prng, deviceWorld, stats } = sim
  if (!node.process && prng.chance(0.5)) bootDevice(deviceWorld, node)
  else if (node.core && !node.line && sim.relay && prng.chance(0.6)) connectDevice(deviceWorld, node)
  if (node.wakeAt > 0 && node.wakeAt <= sim.now) wake(node)
  if (!sim.relay && prng.chance(0.4)) await sim.startRelay()
  if (prng.chance(0.1)) passTime(sim, prng.below(prng.chance(0.15) ? 14_000 : 200))
  if (prng.chance(0.03) && node.line) {
    stats.cuts++
    cutDevice(node)
  }
  if (prng.chance(0.02) && node.process) node.process.mishap = someMishap(sim)
  if (prng.chance(0.02) && sim.relay) sim.relay.process.mishap = someMishap(sim)
  if (weather.lies && sim.relay && prng.chance(0.4)) lie(sim)
  if (weather.fullDisks) fillDisks(sim, node)
  if (weather.jumps && prng.chance(0.03)) jumpClock(sim, node)
  if (weather.badLines && prng.chance(0.06)) spoilLine(sim, node)
  if (!weather.exile && weather.exiles > 0 && prng.chance(0.05)) {
    weather.exile = startExile(sim)
    if (weather.exile) weather.exiles--
  }
  if (weather.exile && (await goOn(sim, weather.exile))) weather.exile = undefined
  await setBack(sim, weather, node)
}

/** Disks of the relay and of devices, set back to what they once were or copied. */
async function setBack(sim: Simulation, weather: Weather, node: DeviceNode): Promise<void> {
  const { prng, stats } = sim
  if (prng.chance(0.02)) weather.backup ??= copyRelayDisk(sim.disk)
  if (weather.backup && weather.restores > 0 && prng.chance(0.03)) {
    weather.restores--
    await sim.restoreRelay(weather.backup, weather.silently)
  }
  if (prng.chance(0.02)) weather.copies.set(node, copyDisk(node.disk))
  const copy = weather.copies.get(node)
  if (copy && weather.oldCopies > 0 && prng.chance(0.1)) {
    weather.oldCopies--
    setDeviceBack(sim, node, copy)
  }
  if (weather.clones > 0 && prng.chance(0.01)) {
    weather.clones--
    stats.clones++
    sim.nodes.push(createDevice({ ...node, name: `${node.name}-clone`, disk: copyDisk(node.disk) }))
  }
}

function someMishap({ prng }: Simulation): Mishap {
  return { calls: 1 + prng.below(6), how: prng.pick(['dies-before', 'dies-after', 'fails-before', 'fails-after'] as const) }
}

/** A disk fills up, and has room again after a while. */
function fillDisks({ prng, relayRoom }: Simulation, node: DeviceNode): void {
  if (prng.chance(relayRoom.full ? 0.12 : 0.015)) relayRoom.full = !relayRoom.full
  if (prng.chance(node.room.full ? 0.3 : 0.015)) node.room.full = !node.room.full
}

/** Somebody sets a clock, rightly or wrongly: by minutes, by hours, in either direction. */
function jumpClock(sim: Simulation, node: DeviceNode): void {
  const { prng, stats } = sim
  stats.clockJumps++
  const by = prng.pick([0.02, 0.5, 1, 5, 26]) * hourMs * (prng.chance(0.5) ? 1 : -1)
  if (prng.chance(0.5)) sim.relaySkew = prng.chance(0.3) ? 0 : sim.relaySkew + by
  else node.skew = prng.chance(0.3) ? 0 : node.skew + by
}

function spoilLine({ prng, stats }: Simulation, { line }: DeviceNode): void {
  if (!line) return
  if (prng.chance(0.5)) {
    if (!line.slow) stats.slowLines++
    line.slow = true
    return
  }
  stats.halfOpen++
  const way = prng.below(3)
  line.deafUp ||= way !== 1
  line.deafDown ||= way !== 0
}

function lie(sim: Simulation): void {
  const { prng, ledger, disk, now, relaySkew } = sim
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
  const frame = nextLie(sim.liar, { prng, disk, now: now + relaySkew, overheard, word })
  if (!frame) return
  sim.stats.lies++
  sim.liarLine?.sendUp(new Uint8Array(frame))
}
