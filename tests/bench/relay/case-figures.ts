// What came of a case: every run, and the medians.
import type { Group } from './cases.ts'
import type { JobResult } from './generator/job.ts'
import { quantile } from './quantiles.ts'

export interface CaseFigures {
  group: Group
  label: string
  contender: string
  runs: JobResult[]
  /** By reading. */
  median: Record<string, number>
  /** In the middle run the generator, not the server, was at its end. */
  generatorBound: boolean
  complete: boolean
  /** Runs that failed, and why. */
  failures: string[]
}

/** With less of its core left, the generator is what is measured. */
const boundFrom = 0.95

export function figuresOf(
  place: Pick<CaseFigures, 'group' | 'label' | 'contender'>,
  runs: JobResult[],
  failures: string[],
): CaseFigures {
  const names = Object.keys(runs[0]?.readings ?? {})
  const middle = (values: number[]) =>
    quantile(
      values.sort((a, b) => a - b),
      0.5,
    )
  return {
    ...place,
    runs,
    median: Object.fromEntries(names.map((name) => [name, middle(runs.map(({ readings }) => readings[name] ?? Number.NaN))])),
    generatorBound: middle(runs.map(({ generatorCpu }) => generatorCpu)) >= boundFrom,
    complete: runs.length > 0 && runs.every(({ complete }) => complete),
    failures,
  }
}

/** NaN where it was not measured. */
export function medianOf(all: readonly CaseFigures[], group: Group, label: RegExp, contender: string, reading: string): number {
  const found = all.find((one) => one.group === group && one.contender === contender && label.test(one.label))
  return found?.median[reading] ?? Number.NaN
}
