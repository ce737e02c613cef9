// Shapes that travel in frames and that other parts of the core build upon; kept here so that imports only ever point leftwards.
import type { AccountId, EntryId } from '../base/ids.ts'
import type { RefusalCode } from './refusals.ts'

export type EntryOp = 'post' | 'edit' | 'redact' | 'react' | 'unreact' | 'pin' | 'unpin'

/** 0 open for posts · 1 sealed: only ops on its posts, while there is room · 2 closed for ever (the relay was restored). */
export type Sealed = 0 | 1 | 2

/** The relay's answer to one entry. `severe`: no honest device sends this; the third on one link closes it. */
export type Verdict =
  | { kind: 'accepted'; id: EntryId; seq: number; at: number }
  | { kind: 'known'; id: EntryId; seq: number; gone: boolean }
  | { kind: 'refused'; id: EntryId | 0; code: RefusalCode; severe: boolean }

/** One link of a community's chain as members receive it. `state` is H("state", …) after it, base64url. */
export interface CommandRecord {
  n: number
  /** The relay's time. */
  at: number
  text: string
  sig: string
  state: string
}

/** One row of the roster, kept outside the state: people come and go more often than channels do. */
export interface MemberRow {
  account: AccountId
  username: string
  /** Relay's time of the command that let him in (again). */
  joined: number
  /** 0 while a member; else the relay's time at which he left or was removed. */
  left: number
  /** Number of the command that changed this row last. */
  n: number
}
