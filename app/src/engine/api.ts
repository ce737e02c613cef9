// What a view may ask of the engine and hear from it: plain data that passes through structured clone. The only engine file that `tabs` and `state` see.
// A call answers with a value or a refusal code; a topic answers with its whole value at once (from this device) and again whenever it changes.
import type { AccountId, ChannelId, CommandId, EntryId, SpaceId } from '#shared/base/ids.ts'
import type { ChannelKind } from '#shared/community/state.ts'
import type { RefusalCode } from '#shared/protocol/refusals.ts'

// ---- topics -------------------------------------------------------------------------------------

export interface SessionView {
  /** `starting` until the engine has read its storage. `expired`: the relay does not know the token; data stays, sign in again. */
  phase: 'starting' | 'signed-out' | 'signed-in' | 'expired'
  account: AccountId | ''
  username: string
  /** The relay's operator: the first account. */
  operator: boolean
}

export interface LinkView {
  phase: 'connecting' | 'online' | 'offline' | 'replaced' | 'outdated'
  /** Since when, on this device's clock; 0 while online. */
  since: number
  /** Messages and commands that wait on this device. */
  waiting: number
  /** The relay has no room left: it serves, and what waits goes when it takes something again. */
  full: boolean
  /** Refused, kept under "Not sent". */
  unsent: number
  /** Storage that the browser may not evict was granted; undefined = not asked yet. */
  persisted: boolean | undefined
}

export interface ChannelView {
  id: ChannelId
  name: string
  kind: ChannelKind
  topic: string
  position: string
  /** Messages behind the read marker, at most 100; own ones do not count. */
  unread: number
  /** A queued change of this channel waits for the network. */
  pending: boolean
}

export interface CommunityView {
  id: SpaceId
  name: string
  owner: AccountId
  mine: boolean
  memberCount: number
  /** In the order of (position, id). */
  channels: ChannelView[]
  unread: boolean
  pending: boolean
}

export interface MemberView {
  account: AccountId
  username: string
  owner: boolean
  you: boolean
  joined: number
}

export type MessageState =
  /** Saved here, not at the relay yet; `signed`: the relay may have it. */
  { kind: 'pending'; signed: boolean } | { kind: 'accepted' } | { kind: 'refused'; code: RefusalCode }

export interface MessageView {
  id: EntryId
  by: AccountId
  username: string
  you: boolean
  /** The author's clock. */
  at: number
  /** The relay's clock at acceptance; 0 while pending. */
  arrived: number
  /** 0 while pending. */
  seq: number
  text: string
  /** at of the edit shown, 0 = never edited; an edit that waits counts. */
  edited: number
  /** The body is of a kind this version cannot draw. */
  newer: boolean
  /** false: the signature does not hold; its words are not shown as the author's. undefined: not checked yet. */
  verified: boolean | undefined
  reactions: { emoji: string; count: number; you: boolean }[]
  pinned: boolean
  state: MessageState
}

/** The newest `limit` messages of a channel in order (by seq, then own pending ones), as this device holds them. */
export interface TimelineView {
  channel: ChannelId
  /** false until this device has looked into its own storage. */
  ready: boolean
  messages: MessageView[]
  /** Older messages are held here or can be fetched: ask with a greater limit. */
  hasOlder: boolean
  /** This device holds all of the channel as far as it knows; false: being fetched or out of reach. */
  complete: boolean
  /** seq of the read marker at the time the channel was opened by `openChannel`: the line where new messages begin stands behind it. */
  readSeq: number
}

export interface UnsentView {
  id: EntryId
  space: SpaceId
  channel: ChannelId
  /** Names as last known here. */
  communityName: string
  channelName: string
  text: string
  at: number
  code: RefusalCode
}

/** The outcome of commands that were queued offline and that the relay did not take. */
export interface OutcomeView {
  id: CommandId
  space: SpaceId
  text: string
  code: RefusalCode
  /** The value that stands now, where the code is `stale`. */
  present: string
}

