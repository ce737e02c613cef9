// What SPEC §4 and §6 say of an entry, written a second time: nothing here calls the codec, the grammar or the decision of the product.
// `judgeEntry` looks at the bytes alone; a channel model knows what was accepted before.
import { type Plain, readCanonical } from './oracle-json.ts'

export type ShapeCode = 'size' | 'shape' | 'op' | 'ext'

export interface JudgedEntry {
  id: string
  by: string
  dev: string
  at: number
  op: string
  ref: string | 0
  ext: Map<string, Plain> | 0
  sig: Uint8Array
  text: string
}

export type Judgement = { code: ShapeCode } | { code: 'ok'; entry: JudgedEntry }

const ops = ['post', 'edit', 'redact', 'react', 'unreact', 'pin', 'unpin']
const entryBytesMax = 16_384
const depthMax = 32

/** Canonical base64url of exactly so many bytes. */
export function isBase64Url(raw: unknown, bytes: number): raw is string {
  if (typeof raw !== 'string' || raw.length !== Math.ceil((bytes * 4) / 3)) return false
  const decoded = Buffer.from(raw, 'base64url')
  return decoded.length === bytes && decoded.toString('base64url') === raw
}

/** Strict UTF-8: what Node reads and writes back unchanged. */
export function textOf(bytes: Uint8Array): string | undefined {
  const text = Buffer.from(bytes).toString('utf8')
  return Buffer.from(text, 'utf8').equals(bytes) ? text : undefined
}

export function judgeEntry(bytes: Uint8Array): Judgement {
  if (bytes.length > entryBytesMax) return { code: 'size' }
  const whole = textOf(bytes)
  const sig = whole?.slice(0, 86)
  if (whole === undefined || !isBase64Url(sig, 64)) return { code: 'shape' }
  const text = whole.slice(86)
  const fields = readCanonical(text, { depthMax, loneSurrogates: false })
  if (!Array.isArray(fields) || fields.length !== 8) return { code: 'shape' }
  const [id, by, dev, at, op, ref, ext, body] = fields
  if (!isBase64Url(id, 16) || !isBase64Url(by, 16) || !isBase64Url(dev, 16)) return { code: 'shape' }
  if (typeof at !== 'number' || !Number.isSafeInteger(at) || at < 0 || typeof op !== 'string') return { code: 'shape' }
  if (ref !== 0 && !isBase64Url(ref, 16)) return { code: 'shape' }
  if (ext !== 0 && !(ext instanceof Map && isExt(ext))) return { code: 'shape' }
  if (!ops.includes(op)) return { code: 'op' }
  if (ext !== 0) for (const key of ext.keys()) if (!['m', 'r', 'e', 'b', 'k'].includes(key)) return { code: 'ext' }
  if (ref === 0 ? op !== 'post' : ref === id) return { code: 'shape' }
  if (['redact', 'pin', 'unpin'].includes(op) && body !== 0) return { code: 'shape' }
  if (op === 'react' || op === 'unreact') {
    if (typeof body !== 'string' || body === '') return { code: 'shape' }
    if (body.length > 64 && !(ext !== 0 && ext.has('k'))) return { code: 'shape' }
  }
  return { code: 'ok', entry: { id, by, dev, at, op, ref, ext, sig: Buffer.from(sig, 'base64url'), text } }
}

function isExt(ext: Map<string, Plain>): boolean {
  const rules: { [key: string]: (fact: Plain) => boolean } = {
    m: (fact) => isSet(fact, 16),
    r: (fact) => isSet(fact, 16),
    b: (fact) => isSet(fact, 32),
    e: (fact) => fact === 1,
    k: (fact) => isBase64Url(fact, 16),
  }
  return ext.size > 0 && [...ext].every(([key, fact]) => !Object.hasOwn(rules, key) || rules[key]?.(fact) === true)
}

function isSet(fact: Plain, bytes: number): boolean {
  return (
    Array.isArray(fact) &&
    fact.length > 0 &&
    fact.every((one) => isBase64Url(one, bytes)) &&
    String([...new Set(fact)].sort()) === String(fact)
  )
}

/** Who sends, as the relay must see him. */
export interface OracleAuthor {
  by: string
  dev: string
  /** A member of the channel's community. */
  member: boolean
  /** Its owner. */
  manage: boolean
}

