// The vault: an account's identity seed, sealed under a key that only the password gives. The relay keeps it and cannot open it.
// Seal = nonce(24) || XChaCha20-Poly1305, with the tag as additional data. Not here: when it is opened, and wiping what came out.
import { type Bytes, concatBytes, parseBase64Url, parseUtf8, toBase64Url, utf8 } from '../base/bytes.ts'
import type { Random } from '../base/ports.ts'
import { deriveKey } from './key-derivation.ts'
import type { Mac, Sealer } from './ports.ts'
import { tag } from './signed-bytes.ts'

const nonceBytes = 24

/** Seal(KDF(kek, "vault"), JSON {v: 1, seed}). @param seed 32 bytes */
export function sealVault(crypto: Mac & Sealer, random: Random, kek: Uint8Array, seed: Uint8Array): Bytes {
  const nonce = random.bytes(nonceBytes)
  const plain = utf8(JSON.stringify({ v: 1, seed: toBase64Url(seed) }))
  const sealed = crypto.encrypt(deriveKey(crypto, kek, 'vault'), nonce, tag('vault'), plain)
  plain.fill(0)
  return concatBytes(nonce, sealed)
}

/** The seed, 32 bytes; `undefined` for another key, changed bytes, or a content that is no vault: one answer for all. */
export function openVault(crypto: Mac & Sealer, kek: Uint8Array, vault: Uint8Array): Bytes | undefined {
  const nonce = vault.subarray(0, nonceBytes)
  if (nonce.length !== nonceBytes) return undefined
  const plain = crypto.decrypt(deriveKey(crypto, kek, 'vault'), nonce, tag('vault'), vault.subarray(nonceBytes))
  if (!plain) return undefined
  const seed = readSeed(plain)
  plain.fill(0)
  return seed
}

function readSeed(plain: Uint8Array): Bytes | undefined {
  const match = /^\{"v":1,"seed":"([A-Za-z0-9_-]{43})"/.exec(parseUtf8(plain) ?? '')
  return match?.[1] === undefined ? undefined : parseBase64Url(match[1])
}
