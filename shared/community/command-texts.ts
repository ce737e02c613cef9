// What a command was about, in one sentence for the person who gave it: for outcomes, when the relay did not take it. The reason follows from refusals.ts.
import type { AccountId, ChannelId } from '../base/ids.ts'
import type { CommandAct } from './command.ts'
import { channelOf } from './execute.ts'
import type { ChannelKind, CommunityState } from './state.ts'

export interface CommandContext {
  /** As this device holds it; `undefined` where it holds none (any more). */
  state: CommunityState | undefined
  usernameOf(account: AccountId): string | undefined
}

/** A whole sentence, with names as they were when the person acted where the command tells, else as they are now. */
export function commandSentence({ act, args, was }: CommandAct, { state, usernameOf }: CommandContext): string {
  const community = state ? `“${state.name}”` : 'a community'
  switch (act) {
    case 'community.create':
      return `You wanted to create the community “${args.name}”.`
    case 'community.rename':
      return `You wanted to rename “${was}” to “${args.name}”.`
    case 'channel.create':
      return `You wanted to make the channel ${written(args.kind, args.name)}.`
    case 'channel.rename': {
      const kind = kindOf(state, args.channel)
      return `You wanted to rename ${written(kind, was)} to ${written(kind, args.name)}.`
    }
    case 'channel.topic':
      return args.topic === ''
        ? `You wanted to clear the topic of ${nameOf(state, args.channel)}.`
        : `You wanted to set the topic of ${nameOf(state, args.channel)} to “${args.topic}”.`
    case 'channel.move':
      return `You wanted to move ${nameOf(state, args.channel)} to another place in the list.`
    case 'channel.delete':
      return `You wanted to delete ${nameOf(state, args.channel)}.`
    case 'invite.create':
      return `You wanted to make an invite to ${community}.`
    case 'invite.revoke':
      return `You wanted to take back an invite to ${community}.`
    case 'member.join':
      return `You wanted to join ${community}.`
    case 'member.leave':
      return `You wanted to leave ${community}.`
    case 'member.remove':
      return `You wanted to remove ${usernameOf(args.account) ?? 'somebody'} from ${community}.`
  }
}

function nameOf(state: CommunityState | undefined, id: ChannelId): string {
  const channel = state && channelOf(state, id)
  return channel ? written(channel.kind, channel.name) : 'a channel that is gone'
}

function kindOf(state: CommunityState | undefined, id: ChannelId): ChannelKind {
  return (state && channelOf(state, id)?.kind) ?? 'text'
}

function written(kind: ChannelKind, name: string): string {
  return kind === 'text' ? `#${name}` : `“${name}”`
}
