// May this person give this command now? Decided at arrival, from facts that were gathered before. Pure; what the command does is execute.ts' matter.
import type { AccountId } from '#shared/base/ids.ts'
import { limits } from '#shared/base/limits.ts'
import type { Command } from '#shared/community/command.ts'
import { mayManageCommunity } from '#shared/community/permissions.ts'
import type { CommunityState } from '#shared/community/state.ts'
import type { MemberRow } from '#shared/protocol/records.ts'
import type { RefusalCode } from '#shared/protocol/refusals.ts'
import type { InviteRow } from '../store/community-store.ts'

export interface AuthorityFacts {
  /** `undefined`: there is no such community yet. */
  state: CommunityState | undefined
  /** The author's roster row, former members' too. */
  member: MemberRow | undefined
  /** Of a removal: the row of who is to go. */
  target: MemberRow | undefined
  /** The invite that the command names, of any community. */
  invite: InviteRow | undefined
  /** Invites of this community that can still be used. */
  invitesOpen: number
  /** H("invite", the secret beside the command); '' without one. */
  secretHash: string
  /** The channel that is to be made is one, or was one in this community. */
  channelUsed: boolean
  /** The relay's clock. */
  now: number
}

/** @returns why not, or `undefined`: he may */
export function refusalOf(command: Command, facts: AuthorityFacts): RefusalCode | undefined {
  const { state } = facts
  if (command.act === 'community.create') return !state && facts.channelUsed ? 'duplicate' : undefined
  if (command.act === 'member.join') return state && opens(facts.invite, command.args.hash, facts) ? undefined : 'invite'
  // Whether a community exists is nobody's business who is not in it: both give the same answer.
  if (!state || !isMember(facts.member)) return 'notmember'
  if (command.act === 'member.leave') return isOwner(state, command.by) ? 'owner' : undefined
  if (!mayManageCommunity(state, command.by)) return 'forbidden'
  switch (command.act) {
    case 'member.remove':
      if (isOwner(state, command.args.account)) return 'owner'
      return isMember(facts.target) ? undefined : 'nomember'
    case 'invite.create':
      if (facts.invite) return 'duplicate'
      return facts.invitesOpen < limits.invitesPerCommunityMax ? undefined : 'full'
    case 'invite.revoke':
      return facts.invite && !facts.invite.revoked ? undefined : 'invite'
    case 'channel.create':
      // An id lives once: what waits on a device for a deleted channel must not land in a new one.
      return facts.channelUsed ? 'duplicate' : undefined
    default:
      return undefined
  }
}

/** Can this invite still be used by somebody? */
export function isOpen(invite: InviteRow, now: number): boolean {
  return !invite.revoked && (invite.until === 0 || invite.until > now) && (invite.usesMax === 0 || invite.uses < invite.usesMax)
}

export function isMember(row: MemberRow | undefined): row is MemberRow {
  return row !== undefined && row.left === 0
}

function opens(invite: InviteRow | undefined, hash: string, { secretHash, now }: AuthorityFacts): boolean {
  return invite !== undefined && secretHash === hash && isOpen(invite, now)
}

function isOwner(state: CommunityState, account: AccountId): boolean {
  return state.owner === account
}