export interface Topics {
  session: { key: ''; value: SessionView }
  link: { key: ''; value: LinkView }
  communities: { key: ''; value: CommunityView[] }
  members: { key: SpaceId; value: MemberView[] }
  /** key: `${channel} ${limit}` */
  timeline: { key: string; value: TimelineView }
  draft: { key: ChannelId; value: { text: string } }
  unsent: { key: ''; value: UnsentView[] }
  outcomes: { key: ''; value: OutcomeView[] }
}
export type TopicName = keyof Topics

// ---- calls --------------------------------------------------------------------------------------

export interface InvitePreview {
  space: SpaceId
  name: string
  members: number
  /** Username of who made it. */
  from: string
  /** One is a member already. */
  joined: boolean
}

export interface Calls {
  signUp: { args: { username: string; email: string; password: string }; value: null }
  signIn: { args: { login: string; password: string }; value: null }
  /** `unsent` tells how many messages would be lost; only `force` does it all the same. */
  signOut: { args: { force: boolean }; value: { done: boolean; unsent: number } }
  usernameFree: { args: { username: string }; value: { free: boolean } }

  createCommunity: { args: { name: string }; value: { space: SpaceId; channel: ChannelId } }
  renameCommunity: { args: { space: SpaceId; name: string }; value: null }
  createChannel: { args: { space: SpaceId; name: string; kind: ChannelKind }; value: { channel: ChannelId } }
  renameChannel: { args: { space: SpaceId; channel: ChannelId; name: string }; value: null }
  setTopic: { args: { space: SpaceId; channel: ChannelId; topic: string }; value: null }
  /** `before`: the channel that will follow it, '' = to the end. */
  moveChannel: { args: { space: SpaceId; channel: ChannelId; before: ChannelId | '' }; value: null }
  deleteChannel: { args: { space: SpaceId; channel: ChannelId }; value: null }
  /** `days` 0 = for ever; `uses` 0 = any number. The link is path only: `/invite#CODE`. */
  createInvite: { args: { space: SpaceId; days: number; uses: number }; value: { code: string } }
  previewInvite: { args: { code: string }; value: InvitePreview }
  join: { args: { code: string }; value: { space: SpaceId } }
  leave: { args: { space: SpaceId }; value: null }
  removeMember: { args: { space: SpaceId; account: AccountId }; value: null }
  dismissOutcome: { args: { id: CommandId }; value: null }

  /** Resolves when the words are safely in this device's storage. */
  send: { args: { space: SpaceId; channel: ChannelId; text: string }; value: { id: EntryId } }
  /** Pending and unsigned: changed in place. Signed or accepted: an edit is queued. */
  edit: { args: { channel: ChannelId; id: EntryId; text: string }; value: null }
  /** Pending and unsigned: dropped. Signed or accepted: a redact is queued. */
  remove: { args: { channel: ChannelId; id: EntryId }; value: null }
  /** Sends a refused message again, under the same id; with `text` changed first. */
  retryUnsent: { args: { id: EntryId; text: string }; value: null }
  dropUnsent: { args: { id: EntryId }; value: null }
  setDraft: { args: { channel: ChannelId; text: string }; value: null }
  /** Tells the engine what is looked at (fetched first); fixes `readSeq` of its timeline. */
  openChannel: { args: { space: SpaceId; channel: ChannelId }; value: null }
  markRead: { args: { channel: ChannelId; seq: number }; value: null }
  /** Try to connect at once. */
  connectNow: { args: Record<string, never>; value: null }
}
export type CallName = keyof Calls

export type CallAnswer<Name extends CallName> =
  | { ok: true; value: Calls[Name]['value'] }
  | { ok: false; code: RefusalCode; present?: string }

/** What `tabs` gives to `state`: the one engine, wherever it runs. */
export interface EngineClient {
  call<Name extends CallName>(name: Name, args: Calls[Name]['args']): Promise<CallAnswer<Name>>
  /** Calls back at once with the last value known to this tab, if any, then with every newer one. Returns unsubscribe. */
  subscribe<Name extends TopicName>(
    name: Name,
    key: Topics[Name]['key'],
    listen: (value: Topics[Name]['value']) => void,
  ): () => void
}
