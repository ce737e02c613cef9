// Where a channel stands in the list: a fractional index, so that moving one channel changes one channel. The door of fractional-indexing.
// A position comes from other people's devices: it is bounded and checked on arrival, and equal ones are a normal thing.
import { generateKeyBetween, generateNKeysBetween } from 'fractional-indexing'
import type { ChannelId } from '../base/ids.ts'
import { limits } from '../base/limits.ts'
import type { ChannelInfo, CommunityState } from './state.ts'

export interface Placement {
  channel: ChannelId
  position: string
}

/** Where a community's first channel stands. */
export const firstPosition = generateKeyBetween(null, null)

const written = /^[A-Za-z][0-9A-Za-z]*$/

/** One that the library can go on from: a hostile one would else make every later move throw. */
export function isPosition(raw: unknown): raw is string {
  if (typeof raw !== 'string' || raw.length > limits.positionCharactersMax || !written.test(raw)) return false
  try {
    generateKeyBetween(raw, null)
    generateKeyBetween(null, raw)
    return true
  } catch {
    // The library's own check of its keys: what it throws on is not a position.
    return false
  }
}

/** The channels in the order in which everybody sees them: by position, then by id where two chose the same place. */
export function orderChannels(channels: CommunityState['channels']): [ChannelId, ChannelInfo][] {
  return channelEntries(channels).sort(([a, x], [b, y]) => compare(x.position, y.position) || compare(a, b))
}

/** After the last channel. */
export function endPosition(channels: CommunityState['channels']): string {
  const last = orderChannels(channels).at(-1)
  return generateKeyBetween(last ? last[1].position : null, null)
}

/**
 * What must be moved so that `channel` stands just before `before` ('' = at the end): itself alone as a rule; its followers too
 * where they share a position, and the whole list where no room is left. Empty when it stands there already.
 */
export function placeBefore(channels: CommunityState['channels'], channel: ChannelId, before: ChannelId | ''): Placement[] {
  const now = orderChannels(channels)
  const moved = now.find(([id]) => id === channel)
  if (!moved || channel === before) return []
  const others = now.filter(([id]) => id !== channel)
  const found = others.findIndex(([id]) => id === before)
  const at = found < 0 ? others.length : found
  const wanted = [...others.slice(0, at), moved, ...others.slice(at)]
  if (wanted.every(([id], i) => id === now[i]?.[0])) return []

  const low = others[at - 1]?.[1].position ?? null
  let end = at
  while (end < others.length && low !== null && compare(others[end]?.[1].position ?? '', low) <= 0) end++
  const run = [moved, ...others.slice(at, end)]
  const narrow = generateNKeysBetween(low, others[end]?.[1].position ?? null, run.length)
  if (narrow.every(isPosition)) return place(run, narrow)
  return place(wanted, generateNKeysBetween(null, null, wanted.length))
}

function place(channels: [ChannelId, ChannelInfo][], positions: string[]): Placement[] {
  return channels.flatMap(([channel, info], i) => {
    const position = positions[i] ?? info.position
    return position === info.position ? [] : [{ channel, position }]
  })
}

export function channelEntries(channels: CommunityState['channels']): [ChannelId, ChannelInfo][] {
  // reason: Object.entries forgets that the keys are channel ids, which the type of `channels` says
  return Object.entries(channels) as [ChannelId, ChannelInfo][]
}

/** By UTF-16 unit, the same in every language; localeCompare is not. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
