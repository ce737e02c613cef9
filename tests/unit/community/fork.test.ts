import { describe, expect, test } from 'vitest'
import type { AccountId } from '#shared/base/ids.ts'
import type { CommandAct } from '#shared/community/command.ts'
import { commandSentence } from '#shared/community/command-texts.ts'
import { isFulfilled, layOver } from '#shared/community/fork.ts'
import type { CommunityState } from '#shared/community/state.ts'
import { createPeople } from './people.ts'

const people = createPeople(1)
const ada = people.person('ada')
const [general, music] = [people.channel(), people.channel()]
const state: CommunityState = {
  v: 1,
  name: 'Sample Server',
  owner: ada.account,
  channels: {
    [general]: { name: 'general', kind: 'text', topic: '', position: 'a0' },
    [music]: { name: 'Music', kind: 'voice', topic: '', position: 'a1' },
  },
}
const queue = (...acts: CommandAct[]) => acts.map((act) => people.command(ada, act))
const rename = (name: string, was: string): CommandAct => ({ act: 'channel.rename', args: { channel: general, name }, was })

describe('the fork', () => {
  test('[FORK-1] what waits is shown as done, in its order, each upon the one before', () => {
    const queued = queue(
      rename('lobby', 'general'),
      rename('hall', 'lobby'),
      { act: 'community.rename', args: { name: 'New' }, was: 'Sample Server' },
      { act: 'channel.move', args: { channel: music, position: 'Zz' }, was: 'a1' },
    )
    const fork = layOver(state, queued)
    expect(fork.state.channels[general]?.name).toBe('hall')
    expect(fork.state.channels[music]?.position).toBe('Zz')
    expect(fork.state.name).toBe('New')
    expect(fork.pending).toEqual(queued.map(({ id }) => id))
    expect([...fork.channels]).toEqual([general, music])
    expect(fork.community).toBe(true)
    expect(fork.refused).toEqual([])
    expect(state.channels[general]?.name).toBe('general')
  })

  test('[FORK-2] what another overtook is not shown as done, and says what stands; the rest is', () => {
    const queued = queue(rename('lobby', 'general'), { act: 'channel.topic', args: { channel: general, topic: 'Hi' }, was: '' })
    const moved = {
      ...state,
      channels: { ...state.channels, [general]: { name: 'foyer', kind: 'text' as const, topic: '', position: 'a0' } },
    }
    const fork = layOver(moved, queued)
    expect(fork.refused).toEqual([{ id: queued[0]?.id, code: 'stale', present: 'foyer' }])
    expect(fork.pending).toEqual([queued[1]?.id])
    expect(fork.state.channels[general]).toMatchObject({ name: 'foyer', topic: 'Hi' })
    const { [general]: _, ...left } = state.channels
    expect(layOver({ ...state, channels: left }, queued).refused.map(({ code }) => code)).toEqual(['nochannel', 'nochannel'])
  })

  test('[FORK-3] a wish that came true by another hand is fulfilled', () => {
    expect(isFulfilled(state, rename('general', 'foyer'))).toBe(true)
    expect(isFulfilled(state, rename('lobby', 'foyer'))).toBe(false)
    expect(isFulfilled(state, { act: 'channel.delete', args: { channel: general }, was: 0 })).toBe(false)
  })
})

describe('in words', () => {
  test('[FORK-4] every act is one sentence that a person understands', () => {
    const gone = people.channel()
    const sentences: [CommandAct, string][] = [
      [
        { act: 'community.create', args: { name: 'Den', channel: gone, channelName: 'x' }, was: 0 },
        'You wanted to create the community “Den”.',
      ],
      [{ act: 'community.rename', args: { name: 'Den' }, was: 'Lair' }, 'You wanted to rename “Lair” to “Den”.'],
      [
        { act: 'channel.create', args: { channel: gone, name: 'x', kind: 'text', position: 'a0' }, was: 0 },
        'You wanted to make the channel #x.',
      ],
      [rename('lobby', 'foyer'), 'You wanted to rename #foyer to #lobby.'],
      [
        { act: 'channel.rename', args: { channel: music, name: 'Songs' }, was: 'Music' },
        'You wanted to rename “Music” to “Songs”.',
      ],
      [
        { act: 'channel.topic', args: { channel: general, topic: 'Hi' }, was: '' },
        'You wanted to set the topic of #general to “Hi”.',
      ],
      [{ act: 'channel.topic', args: { channel: general, topic: '' }, was: 'Hi' }, 'You wanted to clear the topic of #general.'],
      [
        { act: 'channel.move', args: { channel: gone, position: 'a0' }, was: 'a1' },
        'You wanted to move a channel that is gone to another place in the list.',
      ],
      [{ act: 'channel.delete', args: { channel: music }, was: 0 }, 'You wanted to delete “Music”.'],
      [
        { act: 'invite.create', args: { hash: 'h', until: 0, uses: 0 }, was: 0 },
        'You wanted to make an invite to “Sample Server”.',
      ],
      [{ act: 'invite.revoke', args: { hash: 'h' }, was: 0 }, 'You wanted to take back an invite to “Sample Server”.'],
      [{ act: 'member.join', args: { hash: 'h' }, was: 0 }, 'You wanted to join “Sample Server”.'],
      [{ act: 'member.leave', args: {}, was: 0 }, 'You wanted to leave “Sample Server”.'],
      [{ act: 'member.remove', args: { account: ada.account }, was: 0 }, 'You wanted to remove ada from “Sample Server”.'],
    ]
    const usernameOf = (account: AccountId) => (account === ada.account ? 'ada' : undefined)
    for (const [act, sentence] of sentences) expect(commandSentence(act, { state, usernameOf })).toBe(sentence)
    const blank = { state: undefined, usernameOf: () => undefined }
    expect(commandSentence({ act: 'member.remove', args: { account: ada.account }, was: 0 }, blank)).toBe(
      'You wanted to remove somebody from a community.',
    )
  })
})
