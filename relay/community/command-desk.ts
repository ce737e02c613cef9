// The desk where commands arrive: reads, checks, executes, numbers and stores one command at a time. The caller hands them over one after the other
// (the hub's turns) and sends the frames. What it answers as done is on the disk.
import type { AccountId, ChannelId, CommandId, DeviceId, SpaceId } from '#shared/base/ids.ts'
import { extendChain } from '#shared/community/chain.ts'
import type { Command } from '#shared/community/command.ts'
import { parseCommand, type SignedCommand } from '#shared/community/command-codec.ts'
import { execute } from '#shared/community/execute.ts'
import { inviteHash, isInviteCode } from '#shared/community/invite-code.ts'
import type { CommunityHead, CommunityState } from '#shared/community/state.ts'
import type { Hasher, Verifier } from '#shared/crypto/ports.ts'
import { commandSignedBytes } from '#shared/crypto/signed-bytes.ts'
import type { CommandRecord, MemberRow } from '#shared/protocol/records.ts'
import type { RefusalCode } from '#shared/protocol/refusals.ts'
import type { CommandBatch, CommunityStore, InviteRow } from '../store/community-store.ts'
import { type AuthorityFacts, isMember, isOpen, refusalOf } from './authority.ts'
import type { StructureAuthor } from './structure-author.ts'

/** Who sends: of the session, never of the command. */
export interface CommandAuthor {
  account: AccountId
  dev: DeviceId
  /** Ed25519, 32 bytes. */
  key: Uint8Array
  username: string
}

export interface CommandDone {
  kind: 'done'
  id: CommandId
  n: number
  /** Its `at` lies above all that was accepted before; the relay's clock goes on above it. */
  record: CommandRecord
  /** Roster rows as they stand after it, changed ones only. */
  members: MemberRow[]
  head: CommunityHead
  channelsMade: ChannelId[]
  channelsDeleted: ChannelId[]
  joined: AccountId[]
  left: AccountId[]
}

export type Outcome =
  | CommandDone
  /** Executed before, or nothing to do any more: `n` is the command that did it. Nothing was stored. */
  | { kind: 'known'; id: CommandId; n: number }
  /** `id` 0: it could not be read at all, no honest device sends that. `present`: with `stale`, the value that stands. */
  | { kind: 'refused'; id: CommandId | 0; code: RefusalCode; present: string | undefined }

export interface CommandDesk {
  /** @param now the relay's clock, ms. @throws what the store throws; then nothing was executed */
  handle(
    author: CommandAuthor,
    frame: { space: SpaceId; text: string; sig: string; secret: string },
    now: number,
  ): Promise<Outcome>
}

export interface DeskPorts {
  store: CommunityStore
  structure: StructureAuthor
  hasher: Hasher
  verifier: Verifier
}

export function createCommandDesk(ports: DeskPorts): CommandDesk {
  const { store, structure, hasher, verifier } = ports

  return {
    async handle(author, { space, text, sig, secret }, now) {
      const parsed = parseCommand(text, sig)
      if (!parsed.ok) return refused(parsed.id, parsed.code)
      const { command, signature } = parsed.value
      if (command.by !== author.account || command.dev !== author.dev) return refused(command.id, 'session')
      const before = await store.executed(space, command.id)
      // Another person's id tells nothing but that it is taken.
      if (before)
        return before.by === command.by ? { kind: 'known', id: command.id, n: before.n } : refused(command.id, 'duplicate')
      if (!verifier.verify(signature, commandSignedBytes(space, text), author.key)) return refused(command.id, 'signature')

      const head = await store.head(space)
      const at = Math.max(now, (await store.clock()) + 1)
      const facts = await gather(store, hasher, space, command, head?.state, secret, at)
      if (command.act === 'member.join' && isMember(facts.member)) return { kind: 'known', id: command.id, n: facts.member.n }
      const code = refusalOf(command, facts)
      if (code) return refused(command.id, code)
      const executed = execute(head?.state, command)
      if (!executed.ok) return refused(command.id, executed.code, executed.present)

      const done = outcomeOf(space, head, parsed.value, executed.value, facts, author.username, hasher)
      const batch: CommandBatch = {
        space,
        id: command.id,
        by: command.by,
        record: done.record,
        head: done.head,
        members: done.members,
        invites: invitesOf(space, command, facts),
        channelsMade: done.channelsMade,
        channelsDeleted: done.channelsDeleted,
        structure: executed.value === head?.state ? undefined : await structure.write(space, executed.value, done.record),
      }
      try {
        await store.commit(batch, at)
      } catch (error) {
        // The document in memory is ahead of the disk now.
        structure.forget(space)
        throw error
      }
      return done
    },
  }
}

