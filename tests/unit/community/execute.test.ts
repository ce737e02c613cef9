import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type AccountId, type ChannelId, idFromBytes } from '#shared/base/ids.ts'
import { limits } from '#shared/base/limits.ts'
import type { CommandAct } from '#shared/community/command.ts'
import { type Execution, execute, presentValue } from '#shared/community/execute.ts'
import { firstPosition } from '#shared/community/position.ts'
import type { ChannelKind, CommunityState } from '#shared/community/state.ts'

const id = <Kind extends string>(n: number) => idFromBytes<Kind>(new Uint8Array(16).fill(n))
const owner = id<'account'>(1) satisfies AccountId
const [general, music, third] = [id<'channel'>(11), id<'channel'>(12), id<'channel'>(13)]

function run(state: CommunityState | undefined, act: CommandAct): Execution {
  return execute(state, { ...act, by: owner })
}

function must(execution: Execution): CommunityState {
  if (!execution.ok) throw new Error(execution.code)
  return execution.value
}

const found = (name = 'Sample Server', channelName = 'general'): CommandAct => ({
  act: 'community.create',
  args: { name, channel: general, channelName },
  was: 0,
})
const make = (channel: ChannelId, name: string, kind: ChannelKind = 'text', position = 'a1'): CommandAct => ({
  act: 'channel.create',
  args: { channel, name, kind, position },
  was: 0,
})
const rename = (channel: ChannelId, name: string, was: string): CommandAct => ({
  act: 'channel.rename',
  args: { channel, name },
  was,
})
const town = must(run(must(run(undefined, found())), make(music, 'music')))

describe('founding', () => {
  test('[CMD-10] the first command makes the whole state, and only the first one can', () => {
    expect(must(run(undefined, found()))).toEqual({
      v: 1,
      name: 'Sample Server',
      owner,
      channels: { [general]: { name: 'general', kind: 'text', topic: '', position: firstPosition } },
    })
    expect(run(town, found())).toEqual({ ok: false, code: 'taken' })
    expect(run(undefined, rename(general, 'x', 'general'))).toEqual({ ok: false, code: 'notmember' })
  })

  test('[NAME-6] names have to come tidied', () => {
    for (const name of ['', ' x', 'a\u202eb', 'e\u0301', 'x'.repeat(101)])
      expect(run(undefined, found(name))).toMatchObject({ code: 'name' })
    for (const name of ['General', 'a b', '-a', 'a!']) {
      expect(run(undefined, found('Ok', name))).toMatchObject({ code: 'name' })
      expect(run(town, make(third, name))).toMatchObject({ code: 'name' })
      expect(run(town, rename(general, name, 'general'))).toMatchObject({ code: 'name' })
    }
    expect(run(town, make(third, 'The Lounge', 'voice')).ok).toBe(true)
    expect(run(town, { act: 'channel.topic', args: { channel: general, topic: ' x' }, was: '' })).toMatchObject({ code: 'topic' })
    expect(run(town, { act: 'community.rename', args: { name: ' x' }, was: town.name })).toMatchObject({ code: 'name' })
  })
})

