// An entry as text and bytes: written by its author's device, judged by the relay, read by every device. Stored as signed, signed as stored.
//
//   entry   = sig text                     what a device sends, at most 16 KB of strict UTF-8
//   element = seq "." at "." sig text      how it stands in the document; numbers in base36
import { assert } from '../base/assert.ts'
import { type Bytes, parseUtf8, utf8 } from '../base/bytes.ts'
import type { EntryId } from '../base/ids.ts'
import { limits } from '../base/limits.ts'
import { type Result, refuse } from '../base/result.ts'
import type { RefusalCode } from '../protocol/refusals.ts'
import type { Entry, EntryFields } from './entry.ts'
import { fieldList, judgeFields, type ReadFields, readFields } from './entry-grammar.ts'

/** An entry with the relay's order and time, as a device reads it out of a document. */
export interface Element extends ReadFields {
  seq: number
  /** The relay's clock at acceptance, ms. */
  arrived: number
  sig: string
  /** Exactly what was signed. */
  text: string
}

export type ParsedEntry =
  | { ok: true; value: Entry }
  /** `id` 0: not even that could be read. */
  | { ok: false; code: Extract<RefusalCode, 'size' | 'shape' | 'op' | 'ext'>; id: EntryId | 0 }

/** An entry as it came, read once: whoever looks at it later need not read it again. */
export interface ReceivedEntry {
  bytes: Uint8Array
  parsed: ParsedEntry
  /** What the check of its signature said, where it was made ahead of the decision. */
  signed: boolean | undefined
}

const signatureLength = 86
// 64 bytes: the last of 86 characters has four bits to spare, which must be zero.
const signature = /^[A-Za-z0-9_-]{85}[AQgw]$/
const elementPrefix = /^([1-9a-z][0-9a-z]{0,10})\.(0|[1-9a-z][0-9a-z]{0,10})\./

/** The text to sign. A lone surrogate, which has no UTF-8, becomes U+FFFD; what is written here can always be read again. */
export function writeEntryText(fields: EntryFields): string {
  const text = textOfFields(fields)
  assert(judgeFields(text).ok, 'an entry is written only as it may be read')
  return text
}

/** Does this version write such an entry? What a newer one wrote it can show, but not sign anew. */
export function isWritable(fields: EntryFields): boolean {
  return judgeFields(textOfFields(fields)).ok
}

function textOfFields(fields: EntryFields): string {
  return JSON.stringify(fieldList(fields), (_, value) => (typeof value === 'string' ? value.toWellFormed() : value))
}

/** The bytes to send. @param sig 86 characters */
export function encodeEntry(sig: string, text: string): Bytes {
  return utf8(sig + text)
}

/** The relay's strict reading; the signature's own truth is checked elsewhere. Never throws. */
export function parseEntry(bytes: Uint8Array): ParsedEntry {
  if (bytes.length > limits.entryBytesMax) return { ok: false, code: 'size', id: 0 }
  const whole = parseUtf8(bytes)
  const sig = whole?.slice(0, signatureLength)
  if (whole === undefined || sig === undefined || !signature.test(sig)) return { ok: false, code: 'shape', id: 0 }
  const text = whole.slice(signatureLength)
  const fields = judgeFields(text)
  return fields.ok ? { ok: true, value: { ...fields.value, sig, text } } : fields
}

export function receiveEntry(bytes: Uint8Array): ReceivedEntry {
  return { bytes, parsed: parseEntry(bytes), signed: undefined }
}

/** The text as it was signed, in UTF-8: a view of what came. @param bytes of an entry that could be parsed */
export function signedText(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(signatureLength)
}

/** What the relay puts before an entry. @param seq from 1 @param at the relay's clock, ms */
export function writeElementPrefix(seq: number, at: number): string {
  assert(Number.isSafeInteger(seq) && seq >= 1, 'seq counts from 1')
  assert(Number.isSafeInteger(at) && at >= 0, 'the relay has a clock of whole milliseconds')
  return `${seq.toString(36)}.${at.toString(36)}.`
}

/** A device's reading: what it does not know yet is kept, what cannot be read is refused. Never throws. */
export function readElement(element: string): Result<Element, 'shape'> {
  const prefix = elementPrefix.exec(element)
  if (!prefix) return refuse('shape')
  const [whole, rawSeq = '', rawAt = ''] = prefix
  const seq = Number.parseInt(rawSeq, 36)
  const arrived = Number.parseInt(rawAt, 36)
  const sig = element.slice(whole.length, whole.length + signatureLength)
  const text = element.slice(whole.length + signatureLength)
  if (!Number.isSafeInteger(seq) || !Number.isSafeInteger(arrived) || !signature.test(sig)) return refuse('shape')
  const fields = text.length > limits.entryBytesMax ? undefined : readFields(text)
  return fields?.ok ? { ok: true, value: { ...fields.value, seq, arrived, sig, text } } : refuse('shape')
}

/** The entry in an element, exactly as its author signed and sent it; '' where it is no element. */
export function entryOfElement(element: string): string {
  const prefix = elementPrefix.exec(element)
  return prefix ? element.slice(prefix[0].length) : ''
}
