// What a command does to the state: pure, the same at the relay and, once more, on every member's device. Knows nothing of rights and membership.
// A channel's deletion wins over all other changes of it; of two changes of one value the later author must have seen the first (`was`).
import type { AccountId, ChannelId } from '../base/ids.ts'
import { limits } from '../base/limits.ts'
import { ok } from '../base/result.ts'
import type { RefusalCode } from '../protocol/refusals.ts'
import type { CommandAct } from './command.ts'
import { tidyChannelName, tidyCommunityName, tidyTopic } from './names.ts'
import { channelEntries, firstPosition } from './position.ts'
import type { ChannelInfo, ChannelKind, CommunityState } from './state.ts'

/** `present`: with `stale`, the value that stands now. */
export type Execution = { ok: true; value: CommunityState } | { ok: false; code: RefusalCode; present?: string }

export type Executable = CommandAct & { by: AccountId }

/** @param state `undefined` before the first command. The value given back is the same object where nothing that all may know has changed. */
export function execute(state: CommunityState | undefined, command: Executable): Execution {
  if (command.act === 'community.create') return state ? refused('taken') : createCommunity(command.by, command.args)
  if (!state) return refused('notmember')
  const present = presentValue(state, command)
  switch (command.act) {
    case 'community.rename':
      if (tidyCommunityName(command.args.name) !== command.args.name) return refused('name')
      if (present !== command.was) return stale(present)
      return ok(state.name === command.args.name ? state : { ...state, name: command.args.name })
    case 'channel.create':
      return createChannel(state, command.args)
    case 'channel.rename':
    case 'channel.topic':
    case 'channel.move': {
      const channel = channelOf(state, command.args.channel)
      if (!channel) return refused('nochannel')
      const changed = changeChannel(channel, command)
      if (!changed.ok) return changed
      if (present !== command.was) return stale(present)
      if (command.act === 'channel.rename' && isTaken(state, changed.value, command.args.channel)) return refused('taken')
      return ok(withChannel(state, command.args.channel, changed.value))
    }
    case 'channel.delete':
      return channelOf(state, command.args.channel) ? ok(withoutChannel(state, command.args.channel)) : refused('nochannel')
    case 'invite.create':
    case 'invite.revoke':
    case 'member.join':
    case 'member.leave':
    case 'member.remove':
      return ok(state)
  }
}

/** The value that `was` is compared with: what an author puts there. `undefined` for acts without one, and where its channel is gone. */
export function presentValue(state: CommunityState, { act, args }: CommandAct): string | undefined {
  switch (act) {
    case 'community.rename':
      return state.name
    case 'channel.rename':
      return channelOf(state, args.channel)?.name
    case 'channel.topic':
      return channelOf(state, args.channel)?.topic
    case 'channel.move':
      return channelOf(state, args.channel)?.position
    default:
      return undefined
  }
}

/** Own properties only: an id is never mistaken for something that every object has. */
export function channelOf(state: CommunityState, channel: ChannelId): ChannelInfo | undefined {
  return Object.hasOwn(state.channels, channel) ? state.channels[channel] : undefined
}

function createCommunity(owner: AccountId, args: { name: string; channel: ChannelId; channelName: string }): Execution {
  if (tidyCommunityName(args.name) !== args.name || tidyChannelName(args.channelName, 'text') !== args.channelName)
    return refused('name')
  const channel: ChannelInfo = { name: args.channelName, kind: 'text', topic: '', position: firstPosition }
  return ok({ v: 1, name: args.name, owner, channels: { [args.channel]: channel } })
}

function createChannel(
  state: CommunityState,
  args: { channel: ChannelId; name: string; kind: ChannelKind; position: string },
): Execution {
  const channel: ChannelInfo = { name: args.name, kind: args.kind, topic: '', position: args.position }
  if (channelOf(state, args.channel)) return refused('duplicate')
  if (Object.keys(state.channels).length >= limits.channelsPerCommunityMax) return refused('full')
  if (tidyChannelName(args.name, args.kind) !== args.name) return refused('name')
  if (isTaken(state, channel, args.channel)) return refused('taken')
  return ok(withChannel(state, args.channel, channel))
}

type ChannelAct = Extract<CommandAct, { act: 'channel.rename' | 'channel.topic' | 'channel.move' }>

function changeChannel(
  channel: ChannelInfo,
  { act, args }: ChannelAct,
): { ok: true; value: ChannelInfo } | ReturnType<typeof refused> {
  switch (act) {
    case 'channel.rename':
      return tidyChannelName(args.name, channel.kind) === args.name ? ok({ ...channel, name: args.name }) : refused('name')
    case 'channel.topic':
      return tidyTopic(args.topic) === args.topic ? ok({ ...channel, topic: args.topic }) : refused('topic')
    case 'channel.move':
      return ok({ ...channel, position: args.position })
  }
}

/** Two channels of one kind may not bear the same name: a link or a mention would not say which. */
function isTaken(state: CommunityState, { kind, name }: ChannelInfo, except: ChannelId): boolean {
  return channelEntries(state.channels).some(([id, other]) => id !== except && other.kind === kind && other.name === name)
}

function withChannel(state: CommunityState, id: ChannelId, channel: ChannelInfo): CommunityState {
  return { ...state, channels: { ...state.channels, [id]: channel } }
}

function withoutChannel(state: CommunityState, id: ChannelId): CommunityState {
  return { ...state, channels: Object.fromEntries(Object.entries(state.channels).filter(([other]) => other !== id)) }
}

function refused(code: RefusalCode): { ok: false; code: RefusalCode } {
  return { ok: false, code }
}

function stale(present: string | undefined): Execution {
  return present === undefined ? refused('nochannel') : { ok: false, code: 'stale', present }
}