describe('channels', () => {
  test('[CMD-12] a name stands once among channels of its kind', () => {
    expect(run(town, make(third, 'music'))).toEqual({ ok: false, code: 'taken' })
    expect(run(town, rename(general, 'music', 'general'))).toEqual({ ok: false, code: 'taken' })
    expect(run(town, make(third, 'music', 'voice')).ok).toBe(true)
    expect(run(town, rename(general, 'general', 'general')).ok).toBe(true)
  })

  test('[CMD-12] there is room for so many channels', () => {
    let state = town
    for (let i = 2; i < limits.channelsPerCommunityMax; i++) {
      const bytes = new Uint8Array(16)
      new DataView(bytes.buffer).setUint32(0, 1_000_000 + i)
      state = must(run(state, make(idFromBytes(bytes), `room-${i}`)))
    }
    expect(run(state, make(third, 'one-more'))).toEqual({ ok: false, code: 'full' })
    const shrunk = must(run(state, { act: 'channel.delete', args: { channel: music }, was: 0 }))
    expect(run(shrunk, make(third, 'one-more')).ok).toBe(true)
  })

  test('[CMD-3] what has changed since the author saw it is not overwritten: he is told what stands', () => {
    const acts: [CommandAct, string][] = [
      [{ act: 'community.rename', args: { name: 'New' }, was: 'Old' }, 'Sample Server'],
      [rename(general, 'new', 'old'), 'general'],
      [{ act: 'channel.topic', args: { channel: general, topic: 'new' }, was: 'old' }, ''],
      [{ act: 'channel.move', args: { channel: general, position: 'a5' }, was: 'a4' }, firstPosition],
    ]
    for (const [act, present] of acts) {
      expect(run(town, act)).toEqual({ ok: false, code: 'stale', present })
      expect(presentValue(town, act)).toBe(present)
      // reason: the same act with the value that stands is of the same kind
      expect(run(town, { ...act, was: present } as CommandAct).ok).toBe(true)
    }
  })

  test('[CMD-9] deletion wins: it needs no value seen, and nothing changes the channel after it', () => {
    const renamed = must(run(town, rename(general, 'lobby', 'general')))
    const gone = must(run(renamed, { act: 'channel.delete', args: { channel: general }, was: 0 }))
    expect(Object.keys(gone.channels)).toEqual([music])
    for (const act of [
      rename(general, 'x', 'lobby'),
      { act: 'channel.delete', args: { channel: general }, was: 0 } satisfies CommandAct,
    ])
      expect(run(gone, act)).toEqual({ ok: false, code: 'nochannel' })
    expect(run(gone, { act: 'channel.topic', args: { channel: general, topic: 'x' }, was: '' })).toMatchObject({
      code: 'nochannel',
    })
    expect(run(gone, { act: 'channel.move', args: { channel: general, position: 'a1' }, was: 'a0' })).toMatchObject({
      code: 'nochannel',
    })
  })

  test('[CMD-13] members and invites are not in the state: it stays the same object', () => {
    const acts: CommandAct[] = [
      { act: 'invite.create', args: { hash: 'h', until: 0, uses: 0 }, was: 0 },
      { act: 'invite.revoke', args: { hash: 'h' }, was: 0 },
      { act: 'member.join', args: { hash: 'h' }, was: 0 },
      { act: 'member.leave', args: {}, was: 0 },
      { act: 'member.remove', args: { account: owner }, was: 0 },
    ]
    for (const act of acts) expect(must(run(town, act))).toBe(town)
  })

  test('[CMD-13] what is not an own property of the channels is no channel', () => {
    // reason: an id can never be such a word, but a state must not depend on that
    const odd = 'constructor' as ChannelId
    expect(run(town, rename(odd, 'x', 'Object'))).toEqual({ ok: false, code: 'nochannel' })
  })

  test('[CMD-13] execution changes nothing that it was given', () => {
    const before = structuredClone(town)
    const channel = fc.constantFrom(general, music, third)
    const name = fc.constantFrom('general', 'music', 'x', 'y')
    const act: fc.Arbitrary<CommandAct> = fc.oneof(
      fc.record({ channel, name }).map((args): CommandAct => ({ act: 'channel.rename', args, was: 'general' })),
      fc.record({ channel }).map((args): CommandAct => ({ act: 'channel.delete', args, was: 0 })),
      fc.record({ channel, topic: name }).map((args): CommandAct => ({ act: 'channel.topic', args, was: '' })),
      fc.tuple(channel, name).map(([made, called]) => make(made, called)),
    )
    fc.assert(
      fc.property(fc.array(act, { maxLength: 10 }), (list) => {
        list.reduce((state, one) => {
          const executed = run(state, one)
          return executed.ok ? executed.value : state
        }, town)
        expect(town).toEqual(before)
      }),
      { numRuns: 200, seed: 6 },
    )
  })
})
