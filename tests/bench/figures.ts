// A figure: what was measured, and how it is printed.

export interface Figure {
  name: string
  value: number
  unit: 'bytes' | 'ms' | 's' | '/s' | ''
  /** How it came about, in a few words. */
  note: string
}

/** One line a figure, in columns. */
export function tableOf(figures: readonly Figure[]): string {
  const rows = figures.map(({ name, value, unit, note }) => [name, amount(value), unit, note] as const)
  const width = (column: 0 | 1 | 2) => Math.max(...rows.map((row) => row[column].length))
  const [name, value, unit] = [width(0), width(1), width(2)]
  return rows
    .map((row) => `${row[0].padEnd(name)}  ${row[1].padStart(value)} ${row[2].padEnd(unit)}  ${row[3]}`.trimEnd())
    .join('\n')
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

function amount(value: number): string {
  return value.toLocaleString('en', { maximumFractionDigits: value < 100 ? 1 : 0 })
}