async function gather(
  store: CommunityStore,
  hasher: Hasher,
  space: SpaceId,
  command: Command,
  state: CommunityState | undefined,
  secret: string,
  now: number,
): Promise<AuthorityFacts> {
  const { act, args } = command
  const makes = act === 'channel.create' || act === 'community.create'
  return {
    state,
    now,
    member: await store.member(space, command.by),
    target: act === 'member.remove' ? await store.member(space, args.account) : undefined,
    invite: 'hash' in args ? ofSpace(await store.invite(args.hash), act === 'invite.create' ? undefined : space) : undefined,
    invitesOpen: act === 'invite.create' ? (await store.invites(space)).filter((invite) => isOpen(invite, now)).length : 0,
    secretHash: act === 'member.join' && isInviteCode(secret) ? inviteHash(hasher, secret) : '',
    channelUsed: makes && (await store.channelUsed(space, args.channel)),
  }
}

/** Another community's invite is none here; only a new one must differ from all. */
function ofSpace(invite: InviteRow | undefined, space: SpaceId | undefined): InviteRow | undefined {
  return space === undefined || invite?.space === space ? invite : undefined
}

function outcomeOf(
  space: SpaceId,
  before: CommunityHead | undefined,
  signed: SignedCommand,
  state: CommunityState,
  { member, target, now }: AuthorityFacts,
  username: string,
  hasher: Hasher,
): CommandDone {
  const { command } = signed
  const { record, head } = extendChain(hasher, space, before, signed, state, now)
  const done: CommandDone = {
    kind: 'done',
    id: command.id,
    n: record.n,
    record,
    members: [],
    head,
    channelsMade: [],
    channelsDeleted: [],
    joined: [],
    left: [],
  }
  const goes = (row: MemberRow | undefined) => (row ? { members: [{ ...row, left: now, n: record.n }], left: [row.account] } : {})
  switch (command.act) {
    case 'community.create':
    case 'member.join': {
      const row: MemberRow = { account: command.by, username, joined: now, left: 0, n: record.n }
      const channelsMade = command.act === 'community.create' ? [command.args.channel] : []
      return { ...done, members: [row], joined: [command.by], channelsMade }
    }
    case 'member.leave':
      return { ...done, ...goes(member) }
    case 'member.remove':
      return { ...done, ...goes(target) }
    case 'channel.create':
      return { ...done, channelsMade: [command.args.channel] }
    case 'channel.delete':
      return { ...done, channelsDeleted: [command.args.channel] }
    default:
      return done
  }
}

function invitesOf(space: SpaceId, { act, args, by }: Command, { invite, now }: AuthorityFacts): InviteRow[] {
  switch (act) {
    case 'invite.create':
      return [{ hash: args.hash, space, by, created: now, until: args.until, usesMax: args.uses, uses: 0, revoked: false }]
    case 'invite.revoke':
      return invite ? [{ ...invite, revoked: true }] : []
    case 'member.join':
      return invite ? [{ ...invite, uses: invite.uses + 1 }] : []
    default:
      return []
  }
}

function refused(id: CommandId | 0, code: RefusalCode, present?: string): Outcome {
  return { kind: 'refused', id, code, present }
}
