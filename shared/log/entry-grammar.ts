// What the eight fields of an entry's text may be. Two readings of one grammar: a device takes what it does not know yet and skips it,
// the relay refuses what it cannot judge. Never throws, whatever the text.
import { isId, parseAccountId, parseDeviceId, parseEntryId } from '../base/ids.ts'
import { limits } from '../base/limits.ts'
import type { EntryOp } from '../protocol/records.ts'
import type { RefusalCode } from '../protocol/refusals.ts'
import type { EntryExt, EntryFields, Json } from './entry.ts'

/** Fields as a device takes them: an `op` that this version does not know is kept. */
export interface ReadFields extends Omit<EntryFields, 'op'> {
  op: string
}

export type FieldsCode = Extract<RefusalCode, 'shape' | 'op' | 'ext'>
type Fields<Value> = { ok: true; value: Value } | { ok: false; code: FieldsCode; id: EntryFields['id'] | 0 }

const ops: ReadonlySet<string> = new Set<EntryOp>(['post', 'edit', 'redact', 'react', 'unreact', 'pin', 'unpin'])
const knownExt: ReadonlySet<string> = new Set<keyof EntryExt>(['m', 'r', 'e', 'b', 'k'])
// SHA-256 as base64url: 43 characters, of which the last has two bits to spare.
const blobHash = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/

const escapedSurrogate = /^u[dD][89a-fA-F]/
const [quote, backslash, openList, closeList, openObject, closeObject] = [0x22, 0x5c, 0x5b, 0x5d, 0x7b, 0x7d]

/** The device's reading: right shapes, unknown op and unknown ext keys kept. */
export function readFields(text: string): Fields<ReadFields> {
  const fields = isTame(text) ? parseJson(text) : undefined
  if (!Array.isArray(fields) || fields.length !== 8) return { ok: false, code: 'shape', id: 0 }
  const [rawId, rawBy, rawDev, at, op, rawRef, ext, body] = fields
  const id = parseEntryId(rawId)
  if (!id) return { ok: false, code: 'shape', id: 0 }
  const by = parseAccountId(rawBy)
  const dev = parseDeviceId(rawDev)
  const ref = rawRef === 0 ? 0 : parseEntryId(rawRef)
  const rightShapes =
    typeof at === 'number' && Number.isSafeInteger(at) && at >= 0 && typeof op === 'string' && isExt(ext) && body !== undefined
  if (!by || !dev || ref === undefined || !rightShapes) return { ok: false, code: 'shape', id }
  return { ok: true, value: { id, by, dev, at, op, ref, ext, body } }
}

/** The relay's reading: canonical text, everything known, and what each op needs. */
export function judgeFields(text: string): Fields<EntryFields> {
  const read = readFields(text)
  if (!read.ok) return read
  const { op, ...rest } = read.value
  const no = (code: FieldsCode) => ({ ok: false, code, id: rest.id }) as const
  if (JSON.stringify(fieldList(read.value)) !== text) return no('shape')
  if (!isOp(op)) return no('op')
  const fields = { ...rest, op }
  if (fields.ext !== 0 && !Object.keys(fields.ext).every((key) => knownExt.has(key))) return no('ext')
  return hasRightRef(fields) && hasRightBody(fields) ? { ok: true, value: fields } : no('shape')
}

/** In the order of the text. */
export function fieldList(fields: ReadFields): readonly unknown[] {
  return [fields.id, fields.by, fields.dev, fields.at, fields.op, fields.ref, fields.ext, fields.body]
}

/** An op that this version knows. */
export function isOp(op: string): op is EntryOp {
  return ops.has(op)
}

/** A post may answer another; all else is about another entry, never about itself: a redact of itself would take its own id. */
function hasRightRef({ id, op, ref }: EntryFields): boolean {
  return ref === 0 ? op === 'post' : ref !== id
}

/** Only posts and edits carry words: what stays when a post is redacted must hold no room for them. */
function hasRightBody({ op, ext, body }: EntryFields): boolean {
  if (op === 'post' || op === 'edit') return true
  if (op !== 'react' && op !== 'unreact') return body === 0
  const isSealed = ext !== 0 && ext.k !== undefined
  return typeof body === 'string' && body.length > 0 && (isSealed || body.length <= limits.reactionCharactersMax)
}

/** 0, or an object that says something; each fact has one spelling, so an empty list is none. */
function isExt(raw: Json | undefined): raw is 0 | (EntryExt & { [key: string]: Json }) {
  if (raw === 0) return true
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw) || Object.keys(raw).length === 0) return false
  // Own keys only: `{}.__proto__` is not a fact, and a key of that name is one that we do not know.
  const fact = (key: keyof EntryExt) => (Object.hasOwn(raw, key) ? raw[key] : undefined)
  const isNone = (key: keyof EntryExt) => fact(key) === undefined
  return (
    (isNone('m') || isList(fact('m'), isId)) &&
    (isNone('r') || isList(fact('r'), isId)) &&
    (isNone('e') || fact('e') === 1) &&
    (isNone('b') || isList(fact('b'), (one) => typeof one === 'string' && blobHash.test(one))) &&
    (isNone('k') || isId(fact('k')))
  )
}

function isList(raw: unknown, isRight: (one: unknown) => boolean): boolean {
  // By UTF-16 unit, as JavaScript sorts: then there are no doubles either.
  return Array.isArray(raw) && raw.length > 0 && raw.every((one, i) => isRight(one) && (i === 0 || raw[i - 1] < one))
}

function parseJson(text: string): Json | undefined {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/**
 * Before JSON.parse: not nested too deep, and no escaped surrogate. In canonical JSON only a lone surrogate is written as an escape,
 * and a string that holds one has no UTF-8.
 */
function isTame(text: string): boolean {
  let depth = 0
  let quoted = false
  for (let i = 0; i < text.length; i++) {
    const character = text.charCodeAt(i)
    if (character === quote) quoted = !quoted
    else if (quoted) {
      if (character !== backslash) continue
      if (escapedSurrogate.test(text.slice(i + 1, i + 4))) return false
      i++
    } else if (character === openList || character === openObject) {
      if (++depth > limits.entryDepthMax) return false
    } else if (character === closeList || character === closeObject) depth--
  }
  return true
}
