// Where the relay's time for one entry goes, by part: V8's profile of the real relay under fan-out, for turns of one entry and of many.
// A profile sees time, not CPU: waiting for the disk stands in `commit`, so what the CPU did not do of it is told apart.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { contenders } from './contenders.ts'
import { type Part, parts, readProfile } from './profile.ts'
import { runCase, type Worlds } from './run-case.ts'
import { inColumns } from './tables.ts'

export interface PartFigures {
  /** Messages under way. */
  window: number
  /** Entries decided and committed together, on average. */
  entriesPerTurn: number
  /** µs an entry; `disk` is waiting, all others CPU. */
  parts: Record<Part | 'disk', number>
  functions: { name: string; place: string; share: number }[]
}

const readers = 100
const shownFunctions = 25

/** @param folder where profiles are kept, '' = nowhere */
export async function measureParts(worlds: Worlds, quick: boolean, folder: string): Promise<PartFigures[]> {
  const figures: PartFigures[] = []
  for (const window of [1, 10, 100]) {
    const workload = { kind: 'fan-out', readers, writers: 10, window, seconds: quick ? 2 : 5 } as const
    const file = join(folder === '' ? worlds.live.folder : folder, `fan-out-window-${window}.cpuprofile`)
    const { readings } = await runCase(worlds, { group: 'fan-out', workload }, contenders.relay, file)
    const { parts: shares, busyMs, functions } = readProfile(file)
    if (folder === '') rmSync(file)
    const { writes = Number.NaN, serverUsPerWrite = Number.NaN, perFrame = Number.NaN, seconds = Number.NaN } = readings
    const usPerWrite = (busyMs * 1000) / (writes * seconds)
    const us = (part: Part) => shares[part] * usPerWrite
    const others = parts.filter((part) => part !== 'commit').reduce((sum, part) => sum + us(part), 0)
    const commit = Math.max(0, serverUsPerWrite - others)
    const all: Record<Part, number> = Object.assign({}, ...parts.map((part) => ({ [part]: us(part) })))
    figures.push({
      window,
      entriesPerTurn: perFrame,
      parts: { ...all, commit, disk: Math.max(0, us('commit') - commit) },
      functions: functions.slice(0, shownFunctions),
    })
  }
  return figures
}

export function partsTable(figures: readonly PartFigures[]): string {
  const columns = [...parts, 'disk'] as const
  return inColumns([
    [`An entry’s way to ${readers} readers: CPU by part, µs`, 'entries a turn', ...parts, '+ disk'],
    ...figures.map(({ window, entriesPerTurn, parts: us }) => [
      `${window} under way`,
      entriesPerTurn.toFixed(1),
      ...columns.map((part) => us[part].toFixed(1)),
    ]),
  ])
}
