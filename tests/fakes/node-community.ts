// A community of devices in Node, with one channel; and what a device shows of it as accepted.
import { communitiesView } from '#app/engine/views/community-views.ts'
import { timelineView } from '#app/engine/views/message-views.ts'
import type { ChannelId, SpaceId } from '#shared/base/ids.ts'
import type { NodeDevice } from './node-device.ts'

export interface Place {
  space: SpaceId
  channel: ChannelId
}

/** `owner`'s, and everyone else is in it when it resolves. */
export async function foundPlace(owner: NodeDevice, ...others: NodeDevice[]): Promise<Place> {
  await owner.until(() => owner.core.world.link?.phase === 'ready')
  const made = await owner.call('createCommunity', { name: 'Tide Pools' })
  if (!made.ok) throw new Error(made.code)
  const { space } = made.value
  const invite = await owner.call('createInvite', { space, days: 1, uses: 0 })
  if (!invite.ok) throw new Error(invite.code)
  for (const other of others) {
    await other.until(() => other.core.world.link?.phase === 'ready')
    const answer = await other.call('join', { code: invite.value.code, space })
    if (!answer.ok) throw new Error(answer.code)
    await other.until(() => communitiesView(other.core.world).some(({ id }) => id === space))
  }
  return made.value
}

/** Of the newest `most` messages that it shows those that the relay has taken, in its order. */
export function acceptedTexts(device: NodeDevice, channel: ChannelId, most: number): string[] {
  const { messages } = timelineView(device.core.world, channel, most)
  return messages.filter(({ state }) => state.kind === 'accepted').map(({ text }) => text)
}
