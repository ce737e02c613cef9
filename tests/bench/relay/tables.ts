// The tables that a person reads. A star: the generator was at its end, so the server may do more. A query: not everything came to everybody.

import type { CaseFigures } from './case-figures.ts'
import type { Group } from './cases.ts'
import { contenders } from './contenders.ts'

interface View {
  group: Group
  title: string
  reading: string
  format(value: number): string
  /** Ours beside theirs, in columns of their own. */
  ratios: boolean
}

const big = (value: number) =>
  value >= 1e6 ? `${(value / 1e6).toFixed(2)} M` : value >= 1e4 ? `${(value / 1e3).toFixed(0)} k` : value.toFixed(0)
const fine = (value: number) => value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)
const kilobytes = (value: number) => `${(value / 1024).toFixed(2)} KB`

const views: readonly View[] = [
  {
    group: 'fan-out',
    title: 'Fan-out at saturation: entries delivered a second',
    reading: 'deliveries',
    format: big,
    ratios: true,
  },
  {
    group: 'fan-out',
    title: '… the server’s CPU for an entry written, µs',
    reading: 'serverUsPerWrite',
    format: fine,
    ratios: false,
  },
  { group: 'fan-out', title: '… entries in a frame', reading: 'perFrame', format: fine, ratios: false },
  { group: 'rate', title: 'At a fixed rate: delivery p50, ms', reading: 'p50', format: fine, ratios: true },
  { group: 'rate', title: '… p99, ms', reading: 'p99', format: fine, ratios: true },
  { group: 'rate', title: '… the server’s share of its core', reading: 'serverCpu', format: fine, ratios: false },
  {
    group: 'rooms',
    title: '1,000 devices in 200 channels: entries written a second',
    reading: 'writes',
    format: big,
    ratios: true,
  },
  { group: 'rooms', title: '… delivery p50, ms', reading: 'p50', format: fine, ratios: false },
  { group: 'rooms', title: '… p99, ms', reading: 'p99', format: fine, ratios: false },
  {
    group: 'rooms',
    title: '… the server’s CPU for an entry written, µs',
    reading: 'serverUsPerWrite',
    format: fine,
    ratios: true,
  },
  {
    group: 'idle',
    title: 'Idle connections: memory of the process for each',
    reading: 'rssEach',
    format: kilobytes,
    ratios: true,
  },
  { group: 'idle', title: '… of it in V8’s heap', reading: 'heapEach', format: kilobytes, ratios: false },
  { group: 'first-sync', title: 'First sync of a channel: ms', reading: 'ms', format: fine, ratios: true },
  { group: 'first-sync', title: '… the server’s CPU for an entry, µs', reading: 'serverUsPerEntry', format: fine, ratios: true },
  { group: 'first-sync', title: '… bytes', reading: 'bytes', format: big, ratios: false },
  { group: 'head', title: 'Only the newest segment: the server’s CPU, ms', reading: 'serverMs', format: fine, ratios: false },
  { group: 'storm', title: 'A storm: ms until the last one has what it missed', reading: 'ms', format: fine, ratios: true },
  { group: 'storm', title: '… until half have', reading: 'p50', format: fine, ratios: false },
  { group: 'storm', title: '… the server’s CPU for each, ms', reading: 'serverMsEach', format: fine, ratios: true },
  {
    group: 'joins',
    title: 'Many joins at once: delivery p50 in another channel, ms',
    reading: 'liveP50',
    format: fine,
    ratios: true,
  },
  { group: 'joins', title: '… its slowest, ms', reading: 'liveMax', format: fine, ratios: false },
  { group: 'joins', title: '… ms until all hold everything', reading: 'ms', format: fine, ratios: true },
]

export function tablesOf(figures: readonly CaseFigures[]): string {
  const written = views.map((view) => tableOf(view, figures)).filter((table) => table !== '')
  const failures = figures.flatMap(({ group, label, contender, failures }) =>
    failures.map((why) => `${group}, ${label}, ${contender}: ${why.split('\n')[0]}`),
  )
  return [...written, ...(failures.length > 0 ? [`Runs that failed:\n${failures.join('\n')}`] : [])].join('\n\n')
}

function tableOf({ group, title, reading, format, ratios }: View, all: readonly CaseFigures[]): string {
  const figures = all.filter((one) => one.group === group)
  if (figures.length === 0) return ''
  const columns = Object.values(contenders).filter(({ name }) => figures.some(({ contender }) => contender === name))
  const own = ['relay', 'shipped', 'devices'].find((name) => columns.some((column) => column.name === name))
  const beside = ratios ? columns.filter(({ args }) => args === undefined) : []
  const head = ['', ...columns.map(({ label }) => label), ...beside.map(({ label }) => `: ${label}`)]
  const rows = [...new Set(figures.map(({ label }) => label))].map((label) => {
    const cell = (name: string | undefined) => figures.find((one) => one.label === label && one.contender === name)
    const value = (name: string | undefined) => cell(name)?.median[reading] ?? Number.NaN
    return [
      label,
      ...columns.map(({ name }) => written(cell(name), value(name), format)),
      ...beside.map(({ name }) => orDash(value(own) / value(name), (ratio) => `${ratio.toFixed(2)} ×`)),
    ]
  })
  return `${title}\n${inColumns([head, ...rows])}`
}

function written(figures: CaseFigures | undefined, value: number, format: (value: number) => string): string {
  if (!figures) return ''
  return orDash(value, format) + (figures.generatorBound ? '*' : '') + (figures.complete ? '' : '?')
}

function orDash(value: number, format: (value: number) => string): string {
  return Number.isFinite(value) ? format(value) : '–'
}

/** The first column to the left, the others to the right. */
export function inColumns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)))
  return rows
    .map((row) => row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  '))
    .map((line) => line.trimEnd())
    .join('\n')
}
