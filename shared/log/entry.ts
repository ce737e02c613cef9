// An entry: what one device signed. Shapes and the text form; SPEC.md has the grammar. Decoders refuse, they never throw.
import type { AccountId, ChannelId, DeviceId, EntryId, SpaceId } from '../base/ids.ts'
import type { EntryOp } from '../protocol/records.ts'

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** What rules need, in clear: m people named, r roles named, e everyone, b blobs, k key id of an encrypted body. */
export interface EntryExt {
  m?: AccountId[]
  r?: string[]
  e?: 1
  b?: string[]
  k?: string
}

/** The eight fields of the signed text, in its order. */
export interface EntryFields {
  id: EntryId
  by: AccountId
  dev: DeviceId
  /** The author's clock, integer milliseconds. */
  at: number
  op: EntryOp
  ref: EntryId | 0
  ext: EntryExt | 0
  body: Json
}

/** An entry as a device sends it: the signature (86 characters) and the text, exactly as signed. */
export interface Entry extends EntryFields {
  sig: string
  text: string
}

/** Where an entry belongs; both ids are part of what is signed. */
export interface EntryPlace {
  space: SpaceId
  channel: ChannelId
}
