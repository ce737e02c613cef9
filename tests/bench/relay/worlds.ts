// The two prepared data directories of a bench: a lively one, and one with long logs. Only as large as the cases need.
import { join } from 'node:path'
import type { Case } from './cases.ts'
import { warmConnections } from './generator/idle.ts'
import { entriesEach } from './generator/small-rooms.ts'
import type { Worlds } from './run-case.ts'
import { makeWorld } from './world/world.ts'

export async function makeWorlds(folder: string, quick: boolean, cases: readonly Case[]): Promise<Worlds> {
  const has = (group: Case['group']) => cases.some((one) => one.group === group)
  const needed = cases.map(({ workload }) => {
    if ('readers' in workload) return workload.readers
    if (workload.kind === 'idle') return workload.connections + warmConnections
    return workload.kind === 'storm' ? workload.devices : 0
  })
  const live = await makeWorld(join(folder, 'live'), {
    readers: Math.max(100, ...needed),
    fanOut: quick ? { first: 20_000, others: 6_000 } : { first: 100_000, others: 15_000 },
    live: 100,
    roomEntries: has('rooms') ? entriesEach : 0,
    history: [],
    storm: has('storm'),
  })
  const sizes = cases.flatMap(({ workload }) => ('entries' in workload ? [workload.entries] : []))
  if (sizes.length === 0) return { live, history: live }
  const history = await makeWorld(join(folder, 'history'), {
    readers: 250,
    fanOut: { first: 1, others: 1 },
    live: 5_000,
    roomEntries: 0,
    history: [...new Set(sizes)],
    storm: false,
  })
  return { live, history }
}
