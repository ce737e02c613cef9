// Communities in memory: the contract's second implementation, for tests and the simulator. The disk is plain data that a test can copy and bring back.
import type { CommandBatch, CommunityStore, InviteRow } from '#relay/store/community-store.ts'
import { assert } from '#shared/base/assert.ts'
import type { Bytes } from '#shared/base/bytes.ts'
import type { AccountId, ChannelId, CommandId, SpaceId } from '#shared/base/ids.ts'
import type { CommunityHead } from '#shared/community/state.ts'
import type { CommandRecord, MemberRow } from '#shared/protocol/records.ts'

interface SpaceDisk {
  head: CommunityHead
  records: CommandRecord[]
  executed: Map<CommandId, { n: number; by: AccountId }>
  members: Map<AccountId, MemberRow>
  channelsEver: Set<ChannelId>
  structures: Map<number, Bytes[]>
}

export interface CommunityDisk {
  spaces: Map<SpaceId, SpaceDisk>
  channels: Map<ChannelId, SpaceId>
  invites: Map<string, InviteRow>
}

/** What the real database shares between its stores: the relay's counters, and the rows of channels. */
export interface CommunityWorld {
  meta: { commits: number; clock: number }
  channelMade(space: SpaceId, channel: ChannelId): void
  channelDeleted(channel: ChannelId): void
}

export function createCommunityDisk(): CommunityDisk {
  return { spaces: new Map(), channels: new Map(), invites: new Map() }
}

/** @param disk survives the store: a new store over it is the relay after a restart */
export function createMemoryCommunityStore(disk = createCommunityDisk(), world = lonelyWorld()): CommunityStore {
  const of = (space: SpaceId) => disk.spaces.get(space)

  return {
    head: async (space) => copy(of(space)?.head),
    spaceOf: async (channel) => disk.channels.get(channel),
    spacesOf: async (account) =>
      [...disk.spaces]
        .filter(([, { members }]) => members.get(account)?.left === 0)
        .map(([space]) => space)
        .sort(),
    members: async (space, after) =>
      copy(
        [...(of(space)?.members.values() ?? [])]
          .filter(({ n }) => n > after)
          .sort((a, b) => a.n - b.n || (a.account < b.account ? -1 : 1)),
      ),
    member: async (space, account) => copy(of(space)?.members.get(account)),
    records: async (space, after, limit) => copy((of(space)?.records ?? []).filter(({ n }) => n > after).slice(0, limit)),
    executed: async (space, id) => copy(of(space)?.executed.get(id)),
    channelUsed: async (space, channel) => disk.channels.has(channel) || of(space)?.channelsEver.has(channel) === true,
    invite: async (hash) => copy(disk.invites.get(hash)),
    invites: async (space) =>
      copy(
        [...disk.invites.values()]
          .filter((row) => row.space === space)
          .sort((a, b) => a.created - b.created || (a.hash < b.hash ? -1 : 1)),
      ),
    async structure(space) {
      const structures = of(space)?.structures ?? new Map<number, Bytes[]>()
      const epoch = Math.max(1, ...structures.keys())
      return { epoch, changes: copy(structures.get(epoch) ?? []) }
    },
    clock: async () => world.meta.clock,
    async commit(batch, now) {
      write(disk, world, copy(batch), now)
    },
    async eraseMember(account, at) {
      const changed: { space: SpaceId; row: MemberRow }[] = []
      for (const [space, { head, members }] of [...disk.spaces].sort(([a], [b]) => (a < b ? -1 : 1))) {
        const before = members.get(account)
        if (!before || (before.username === '' && before.left !== 0)) continue
        const row = { ...before, username: '', left: before.left === 0 ? at : before.left, n: head.n + 1 }
        members.set(account, row)
        changed.push({ space, row })
      }
      return copy(changed)
    },
    spacesEver: async (account) =>
      [...disk.spaces]
        .filter(([, { members }]) => members.has(account))
        .map(([space]) => space)
        .sort(),
  }
}

function write(disk: CommunityDisk, world: CommunityWorld, batch: CommandBatch, now: number): void {
  const { space, id, by, record, head, members, invites, structure, channelsMade, channelsDeleted } = batch
  const before = disk.spaces.get(space)
  // All that can fail comes first, so that nothing is half written.
  assert(record.n === (before?.head.n ?? 0) + 1, 'commands of a space are committed in their order')
  assert(now > world.meta.clock, "a command's time lies above all that was accepted before")
  assert(!before?.executed.has(id), 'a command is executed once')
  assert(!channelsMade.some((channel) => disk.channels.has(channel)), 'a channel is made once')

  const held = before ?? emptySpace(head)
  disk.spaces.set(space, held)
  held.head = head
  held.records.push(record)
  held.executed.set(id, { n: record.n, by })
  for (const row of members) held.members.set(row.account, row)
  for (const row of invites) disk.invites.set(row.hash, row)
  if (structure) held.structures.set(structure.epoch, [...(held.structures.get(structure.epoch) ?? []), structure.bytes])
  for (const channel of channelsMade) {
    disk.channels.set(channel, space)
    held.channelsEver.add(channel)
    world.channelMade(space, channel)
  }
  for (const channel of channelsDeleted) {
    disk.channels.delete(channel)
    world.channelDeleted(channel)
  }
  world.meta.commits++
  world.meta.clock = now
}

function emptySpace(head: CommunityHead): SpaceDisk {
  return { head, records: [], executed: new Map(), members: new Map(), channelsEver: new Set(), structures: new Map() }
}

function lonelyWorld(): CommunityWorld {
  return { meta: { commits: 0, clock: 0 }, channelMade: () => {}, channelDeleted: () => {} }
}

/** Callers may change what they are given; the disk may not notice. */
function copy<Value>(value: Value): Value {
  return structuredClone(value)
}
