// What is measured of whom: every workload with those that it is for.
import { type Contender, contenders } from './contenders.ts'
import type { Workload } from './generator/job.ts'
import { historySizes, rooms } from './world/world-file.ts'

export interface Case {
  group: Group
  label: string
  workload: Workload
  contenders: readonly Contender[]
}

export const groups = ['fan-out', 'rate', 'rooms', 'idle', 'first-sync', 'head', 'storm', 'joins'] as const
export type Group = (typeof groups)[number]

const { relay, unverified, secondCore, devices, shipped, hocuspocus, stock, bare } = contenders
const everyone = [relay, hocuspocus, stock, bare]
/** Messages under way at saturation. */
const window = 128

/** @param quick a short version, to see that everything works */
export function casesOf(quick: boolean): Case[] {
  const seconds = quick ? 2 : 4
  const some = <Value>(all: readonly Value[], few: readonly Value[]) => (quick ? few : all)
  const fanOuts = some([10, 100, 1_000], [10, 100]).flatMap((readers) =>
    some([1, 10], [10]).map((writers): Case => {
      const more = writers === 10 ? [unverified, ...(readers === 100 ? [secondCore, devices] : [])] : []
      const label = `${count(readers)} readers, ${writers} ${writers === 1 ? 'writer' : 'writers'}`
      const workload = { kind: 'fan-out', readers, writers, window, seconds } as const
      return { group: 'fan-out', label, workload, contenders: [relay, ...more, hocuspocus, stock, bare] }
    }),
  )
  const rates = some([50, 200], [50]).map(
    (perSecond): Case => ({
      group: 'rate',
      label: `200 readers, ${perSecond} a second`,
      workload: { kind: 'rate', readers: 200, writers: 5, perSecond, seconds: quick ? 3 : 8 },
      contenders: everyone,
    }),
  )
  const roomsOf = (perSecond: number): Case => ({
    group: 'rooms',
    label: perSecond === 0 ? 'one under way in each channel' : `each ${perSecond} a second`,
    workload: { kind: 'rooms', devices: rooms.count * rooms.devices, rooms: rooms.count, perSecond, seconds },
    contenders: [devices, hocuspocus, stock, bare],
  })
  const syncs = some(historySizes, [2_000, 20_000]).flatMap((entries): Case[] => {
    const joins = entries > 100_000 ? 5 : 20
    const sync = (headOnly: boolean) => ({ kind: 'first-sync', entries, joins, headOnly }) as const
    const label = `${count(entries)} entries`
    return [
      { group: 'first-sync', label, workload: sync(false), contenders: [shipped, devices, hocuspocus, stock] },
      { group: 'head', label, workload: sync(true), contenders: [shipped, devices] },
    ]
  })
  const idles = quick ? 500 : 2_000
  return [
    ...fanOuts,
    ...rates,
    ...some([0, 1], [1]).map(roomsOf),
    {
      group: 'idle',
      label: `${count(idles)} connections`,
      workload: { kind: 'idle', connections: idles },
      contenders: [relay, devices, hocuspocus, stock, bare],
    },
    ...syncs,
    {
      group: 'storm',
      label: '1,000 devices, an hour away',
      workload: { kind: 'storm', devices: 1_000 },
      contenders: [shipped, devices, hocuspocus, stock, bare],
    },
    {
      group: 'joins',
      label: '200 joins of 20,000 entries',
      workload: { kind: 'joins', entries: 20_000, joins: 200 },
      contenders: [shipped, devices, hocuspocus, stock],
    },
  ]
}

function count(value: number): string {
  return value.toLocaleString('en')
}
