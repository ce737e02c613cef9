// Communities, channels and members as this device knows them, and the acts on them.
import type { AccountId, ChannelId, SpaceId } from '#shared/base/ids.ts'
import type { CallAnswer, ChannelView, CommunityView, MemberView } from '../engine/api.ts'
import { call, topic } from './client.svelte.ts'

export type { ChannelView, CommunityView, MemberView } from '../engine/api.ts'

/** `undefined` until this device has looked into its own storage. */
export function communities(): CommunityView[] | undefined {
  return topic('communities', '').current
}

export function communityOf(space: string): CommunityView | undefined {
  return communities()?.find(({ id }) => id === space)
}

export function channelOf(space: string, channel: string): ChannelView | undefined {
  return communityOf(space)?.channels.find(({ id }) => id === channel)
}

export function membersOf(space: SpaceId): MemberView[] | undefined {
  return topic('members', space).current
}

export function createCommunity(name: string): Promise<CallAnswer<'createCommunity'>> {
  return call('createCommunity', { name })
}

export function renameCommunity(space: SpaceId, name: string): Promise<CallAnswer<'renameCommunity'>> {
  return call('renameCommunity', { space, name })
}

export function createChannel(space: SpaceId, name: string): Promise<CallAnswer<'createChannel'>> {
  return call('createChannel', { space, name, kind: 'text' })
}

export function renameChannel(space: SpaceId, channel: ChannelId, name: string): Promise<CallAnswer<'renameChannel'>> {
  return call('renameChannel', { space, channel, name })
}

export function setTopic(space: SpaceId, channel: ChannelId, text: string): Promise<CallAnswer<'setTopic'>> {
  return call('setTopic', { space, channel, topic: text })
}

export function deleteChannel(space: SpaceId, channel: ChannelId): Promise<CallAnswer<'deleteChannel'>> {
  return call('deleteChannel', { space, channel })
}

/** @param before the channel that will follow it; '' = to the end */
export function moveChannel(space: SpaceId, channel: ChannelId, before: ChannelId | ''): Promise<CallAnswer<'moveChannel'>> {
  return call('moveChannel', { space, channel, before })
}

/** One place up (-1) or down (1); nothing at the ends. */
export async function moveChannelBy(community: CommunityView, channel: ChannelId, by: 1 | -1): Promise<void> {
  const { channels } = community
  const at = channels.findIndex(({ id }) => id === channel)
  const to = at + by
  if (at < 0 || to < 0 || to >= channels.length) return
  await moveChannel(community.id, channel, channels[by < 0 ? to : to + 1]?.id ?? '')
}

/** @param days 0 = for ever @param uses 0 = any number */
export function createInvite(space: SpaceId, days: number, uses: number): Promise<CallAnswer<'createInvite'>> {
  return call('createInvite', { space, days, uses })
}

export function previewInvite(code: string): Promise<CallAnswer<'previewInvite'>> {
  return call('previewInvite', { code })
}

export function join(code: string): Promise<CallAnswer<'join'>> {
  return call('join', { code })
}

export function leave(space: SpaceId): Promise<CallAnswer<'leave'>> {
  return call('leave', { space })
}

export function removeMember(space: SpaceId, account: AccountId): Promise<CallAnswer<'removeMember'>> {
  return call('removeMember', { space, account })
}
