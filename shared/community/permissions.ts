// Who may do what. One function, used by the relay to decide and by the app to enable. So far: members write, the owner looks after the place.
import type { AccountId } from '../base/ids.ts'
import type { EntryOp } from '../protocol/records.ts'
import type { ChannelInfo, CommunityState } from './state.ts'

const forMembers: ReadonlySet<EntryOp> = new Set<EntryOp>(['post', 'edit', 'redact', 'react', 'unreact'])
const forOwner: ReadonlySet<EntryOp> = new Set<EntryOp>([...forMembers, 'pin', 'unpin'])
const nothing: ReadonlySet<EntryOp> = new Set<EntryOp>()

export interface ChannelRights {
  view: boolean
  may: ReadonlySet<EntryOp>
  /** May redact what others wrote, and pin. */
  manage: boolean
}

/** @param channel `undefined` = there is no such channel: nobody may anything in it. */
export function channelRights(
  state: CommunityState,
  account: AccountId,
  isMember: boolean,
  channel: ChannelInfo | undefined,
): ChannelRights {
  if (!isMember || !channel) return { view: false, may: nothing, manage: false }
  const manage = state.owner === account
  const writes = channel.kind === 'text'
  return { view: true, may: writes ? (manage ? forOwner : forMembers) : nothing, manage }
}

/** May this member change channels and the community, make invites, remove people? */
export function mayManageCommunity(state: CommunityState, account: AccountId): boolean {
  return state.owner === account
}
