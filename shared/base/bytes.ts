// Byte work that both sides share: UTF-8, base64url, joining and comparing. Pure; no Buffer, no btoa.

export type Bytes = Uint8Array<ArrayBuffer>

const encoder = new TextEncoder()
const strictDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const characterValue = new Int8Array(128).fill(-1)
for (let i = 0; i < alphabet.length; i++) characterValue[alphabet.charCodeAt(i)] = i

export function utf8(text: string): Bytes {
  return encoder.encode(text)
}

/** Strict: bytes that are not UTF-8 give `undefined`. A byte order mark is kept as a character. */
export function parseUtf8(bytes: Uint8Array): string | undefined {
  try {
    return strictDecoder.decode(bytes)
  } catch {
    return undefined
  }
}

export function concatBytes(...parts: Uint8Array[]): Bytes {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.length
  }
  return joined
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}

/** Big-endian, 8 bytes; `value` is a safe integer. */
export function u64be(value: number): Bytes {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value))
  return bytes
}

/** base64url without padding (RFC 4648 §5). */
export function toBase64Url(bytes: Uint8Array): string {
  let text = ''
  for (let i = 0; i < bytes.length; i += 3) {
    const word = ((bytes[i] ?? 0) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0)
    text += alphabet.charAt(word >> 18) + alphabet.charAt((word >> 12) & 63)
    if (i + 1 < bytes.length) text += alphabet.charAt((word >> 6) & 63)
    if (i + 2 < bytes.length) text += alphabet.charAt(word & 63)
  }
  return text
}

/** Canonical base64url only: no padding, no foreign characters, no stray bits in the last character. Else `undefined`. */
export function parseBase64Url(text: string): Bytes | undefined {
  const rest = text.length % 4
  if (rest === 1) return undefined
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4))
  let word = 0
  let bits = 0
  let at = 0
  for (let i = 0; i < text.length; i++) {
    const value = characterValue[text.charCodeAt(i)] ?? -1
    if (value < 0) return undefined
    word = ((word << 6) | value) & 0xffffff
    bits += 6
    if (bits >= 8) {
      bits -= 8
      bytes[at++] = (word >> bits) & 0xff
    }
  }
  return (word & ((1 << bits) - 1)) === 0 ? bytes : undefined
}
