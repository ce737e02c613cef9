// Channels and communities come and go. What goes is forgotten here at once, all but what its person wrote and the relay does not have.
import type { ChannelId, SpaceId } from '#shared/base/ids.ts'
import type { RefusalCode } from '#shared/protocol/refusals.ts'
import { dropSpaceCommands } from './commands.ts'
import { refuseChannel } from './outbox.ts'
import { dropCopy, segmentsOf } from './replicas.ts'
import { changed, drop, put, type World } from './state.ts'
import { closeStreams } from './syncing.ts'

/** A channel that the chain made while the link lives: empty so far. */
export function meetChannel(world: World, space: SpaceId, channel: ChannelId): void {
  if (world.tables.channel.has(channel)) return
  world.link?.namedChannels.add(channel)
  put(world, 'channel', { id: channel, space, heldRev: -1, view: 0, head: '', last: 0, unread: 0 })
}

export function leaveSpace(world: World, space: SpaceId, code: RefusalCode): void {
  for (const { id } of [...world.tables.channel.values()].filter((row) => row.space === space)) loseChannel(world, id, code)
  for (const row of [...world.tables.outbox.values()]) if (row.space === space) refuseChannel(world, row.channel, code)
  dropSpaceCommands(world, space, code)
  for (const key of [...world.tables.member.keys()]) if (key.startsWith(`${space} `)) drop(world, 'member', key)
  world.rosters.delete(space)
  drop(world, 'space', space)
  world.link?.namedSpaces.delete(space)
  world.link?.chains.delete(space)
  changed(world, 'communities')
  changed(world, `members ${space}`)
}

export function loseChannel(world: World, channel: ChannelId, code: RefusalCode): void {
  if (world.link) closeStreams(world.link, channel)
  refuseChannel(world, channel, code)
  for (const row of segmentsOf(world, channel)) dropCopy(world, row)
  drop(world, 'channel', channel)
  drop(world, 'marker', channel)
  world.views.delete(channel)
  world.readLines.delete(channel)
  world.link?.namedChannels.delete(channel)
  changed(world, `timeline ${channel}`)
  changed(world, 'communities')
}
