// A command: one signed change of a community. Shapes; the text form and the chain are in SPEC.md.
import type { AccountId, ChannelId, CommandId, DeviceId } from '../base/ids.ts'
import type { ChannelKind } from './state.ts'

/** The act, its arguments, and the value that the author saw (compare-and-set); `was` is 0 where there is nothing to compare. */
export type CommandAct =
  | { act: 'community.create'; args: { name: string; channel: ChannelId; channelName: string }; was: 0 }
  | { act: 'community.rename'; args: { name: string }; was: string }
  | { act: 'channel.create'; args: { channel: ChannelId; name: string; kind: ChannelKind; position: string }; was: 0 }
  | { act: 'channel.rename'; args: { channel: ChannelId; name: string }; was: string }
  | { act: 'channel.topic'; args: { channel: ChannelId; topic: string }; was: string }
  | { act: 'channel.move'; args: { channel: ChannelId; position: string }; was: string }
  | { act: 'channel.delete'; args: { channel: ChannelId }; was: 0 }
  /** The code itself never stands in the chain: `hash` is H("invite", utf8(code)) as base64url. `until`: relay's ms, 0 = for ever. `uses`: 0 = any number. */
  | { act: 'invite.create'; args: { hash: string; until: number; uses: number }; was: 0 }
  | { act: 'invite.revoke'; args: { hash: string }; was: 0 }
  /** Proved by the code, which travels beside the command (`secret`). */
  | { act: 'member.join'; args: { hash: string }; was: 0 }
  | { act: 'member.leave'; args: Record<string, never>; was: 0 }
  | { act: 'member.remove'; args: { account: AccountId }; was: 0 }

export type ActName = CommandAct['act']

export type Command = CommandAct & {
  id: CommandId
  by: AccountId
  dev: DeviceId
  /** The author's clock, integer milliseconds. */
  at: number
}

/** Acts that a device may queue with no network. The others need the relay, and the app says so. */
export const queueableActs: ReadonlySet<ActName> = new Set<ActName>([
  'community.rename',
  'channel.rename',
  'channel.topic',
  'channel.move',
])

/** Acts that free more than they take: done also where nothing else can be stored, or where somebody must go at once. */
export const needsNoRoom: ReadonlySet<ActName> = new Set<ActName>(['channel.delete', 'member.leave', 'member.remove'])
