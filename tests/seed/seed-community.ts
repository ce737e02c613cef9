// Makes a community as its people would: the owner's commands, an invite, and everybody else by it.
import { nodeHasher, nodeRandom } from '#relay/crypto.ts'
import { type ChannelId, idFromBytes, type SpaceId } from '#shared/base/ids.ts'
import type { Random } from '#shared/base/ports.ts'
import { inviteHash, makeInviteCode } from '#shared/community/invite-code.ts'
import { endPosition } from '#shared/community/position.ts'
import type { ChannelKind } from '#shared/community/state.ts'
import type { SeedPerson } from './seed-person.ts'
import type { SeedRelay } from './seed-relay.ts'

export interface WantedChannel {
  name: string
  topic: string
  kind: ChannelKind
}

export interface MadeCommunity {
  space: SpaceId
  /** In the order in which they were wanted. */
  channels: ChannelId[]
}

/** The first channel comes with the community and is a text channel. */
export async function makeCommunity(
  relay: SeedRelay,
  ids: Random,
  [owner, ...others]: readonly [SeedPerson, ...SeedPerson[]],
  name: string,
  [first, ...rest]: readonly [WantedChannel, ...WantedChannel[]],
): Promise<MadeCommunity> {
  const space = idFromBytes<'space'>(ids.bytes(16))
  const channels = [idFromBytes<'channel'>(ids.bytes(16))]
  const [general] = channels
  if (!general) throw new Error('a list of one has a first')
  await owner.command(space, {
    act: 'community.create',
    args: { name, channel: general, channelName: first.name },
    was: 0,
  })
  await setTopic(general, first.topic)
  for (const { name, kind, topic } of rest) {
    const channel = idFromBytes<'channel'>(ids.bytes(16))
    const position = endPosition((await relay.community.head(space))?.state.channels ?? {})
    await owner.command(space, { act: 'channel.create', args: { channel, name, kind, position }, was: 0 })
    await setTopic(channel, topic)
    channels.push(channel)
  }
  // The one secret here: who knows it gets in.
  const code = makeInviteCode(nodeRandom)
  const hash = inviteHash(nodeHasher, code)
  await owner.command(space, { act: 'invite.create', args: { hash, until: 0, uses: others.length }, was: 0 })
  for (const person of others) await person.command(space, { act: 'member.join', args: { hash }, was: 0 }, code)
  return { space, channels }

  async function setTopic(channel: ChannelId, topic: string): Promise<void> {
    if (topic !== '') await owner.command(space, { act: 'channel.topic', args: { channel, topic }, was: '' })
  }
}
