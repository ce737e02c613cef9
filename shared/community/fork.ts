// What a device shows of a community: the checked state with its own queued commands laid over, in their order. Pure; the relay alone decides what becomes of them.
import type { ChannelId, CommandId } from '../base/ids.ts'
import type { RefusalCode } from '../protocol/refusals.ts'
import type { Command, CommandAct } from './command.ts'
import { execute, presentValue } from './execute.ts'
import type { CommunityState } from './state.ts'

export interface Fork {
  /** To be shown: as if the relay had taken what can be taken. */
  state: CommunityState
  /** Laid over, waiting for the relay. */
  pending: CommandId[]
  /** Cannot be taken any more, as things stand here: another was faster. The relay's word is final all the same. */
  refused: { id: CommandId; code: RefusalCode; present: string | undefined }[]
  /** Channels that a pending command changes. */
  channels: ReadonlySet<ChannelId>
  /** A pending command changes the community itself. */
  community: boolean
}

/** @param queued own commands that the relay has not answered, oldest first */
export function layOver(state: CommunityState, queued: readonly Command[]): Fork {
  const channels = new Set<ChannelId>()
  const fork: Fork = { state, pending: [], refused: [], channels, community: false }
  for (const command of queued) {
    const executed = execute(fork.state, command)
    if (!executed.ok) {
      fork.refused.push({ id: command.id, code: executed.code, present: executed.present })
      continue
    }
    fork.state = executed.value
    fork.pending.push(command.id)
    if ('channel' in command.args) channels.add(command.args.channel)
    else fork.community = true
  }
  return fork
}

/** A refused command whose wish came true by another's hand: nothing to tell the person. */
export function isFulfilled(state: CommunityState, act: CommandAct): boolean {
  const wished = wishedValue(act)
  return wished !== undefined && presentValue(state, act) === wished
}

function wishedValue({ act, args }: CommandAct): string | undefined {
  switch (act) {
    case 'community.rename':
    case 'channel.rename':
      return args.name
    case 'channel.topic':
      return args.topic
    case 'channel.move':
      return args.position
    default:
      return undefined
  }
}
