// `npm run bench -- relay`: this relay beside Hocuspocus, the stock y-websocket server and a bare `ws` broadcaster, one after the other on one
// core, with the generator on another. Nothing passes or fails; the goals stand beside what was measured.
//
// Method. Each run has a fresh server process on a fresh copy of the data, and a fresh generator that speaks through raw sockets and finds
// messages by a mark in their bytes. Saturation: so many messages under way, a second to warm up, then the clock runs; the server's CPU is what
// the kernel counted for all its threads. Messages are as long everywhere (elementBytes), whatever the server puts around them. The others'
// clients send no awareness, and their writers are among the readers; ours are devices of their own, one signed entry a frame, and each gets
// an answer for each. The others verify nothing, judge nothing and store nothing.
import { rmSync, writeFileSync } from 'node:fs'
import { type CaseFigures, figuresOf } from './case-figures.ts'
import { type Case, casesOf, groups } from './cases.ts'
import { curveTable, measureCurve } from './curve.ts'
import type { JobResult } from './generator/job.ts'
import { goalsOf, goalTable } from './goals.ts'
import { canPin, machineFacts, measureDisk, newFolder } from './machine.ts'
import { measureParts, partsTable } from './parts-of-an-entry.ts'
import { quantile } from './quantiles.ts'
import { runCase, type Worlds } from './run-case.ts'
import { tablesOf } from './tables.ts'
import { makeWorlds } from './worlds.ts'

export interface RelayBenchOptions {
  /** One run each, shorter and of fewer sizes. */
  quick: boolean
  /** Groups of cases, `parts` and `curve`; none = all. */
  only: readonly string[]
  runs: number
  /** '' = none */
  json: string
  /** Where profiles of the relay are kept, '' = nowhere. */
  profiles: string
}

const diskAppends = 300
const others = ['parts', 'curve']

/** @throws {Error} where `only` names what there is not */
export async function benchRelay({ quick, only, runs, json, profiles }: RelayBenchOptions): Promise<void> {
  const known: readonly string[] = [...groups, ...others]
  for (const name of only) if (!known.includes(name)) throw new Error(`--only takes ${known.join(',')}; there is no ${name}`)
  const isWanted = (name: string) => only.length === 0 || only.includes(name)
  const cases = casesOf(quick).filter(({ group }) => isWanted(group))
  const machine = machineFacts()
  tell(
    Object.entries(machine)
      .map((fact) => fact.join(': '))
      .join(' · '),
  )
  if (!canPin) tell('Server and generator are not pinned to cores of their own: there is no taskset, or no second core.')

  const folder = newFolder()
  try {
    const worlds = await makeWorlds(folder, quick, cases)
    const disk: number[] = []
    const figures = await measureCases(worlds, cases, runs, disk)
    const parts = (isWanted('parts') && (await attempt('parts', () => measureParts(worlds, quick, profiles)))) || []
    const curve = isWanted('curve') ? await attempt('curve', () => measureCurve(quick)) : undefined
    if (disk.length === 0) disk.push(...measureDisk(diskAppends))
    disk.sort((a, b) => a - b)
    const diskFigures = { p50: quantile(disk, 0.5), p99: quantile(disk, 0.99), count: disk.length }
    const goals = goalsOf(figures, diskFigures, curve)

    const { p50, p99 } = diskFigures
    tell(`\nAn element is ${worlds.live.elementBytes} bytes on all servers; medians of ${runs} ${runs === 1 ? 'run' : 'runs'}.`)
    tell(`4 KB appended and on the disk: p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms (${disk.length} times).\n`)
    tell(tablesOf(figures))
    tell('* the generator used 95 % of its core or more: the server may do more   ? not everything came to everybody\n')
    if (parts.length > 0) tell(`${partsTable(parts)}\n`)
    if (curve) tell(`${curveTable(curve)}\n`)
    tell(goalTable(goals))
    const elementBytes = worlds.live.elementBytes
    const all = {
      machine,
      date: new Date().toISOString(),
      quick,
      runs,
      elementBytes,
      disk: diskFigures,
      figures,
      parts,
      curve,
      goals,
    }
    if (json !== '') writeFileSync(json, `${JSON.stringify(all, null, 2)}\n`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Round by round, so that what changes on the machine meanwhile meets all alike. @param disk gets how long writes to it took beside */
async function measureCases(worlds: Worlds, cases: readonly Case[], runs: number, disk: number[]): Promise<CaseFigures[]> {
  const found = cases.flatMap((one) =>
    one.contenders.map((contender) => ({ one, contender, results: [] as JobResult[], failures: [] as string[] })),
  )
  for (let run = 1; run <= runs; run++)
    for (const { one, contender, results, failures } of found) {
      progress(`run ${run} of ${runs}: ${one.group}, ${one.label}, ${contender.label.replace('… ', 'this relay, ')}`)
      if (one.group === 'rate') disk.push(...measureDisk(diskAppends))
      try {
        results.push(await runCase(worlds, one, contender))
      } catch (error) {
        failures.push(error instanceof Error ? error.message : String(error))
      }
    }
  progress('')
  return found.map(({ one: { group, label }, contender, results, failures }) =>
    figuresOf({ group, label, contender: contender.name }, results, failures),
  )
}

/** What was measured before is not lost by it. */
async function attempt<Figures>(name: string, measure: () => Promise<Figures>): Promise<Figures | undefined> {
  progress(name)
  try {
    return await measure()
  } catch (error) {
    console.error(`${name} failed:`, error)
    return undefined
  }
}

function tell(text: string): void {
  console.log(text)
}

/** Only to somebody who waits before a screen. */
function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`)
  else if (text !== '') console.error(text)
}
