// What the relay is meant to reach, beside what was measured in the same run.
import type { CaseFigures } from './case-figures.ts'
import { medianOf } from './case-figures.ts'
import type { Group } from './cases.ts'
import type { CurveFigures } from './curve.ts'
import { inColumns } from './tables.ts'

export interface GoalFigures {
  goal: string
  measured: string
  /** `undefined`: not measured in this run. */
  reached: boolean | undefined
}

export interface DiskFigures {
  p50: number
  p99: number
}

export function goalsOf(figures: readonly CaseFigures[], disk: DiskFigures, curve: CurveFigures | undefined): GoalFigures[] {
  const of = (group: Group, label: RegExp, contender: string, reading: string) =>
    medianOf(figures, group, label, contender, reading)
  const delivered = (readers: string, ours: string, theirs: string) => {
    const label = new RegExp(`^${readers} readers, 10 `)
    return of('fan-out', label, ours, 'deliveries') / of('fan-out', label, theirs, 'deliveries')
  }
  const rate = (contender: string, reading: string) => of('rate', / 50 a/, contender, reading)
  const atLeast = (goal: string, ratio: number, least: number): GoalFigures => ({
    goal: `${goal}: at least ${least} ×`,
    measured: `${ratio.toFixed(2)} ×`,
    reached: Number.isNaN(ratio) ? undefined : ratio >= least,
  })
  const atMost = (goal: string, value: number, most: number, unit: string): GoalFigures => ({
    goal: `${goal}: at most ${most.toFixed(2)} ${unit}`,
    measured: `${value.toFixed(2)} ${unit}`,
    reached: Number.isNaN(value + most) ? undefined : value <= most,
  })
  const idle = (contender: string) => of('idle', /./, contender, 'rssEach')
  const sync = (label: RegExp, contender: string) => of('first-sync', label, contender, 'serverUsPerEntry')
  const heads = ['2,000', '20,000', '200,000'].map((size) => of('head', new RegExp(`^${size} `), 'devices', 'serverMs'))
  const flat = (values: readonly number[]) => Math.max(...values) / Math.min(...values)
  return [
    atLeast('all checks, 10 readers, beside Hocuspocus', delivered('10', 'relay', 'hocuspocus'), 0.65),
    atLeast('all checks, 100 readers, beside Hocuspocus', delivered('100', 'relay', 'hocuspocus'), 0.8),
    atLeast('all checks, 1,000 readers, beside Hocuspocus', delivered('1,000', 'relay', 'hocuspocus'), 1),
    atLeast('unverified, 10 readers, beside Hocuspocus', delivered('10', 'unverified', 'hocuspocus'), 1.5),
    atLeast('unverified, 100 readers, beside Hocuspocus', delivered('100', 'unverified', 'hocuspocus'), 1.5),
    atLeast('all checks, 100 readers, beside the stock server', delivered('100', 'relay', 'stock'), 6),
    atLeast('second core, 100 readers, beside Hocuspocus', delivered('100', 'secondCore', 'hocuspocus'), 1),
    atMost('50 a second to 200: p50, bare ws and one write to disk', rate('relay', 'p50'), rate('bare', 'p50') + disk.p50, 'ms'),
    atMost('50 a second to 200: p99, bare ws and one write to disk', rate('relay', 'p99'), rate('bare', 'p99') + disk.p99, 'ms'),
    atMost('an idle connection beside bare ws', idle('relay') / idle('bare'), 1.3, '×'),
    atMost('an idle device beside bare ws', idle('devices') / idle('bare'), 1.3, '×'),
    atMost('a segment known but idle', curve?.segmentBytes ?? Number.NaN, 1024, 'bytes'),
    atMost('first sync of 20,000: CPU beside Hocuspocus', sync(/^20,000/, 'devices') / sync(/^20,000/, 'hocuspocus'), 0.1, '×'),
    atMost('the newest segment: CPU in the longest channel beside the shortest', flat(heads), 1.5, '×'),
    atMost('200 joins of 20,000: p50 of another channel', of('joins', /./, 'devices', 'liveP50'), 30, 'ms'),
    ...(curve?.steepest ?? []).map(({ name, ratio }) => atMost(`${name}: most beside least, 10 to 10,000`, ratio, 1.5, '×')),
  ]
}

export function goalTable(goals: readonly GoalFigures[]): string {
  const said = (reached: boolean | undefined) => (reached === undefined ? 'not measured' : reached ? 'yes' : 'NO')
  return inColumns([
    ['Goal', 'measured', 'reached'],
    ...goals.map(({ goal, measured, reached }) => [goal, reached === undefined ? '' : measured, said(reached)]),
  ])
}
