// What SPEC §3 says of a frame upwards, written a second time, with its own reader of numbers and its own list of control messages.
import { isBase64Url, textOf } from './oracle-entry.ts'

export type JudgedFrame =
  | { kind: 'malformed' }
  | { kind: 'control'; message: ControlFields }
  | { kind: 'append'; nr: number; channel: string; entries: Uint8Array[] }
  | { kind: 'stock'; stream: number; bytes: Uint8Array }

/** A control message whose fields have the right shapes. */
export interface ControlFields {
  t: string
  [field: string]: unknown
}

type Rule = (value: unknown) => boolean
const count: Rule = (value) => Number.isSafeInteger(value) && Number(value) >= 0
const id: Rule = (value) => isBase64Url(value, 16)
const idOrNone: Rule = (value) => value === '' || id(value)
const text =
  (most: number): Rule =>
  (value) =>
    typeof value === 'string' && value.length <= most

const controls: { readonly [t: string]: { readonly [field: string]: Rule } } = {
  hello: { v: count, token: text(200), incarnation: text(64), mark: text(200) },
  open: { req: count, seg: id, n: count, view: count, tail: (value) => value === '-' || idOrNone(value) },
  close: { seg: id },
  segments: { channel: id, after: idOrNone },
  command: { space: id, text: text(65_536), sig: text(86), secret: text(200) },
  chain: { space: id, after: count },
  keys: { devs: (value) => Array.isArray(value) && value.length <= 256 && value.every(id) },
  read: { incarnation: text(64), channel: id, gen: count, seq: count },
  beat: {},
}

export function judgeFrame(bytes: Uint8Array): JudgedFrame {
  const malformed = { kind: 'malformed' } as const
  if (bytes.length > 1_114_112) return malformed
  switch (bytes[0]) {
    case 0:
      return judgeControl(bytes) ?? malformed
    case 1:
      return judgeAppend(bytes) ?? malformed
    case 3: {
      const read = readUint(bytes, 1, 2 ** 32 - 1)
      return read && read.end < bytes.length ? { kind: 'stock', stream: read.value, bytes: bytes.subarray(read.end) } : malformed
    }
    default:
      return malformed
  }
}

/** LEB128 in its shortest spelling, at most `most`. */
export function readUint(bytes: Uint8Array, from: number, most: number): { value: number; end: number } | undefined {
  let value = 0n
  for (let i = from; i < bytes.length && i < from + 10; i++) {
    const byte = bytes[i] ?? 0
    value |= BigInt(byte & 127) << BigInt(7 * (i - from))
    if (byte >= 128) continue
    if ((byte === 0 && i > from) || value > BigInt(most)) return undefined
    return { value: Number(value), end: i + 1 }
  }
  return undefined
}

function judgeControl(bytes: Uint8Array): JudgedFrame | undefined {
  const said = bytes.length <= 65_536 ? textOf(bytes.subarray(1)) : undefined
  const fields = said === undefined ? undefined : looseObject(said)
  const t = fields?.t
  if (!fields || typeof t !== 'string' || !Object.hasOwn(controls, t)) return undefined
  const rules = controls[t] ?? {}
  return Object.entries(rules).every(([name, rule]) => Object.hasOwn(fields, name) && rule(fields[name]))
    ? { kind: 'control', message: { ...fields, t } }
    : undefined
}

/** Control frames may be spelled as one likes: they are not signed and not kept. */
function looseObject(said: string): { [field: string]: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(said)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined
  } catch {
    return undefined
  }
}

function judgeAppend(bytes: Uint8Array): JudgedFrame | undefined {
  if (bytes.length > 131_072) return undefined
  const nr = readUint(bytes, 1, 2 ** 32 - 1)
  if (!nr || bytes.length < nr.end + 16) return undefined
  const channel = Buffer.from(bytes.subarray(nr.end, nr.end + 16)).toString('base64url')
  const many = readUint(bytes, nr.end + 16, 64)
  if (!many || many.value === 0) return undefined
  const entries: Uint8Array[] = []
  let at = many.end
  for (let i = 0; i < many.value; i++) {
    const length = readUint(bytes, at, 2 ** 32 - 1)
    if (!length || bytes.length < length.end + length.value) return undefined
    at = length.end + length.value
    entries.push(bytes.subarray(length.end, at))
  }
  return at === bytes.length ? { kind: 'append', nr: nr.value, channel, entries } : undefined
}

export type JudgedPrivate = 'malformed' | 'ignored' | { step: 0 | 1 | 2; payload: Uint8Array }

/** The envelope of y-protocols: sync steps are read, awareness, auth and query are skipped whole. */
export function judgePrivate(bytes: Uint8Array): JudgedPrivate {
  const kind = readUint(bytes, 0, Number.MAX_SAFE_INTEGER)
  if (!kind || kind.value > 3) return 'malformed'
  if (kind.value > 0) return 'ignored'
  const step = readUint(bytes, kind.end, 2)
  const length = step && readUint(bytes, step.end, Number.MAX_SAFE_INTEGER)
  if (!step || !length || length.end + length.value !== bytes.length) return 'malformed'
  const payload = bytes.subarray(length.end)
  return { step: step.value === 0 ? 0 : step.value === 1 ? 1 : 2, payload }
}
