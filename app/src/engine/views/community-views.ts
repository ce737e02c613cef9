// Communities and their people as views see them: the checked state with this device's queued commands laid over.
import type { SpaceId } from '#shared/base/ids.ts'
import { orderChannels } from '#shared/community/position.ts'
import type { CommunityView, MemberView, OutcomeView } from '../api.ts'
import { forkOf } from '../core/commands.ts'
import { rosterOf, type World } from '../core/state.ts'

export function communitiesView(world: World): CommunityView[] {
  const { me } = world.ports
  const views: CommunityView[] = []
  for (const { id } of world.tables.space.values()) {
    const fork = forkOf(world, id)
    if (!fork) continue
    const channels = orderChannels(fork.state.channels).map(([channel, { name, kind, topic, position }]) => ({
      id: channel,
      name,
      kind,
      topic,
      position,
      unread: world.tables.channel.get(channel)?.unread ?? 0,
      pending: fork.channels.has(channel),
    }))
    views.push({
      id,
      name: fork.state.name,
      owner: fork.state.owner,
      mine: fork.state.owner === me.account,
      memberCount: membersOf(world, id).length,
      channels,
      unread: channels.some((channel) => channel.unread > 0),
      pending: fork.community,
    })
  }
  // One's own order of communities comes with the private document; until then the one by name, which is the same on every device.
  return views.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.id < b.id ? -1 : 1))
}

export function membersView(world: World, space: SpaceId): MemberView[] {
  const owner = world.tables.space.get(space)?.state?.owner
  return membersOf(world, space)
    .map(({ account, username, joined }) => ({
      account,
      username,
      owner: account === owner,
      you: account === world.ports.me.account,
      joined,
    }))
    .sort((a, b) => (a.username < b.username ? -1 : 1))
}

export function outcomesView(world: World): OutcomeView[] {
  return [...world.tables.outcome.values()]
    .sort((a, b) => a.n - b.n)
    .map(({ id, space, text, code, present }) => ({ id, space, text, code, present }))
}

function membersOf(world: World, space: SpaceId) {
  return [...rosterOf(world, space).values()].filter((row) => row.left === 0)
}
