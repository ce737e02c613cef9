// The course of a run: a calm beginning in which a community comes about, then trouble. healing.ts has the end.
import assert from 'node:assert/strict'
import type { CallAnswer, Calls } from '#app/engine/api.ts'
import type { CoreCallName, CoreCalls } from '#app/engine/core/calls.ts'
import { makeTimeId } from '#shared/base/ids.ts'
import { act } from './actions.ts'
import { bootDevice, connectDevice, type DeviceNode } from './device-node.ts'
import { oneEvent, pump } from './events.ts'
import { settle } from './process.ts'
import type { Simulation } from './simulation.ts'
import { befall, someWeather } from './weather.ts'

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

/** A call in calm weather, which must succeed. */
export async function ask<Name extends CoreCallName>(
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

export async function trouble(sim: Simulation): Promise<void> {
  const { prng } = sim
  sim.calm = false
  const weather = someWeather(sim)
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
    await befall(sim, weather, node)
    await settle()
  }
}
