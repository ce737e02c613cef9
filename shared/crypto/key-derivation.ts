// Keys from keys, and the two keys that come from a password: what proves it to the relay, and what opens the vault.
// Both come from one slow hash, so whoever holds the one cannot get at the other without the password.
import { type Bytes, concatBytes, utf8 } from '../base/bytes.ts'
import type { Mac, Stretcher } from './ports.ts'
import { tag } from './signed-bytes.ts'

export interface StretchSettings {
  passes: number
  memoryKiB: number
}

/** t=3, m=64 MiB: 0.3 s of CPU, about 0.9 s in Chromium. A device refuses less, so that a relay cannot ask for a password that is cheap to guess. */
export const stretchLeast: StretchSettings = { passes: 3, memoryKiB: 65_536 }
/** What a device is ready to spend: above it a relay could hold the worker for minutes. */
export const stretchMost: StretchSettings = { passes: 10, memoryKiB: 1_048_576 }

export interface PasswordKeys {
  /** Goes to the relay, which keeps a slow hash of it. */
  authKey: Bytes
  /** Never leaves the device. */
  kek: Bytes
}

/** KDF(key, label, context) = HMAC-SHA-256(key, tag(label) || context || 0x01), 32 bytes. */
export function deriveKey(mac: Mac, key: Uint8Array, label: string, context: Uint8Array = new Uint8Array(0)): Bytes {
  return mac.hmacSha256(key, concatBytes(tag(label), context, Uint8Array.of(1)))
}

/** Is what a relay asks for neither less than `least`, nor more than a device will spend? */
export function isAcceptableStretch(asked: StretchSettings, least: StretchSettings = stretchLeast): boolean {
  const within = (value: number, low: number, high: number) => Number.isSafeInteger(value) && value >= low && value <= high
  return within(asked.passes, least.passes, stretchMost.passes) && within(asked.memoryKiB, least.memoryKiB, stretchMost.memoryKiB)
}

/** mk = Argon2id(NFKC(password), salt). Nothing is cut off. */
export function masterKey(stretcher: Stretcher, password: string, salt: Uint8Array, settings: StretchSettings): Bytes {
  return stretcher.argon2id(utf8(password.normalize('NFKC')), salt, settings.passes, settings.memoryKiB)
}

export function passwordKeys(mac: Mac, mk: Uint8Array): PasswordKeys {
  return { authKey: deriveKey(mac, mk, 'auth-key'), kek: deriveKey(mac, mk, 'kek') }
}