export interface Accepted {
  by: string
  op: string
  ref: string | 0
  seq: number
  gone: boolean
  at: number
  bytes: Uint8Array
}

export type Expected =
  | { kind: 'accepted'; id: string; seq: number }
  | { kind: 'known'; id: string; seq: number; gone: boolean }
  | { kind: 'refused'; code: string }

export interface ChannelModel {
  readonly accepted: ReadonlyMap<string, Accepted>
  readonly seq: number
  /** seq of the newest standing post, 0 without one. */
  last(): number
  /** What the relay must say; it changes nothing. */
  expect(author: OracleAuthor, judged: Judgement, isSigned: (entry: JudgedEntry) => boolean, now: number): Expected
  /** The relay accepted it. */
  take(author: OracleAuthor, entry: JudgedEntry, bytes: Uint8Array, at: number): void
}

const clockAheadMs = 120_000

/** @param kind voice channels take nothing */
export function createChannelModel(kind: 'text' | 'voice'): ChannelModel {
  const accepted = new Map<string, Accepted>()
  const reserved = new Map<string, { redactors: Set<string>; manage: boolean }>()
  let seq = 0

  const binds = (id: string, author: string): boolean => {
    const reservation = reserved.get(id)
    return reservation !== undefined && (reservation.manage || reservation.redactors.has(author))
  }

  const targetCode = (entry: JudgedEntry, author: OracleAuthor): string | undefined => {
    if (entry.op === 'post' || entry.ref === 0) return undefined
    const target = accepted.get(entry.ref)
    if (target) {
      if (target.op !== 'post' || (target.gone && entry.op !== 'redact')) return 'target'
      if (target.by === entry.by) return undefined
      if (entry.op === 'edit') return 'forbidden'
      return ['redact', 'pin', 'unpin'].includes(entry.op) && !author.manage ? 'forbidden' : undefined
    }
    if (entry.op === 'redact') return undefined
    const reservation = reserved.get(entry.ref)
    const never = reservation && (reservation.manage || (entry.op === 'edit' && reservation.redactors.has(entry.by)))
    return never ? 'target' : 'notarget'
  }

  return {
    accepted,
    get seq() {
      return seq
    },
    last: () => Math.max(0, ...[...accepted.values()].map((one) => (one.op === 'post' && !one.gone ? one.seq : 0))),
    expect(author, judged, isSigned, now) {
      if (judged.code !== 'ok') return { kind: 'refused', code: judged.code }
      const { entry } = judged
      if (entry.by !== author.by || entry.dev !== author.dev) return { kind: 'refused', code: 'session' }
      const before = accepted.get(entry.id)
      if (before)
        return before.by === entry.by
          ? { kind: 'known', id: entry.id, seq: before.seq, gone: before.gone }
          : { kind: 'refused', code: 'duplicate' }
      if (binds(entry.id, entry.by)) return { kind: 'known', id: entry.id, seq: 0, gone: true }
      if (entry.at > now + clockAheadMs) return { kind: 'refused', code: 'clock' }
      if (!isSigned(entry)) return { kind: 'refused', code: 'signature' }
      if (entry.ext !== 0 && [...entry.ext.keys()].some((key) => key !== 'm')) return { kind: 'refused', code: 'ext' }
      if (!author.member) return { kind: 'refused', code: 'notmember' }
      const isPin = entry.op === 'pin' || entry.op === 'unpin'
      if (kind === 'voice' || (isPin && !author.manage)) return { kind: 'refused', code: 'forbidden' }
      const code = targetCode(entry, author)
      return code ? { kind: 'refused', code } : { kind: 'accepted', id: entry.id, seq: seq + 1 }
    },
    take(author, entry, bytes, at) {
      const { id, by, op, ref } = entry
      reserved.delete(id)
      accepted.set(id, { by, op, ref, seq: ++seq, gone: false, at, bytes })
      if (op !== 'redact' || ref === 0) return
      const target = accepted.get(ref)
      if (target) {
        target.gone = true
        for (const other of accepted.values()) if (other.op === 'edit' && other.ref === ref) other.gone = true
        return
      }
      const before = reserved.get(ref) ?? { redactors: new Set<string>(), manage: false }
      before.redactors.add(by)
      before.manage ||= author.manage
      reserved.set(ref, before)
    },
  }
}
