// The port for communities: their chain, state, roster, invites, and the structure document's changes. Two implementations, one contract suite.
import type { Bytes } from '#shared/base/bytes.ts'
import type { AccountId, ChannelId, CommandId, SpaceId } from '#shared/base/ids.ts'
import type { CommunityHead } from '#shared/community/state.ts'
import type { CommandRecord, MemberRow } from '#shared/protocol/records.ts'

export interface InviteRow {
  /** H("invite", code), base64url. */
  hash: string
  space: SpaceId
  by: AccountId
  created: number
  /** 0 = for ever. */
  until: number
  /** 0 = any number. */
  usesMax: number
  uses: number
  revoked: boolean
}

/** Everything that one executed command writes: one transaction, together with `commits` and the clock. */
export interface CommandBatch {
  space: SpaceId
  id: CommandId
  by: AccountId
  record: CommandRecord
  head: CommunityHead
  /** Whole roster rows that changed. */
  members: MemberRow[]
  invites: InviteRow[]
  /** Channels to make (empty, no segment) and to delete with all that is stored of them. */
  channelsMade: ChannelId[]
  channelsDeleted: ChannelId[]
  /** A change of the structure document in this epoch; `undefined` where nothing that it holds changed. */
  structure: { epoch: number; bytes: Bytes } | undefined
}

export interface CommunityStore {
  head(space: SpaceId): Promise<CommunityHead | undefined>
  /** The space that a channel belongs to, deleted channels excepted. */
  spaceOf(channel: ChannelId): Promise<SpaceId | undefined>
  /** Spaces that the account is a member of now. */
  spacesOf(account: AccountId): Promise<SpaceId[]>
  /** Rows changed after command `after`, people who left included. */
  members(space: SpaceId, after: number): Promise<MemberRow[]>
  member(space: SpaceId, account: AccountId): Promise<MemberRow | undefined>
  records(space: SpaceId, after: number, limit: number): Promise<CommandRecord[]>
  /** Number of an executed command, by id and author. */
  executed(space: SpaceId, id: CommandId): Promise<{ n: number; by: AccountId } | undefined>
  /** Is this a channel anywhere, or was it one in this space? A channel's id lives once. */
  channelUsed(space: SpaceId, channel: ChannelId): Promise<boolean>
  invite(hash: string): Promise<InviteRow | undefined>
  invites(space: SpaceId): Promise<InviteRow[]>
  /** All stored changes of the newest epoch, in order. */
  structure(space: SpaceId): Promise<{ epoch: number; changes: Bytes[] }>
  /** The relay's clock as stored, ms: the greatest `at` ever used. */
  clock(): Promise<number>
  /** Resolves when it is on the disk; throws and writes nothing otherwise. `now` becomes the relay's clock and must lie above it. */
  commit(batch: CommandBatch, now: number): Promise<void>
  /**
   * Takes the name out of every roster that the account ever stood in and ends its memberships at `at`, in one transaction and without a
   * command: the rows count as changed by each space's next one, so that whoever asks from then on is told. Answers them; twice is nothing.
   */
  eraseMember(account: AccountId, at: number): Promise<{ space: SpaceId; row: MemberRow }[]>
  /** Spaces that the account is or was a member of. */
  spacesEver(account: AccountId): Promise<SpaceId[]>
}
