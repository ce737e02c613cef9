import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type ChannelId, idFromBytes } from '#shared/base/ids.ts'
import { limits } from '#shared/base/limits.ts'
import { createPrng } from '#shared/base/prng.ts'
import { endPosition, firstPosition, isPosition, orderChannels, placeBefore } from '#shared/community/position.ts'
import type { ChannelInfo, CommunityState } from '#shared/community/state.ts'

type Channels = CommunityState['channels']

const channel = (position: string): ChannelInfo => ({ name: 'x', kind: 'text', topic: '', position })
const ids = (channels: Channels) => orderChannels(channels).map(([id]) => id)

function channelsAt(seed: number, positions: string[]): Channels {
  const random = createPrng(seed)
  return Object.fromEntries(positions.map((position) => [idFromBytes<'channel'>(random.bytes(16)), channel(position)]))
}

function move(channels: Channels, id: ChannelId, before: ChannelId | ''): { channels: Channels; moves: number } {
  const placements = placeBefore(channels, id, before)
  const next = { ...channels }
  for (const { channel: moved, position } of placements) {
    expect(isPosition(position)).toBe(true)
    const held = next[moved]
    if (held) next[moved] = { ...held, position }
  }
  return { channels: next, moves: placements.length }
}

/** Keys that the library itself could have made, and near misses. */
const hostile = fc.oneof(
  fc.string({ unit: fc.constantFrom('0', '1', 'A', 'Z', 'a', 'b', 'z', 'V'), maxLength: 70 }),
  fc.string({ unit: 'binary', maxLength: 10 }),
  fc.constantFrom(
    '',
    'a0',
    'a00',
    'Zz',
    `z${'z'.repeat(26)}`,
    `A${'0'.repeat(26)}`,
    `A${'0'.repeat(26)}1`,
    `a0${'0'.repeat(50)}1`,
  ),
)

describe('positions', () => {
  test('[POS-1] only what the order can go on from is a position', () => {
    for (const good of [firstPosition, 'a1', 'Zz', 'a0V', `z${'z'.repeat(26)}`, `A${'0'.repeat(26)}1`])
      expect([good, isPosition(good)]).toEqual([good, true])
    const long = `a0${'V'.repeat(limits.positionCharactersMax)}`
    for (const bad of ['', 'a', '0', 'a00', '-', 'a0 ', 'ä0', `A${'0'.repeat(26)}`, long, 7, null, undefined])
      expect([bad, isPosition(bad)]).toEqual([bad, false])
  })

  test('[POS-2] whatever positions are in the list, a channel lands where it was put, and only it moves where there is room', () => {
    fc.assert(
      fc.property(fc.array(hostile, { minLength: 2, maxLength: 12 }), fc.nat(), fc.nat(), fc.integer(), (raw, from, to, seed) => {
        const channels = channelsAt(seed, raw.filter(isPosition).concat('a0', 'a0'))
        const before = ids(channels)
        const id = before[from % before.length]
        const target = before[to % (before.length + 1)] ?? ''
        if (!id || id === target) return
        const others = before.filter((one) => one !== id)
        const at = target === '' ? others.length : others.indexOf(target)
        expect(ids(move(channels, id, target).channels)).toEqual([...others.slice(0, at), id, ...others.slice(at)])
      }),
      { numRuns: 2_000, seed: 5 },
    )
  })

  test('[POS-3] in an ordinary list one move changes one channel', () => {
    const channels = channelsAt(1, ['a0', 'a1', 'a2', 'a3'])
    const [first, second, third, last] = ids(channels)
    if (!first || !second || !third || !last) throw new Error('four channels')
    expect(placeBefore(channels, last, first)).toHaveLength(1)
    expect(placeBefore(channels, first, '')).toHaveLength(1)
    expect(placeBefore(channels, third, second)).toHaveLength(1)
    expect(placeBefore(channels, first, second)).toEqual([])
    expect(placeBefore(channels, last, '')).toEqual([])
    expect(placeBefore(channels, first, first)).toEqual([])
  })

  test('[POS-4] ten thousand moves into one gap go on: where no room is left the list is numbered anew', () => {
    let channels = channelsAt(2, ['a0', 'a1', 'a2', 'a3', 'a4'])
    let renumbered = 0
    for (let i = 0; i < 10_000; i++) {
      const order = ids(channels)
      const [second, last] = [order[1], order[order.length - 1]]
      if (!second || !last) throw new Error('five channels')
      const result = move(channels, last, second)
      channels = result.channels
      expect(ids(channels)[1]).toBe(last)
      if (result.moves > 1) renumbered++
    }
    expect(renumbered).toBeGreaterThan(0)
    expect(renumbered).toBeLessThan(100)
  })

  test('[POS-5] a new channel goes to the end', () => {
    expect(endPosition({})).toBe(firstPosition)
    const channels = channelsAt(3, ['a0', 'Zz', 'a1V', 'a1'])
    expect(endPosition(channels) > 'a1V').toBe(true)
    expect(isPosition(endPosition(channels))).toBe(true)
  })
})
