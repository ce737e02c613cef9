// npm run sim -- --seeds N [--from S] [--seed S] [--mutant NAME|all] [--sqlite]
// Runs seeds one after the other; a failing one prints the command that replays it. `--trace DEVICE` tells what its line carried (with --seed),
// `--sqlite` gives the relay its real stores on a file.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { parseUtf8 } from '#shared/base/bytes.ts'
import { readUpdate } from '#shared/log/update-bytes.ts'
import type { FrameDown, FrameUp } from '#shared/protocol/frames.ts'
import type { DeviceNode } from './device-node.ts'
import { honest, type Mutant, mutants } from './mutants.ts'
import { simulate } from './simulate.ts'
import { emptyStats, type Stats } from './simulation.ts'
import { createSqliteFile } from './sqlite-stores.ts'

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '200' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    mutant: { type: 'string' },
    trace: { type: 'string' },
    sqlite: { type: 'boolean', default: false },
  },
})
const first = Number(values.seed ?? values.from)
const count = values.seed ? 1 : Number(values.seeds)

if (values.mutant === 'all') {
  for (const name of Object.keys(mutants)) await runMutant(name)
} else if (values.mutant) await runMutant(values.mutant)
else process.exitCode = (await runSeeds(honest, 10)) === 0 ? 0 : 1

async function runMutant(name: string): Promise<void> {
  const mutant = mutants[name]
  if (!mutant) throw new Error(`there is no mutant ${name}; there are ${Object.keys(mutants).join(', ')}`)
  const failures = await runSeeds(mutant, values.seed ? 1 : 0)
  console.log(`mutant ${name} (${mutant.says}): ${failures} of ${count} seeds fail`)
  if (failures === 0) process.exitCode = 1
}

/** @param loud how many failures are told in full */
async function runSeeds(mutant: Mutant, loud: number): Promise<number> {
  const sums = emptyStats()
  const start = performance.now()
  let failures = 0
  for (let seed = first; seed < first + count; seed++) {
    try {
      const stats = await runOne(seed, mutant)
      for (const key of Object.keys(sums)) add(sums, stats, key)
    } catch (error) {
      failures++
      if (failures > loud) continue
      console.error(`seed ${seed} fails: npm run sim -- --seed ${seed}`)
      console.error(error instanceof Error ? error.stack : error)
    }
  }
  const seconds = (performance.now() - start) / 1000
  console.log(`${count} seeds, ${failures} failed, ${seconds.toFixed(1)} s, ${JSON.stringify(sums)}`)
  return failures
}

async function runOne(seed: number, mutant: Mutant): Promise<Stats> {
  const options = { mutant, trace: values.trace ? trace : undefined }
  if (!values.sqlite) return simulate(seed, options)
  const folder = mkdtempSync(join(tmpdir(), 'dupecord-sim-'))
  const sqlite = createSqliteFile(folder)
  try {
    return await simulate(seed, { ...options, sqlite })
  } finally {
    sqlite.database?.close()
    rmSync(folder, { recursive: true })
  }
}

function add(sums: object, stats: object, key: string): void {
  Reflect.set(sums, key, Number(Reflect.get(sums, key)) + Number(Reflect.get(stats, key)))
}

function trace(node: DeviceNode, way: string, frame: FrameUp | FrameDown): void {
  if (node.name !== values.trace) return
  const shown = frame.kind === 'control' ? JSON.stringify(frame.message) : entryText(frame)
  console.log(way, shown.slice(0, 4_000))
}

function entryText(frame: Exclude<FrameUp | FrameDown, { kind: 'control' }>): string {
  switch (frame.kind) {
    case 'append':
      return `append ${frame.nr} ${frame.channel} ${frame.entries.map((entry) => parseUtf8(entry.subarray(86))).join(' ')}`
    case 'update':
      return `update ${frame.seg} ${JSON.stringify(readUpdate(frame.update))}`
    default:
      return `stock ${frame.stream}`
  }
}
