// Identities. Every id in the product is 16 bytes, written as 22 canonical base64url characters; each kind has its own brand.
import { assert } from './assert.ts'
import { type Bytes, parseBase64Url, toBase64Url } from './bytes.ts'

declare const kind: unique symbol
export type Id<Kind extends string = string> = string & { readonly [kind]: Kind }

export type AccountId = Id<'account'>
export type DeviceId = Id<'device'>
export type SpaceId = Id<'space'>
export type ChannelId = Id<'channel'>
export type SegmentId = Id<'segment'>
export type EntryId = Id<'entry'>
export type CommandId = Id<'command'>

// 22 characters carry 132 bits: the last one has four bits to spare, which must be zero.
const canonical = /^[A-Za-z0-9_-]{21}[AQgw]$/

export function isId(raw: unknown): raw is Id {
  return typeof raw === 'string' && canonical.test(raw)
}

function parseAs<Kind extends string>(raw: unknown): Id<Kind> | undefined {
  // reason: the one place where text becomes a branded id, right after its shape was checked
  return isId(raw) ? (raw as Id<Kind>) : undefined
}

export const parseAccountId = (raw: unknown) => parseAs<'account'>(raw)
export const parseDeviceId = (raw: unknown) => parseAs<'device'>(raw)
export const parseSpaceId = (raw: unknown) => parseAs<'space'>(raw)
export const parseChannelId = (raw: unknown) => parseAs<'channel'>(raw)
export const parseSegmentId = (raw: unknown) => parseAs<'segment'>(raw)
export const parseEntryId = (raw: unknown) => parseAs<'entry'>(raw)
export const parseCommandId = (raw: unknown) => parseAs<'command'>(raw)

/** 16 bytes; the id was checked when it was parsed or made. */
export function idBytes(id: Id): Bytes {
  const bytes = parseBase64Url(id)
  assert(bytes?.length === 16, 'an id is 16 bytes')
  return bytes
}

/** @param bytes exactly 16 */
export function idFromBytes<Kind extends string>(bytes: Uint8Array): Id<Kind> {
  assert(bytes.length === 16, 'an id is 16 bytes')
  const id = parseAs<Kind>(toBase64Url(bytes))
  assert(id !== undefined, '16 bytes give a canonical id')
  return id
}

/** A UUIDv7 (RFC 9562): 48 bits of milliseconds, then random bits. Sorts by time as bytes, not as base64url text. */
export function makeTimeId<Kind extends string>(nowMs: number, random: Uint8Array): Id<Kind> {
  assert(random.length === 16, 'a time id takes 16 random bytes')
  const bytes = new Uint8Array(random)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, Math.floor(nowMs / 0x10000))
  view.setUint16(4, nowMs % 0x10000)
  view.setUint8(6, 0x70 | (view.getUint8(6) & 0x0f))
  view.setUint8(8, 0x80 | (view.getUint8(8) & 0x3f))
  return idFromBytes<Kind>(bytes)
}
