// What the hub has done since it began, as plain numbers: counting costs an addition, and whoever wants to know reads them.
// Nothing in here says who or where.
import type { Verdict } from '#shared/protocol/records.ts'

/** How often a value fell under each bound; what is above the last counts in `count` only. */
export interface Distribution {
  readonly bounds: readonly number[]
  readonly counts: number[]
  count: number
  sum: number
}

export interface HubCounters {
  accepted: number
  known: number
  /** By refusal code. */
  refused: Map<string, number>
  /** Appends that were told to wait, wholly or in part. */
  waits: number
  /** Answers `disk_full`, to appends and commands. */
  noRoom: number
  commandsDone: number
  commandsRefused: Map<string, number>
  /** Entries decided in one turn. */
  turnEntries: Distribution
  framesIn: number
  bytesIn: number
  framesOut: number
  bytesOut: number
  /** Subscriptions that ended because their reader was too slow. */
  stale: number
  /** Links and readers that the relay closed, by closing code. */
  closed: Map<number, number>
  storeFailures: number
  readFailures: number
}

export function createCounters(): HubCounters {
  return {
    accepted: 0,
    known: 0,
    refused: new Map(),
    waits: 0,
    noRoom: 0,
    commandsDone: 0,
    commandsRefused: new Map(),
    turnEntries: createDistribution([1, 2, 4, 8, 16, 32, 64, 128, 256, 512]),
    framesIn: 0,
    bytesIn: 0,
    framesOut: 0,
    bytesOut: 0,
    stale: 0,
    closed: new Map(),
    storeFailures: 0,
    readFailures: 0,
  }
}

/** @param bounds rising */
export function createDistribution(bounds: readonly number[]): Distribution {
  return { bounds, counts: bounds.map(() => 0), count: 0, sum: 0 }
}

export function observe(distribution: Distribution, value: number): void {
  distribution.count++
  distribution.sum += value
  const at = distribution.bounds.findIndex((bound) => value <= bound)
  if (at >= 0) distribution.counts[at] = (distribution.counts[at] ?? 0) + 1
}

export function countOne<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}

export function countVerdicts(counters: HubCounters, verdicts: readonly Verdict[]): void {
  for (const verdict of verdicts) {
    if (verdict.kind === 'accepted') counters.accepted++
    else if (verdict.kind === 'known') counters.known++
    else countOne(counters.refused, verdict.code)
  }
}
