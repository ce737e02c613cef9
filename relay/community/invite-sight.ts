// What an invite shows to whoever holds its code, before he joins. One answer for all that is not open: nothing.
import type { AccountId } from '#shared/base/ids.ts'
import type { Clock } from '#shared/base/ports.ts'
import { inviteHash, isInviteCode } from '#shared/community/invite-code.ts'
import type { Hasher } from '#shared/crypto/ports.ts'
import type { HttpAnswersSent } from '#shared/protocol/http-answers.ts'
import type { AccountStore } from '../store/account-store.ts'
import type { CommunityStore } from '../store/community-store.ts'
import { isOpen } from './authority.ts'

export function createInviteSight(ports: {
  community: CommunityStore
  accounts: Pick<AccountStore, 'usernames'>
  hasher: Hasher
  clock: Clock
}): (code: string, viewer: AccountId | undefined) => Promise<HttpAnswersSent['invite'] | undefined> {
  const { community, accounts, hasher, clock } = ports
  return async (code, viewer) => {
    const invite = isInviteCode(code) ? await community.invite(inviteHash(hasher, code)) : undefined
    const head = invite && isOpen(invite, clock.now()) ? await community.head(invite.space) : undefined
    if (!invite || !head) return undefined
    const members = (await community.members(invite.space, 0)).filter((row) => row.left === 0)
    return {
      space: invite.space,
      name: head.state.name,
      members: members.length,
      from: (await accounts.usernames([invite.by])).get(invite.by) ?? '',
      joined: members.some((row) => row.account === viewer),
    }
  }
}
