// The relay's cryptography behind the ports of shared/crypto: sodium-native for signatures (53 µs against 108 in wasm), node:crypto for hashes.
import { createHmac, getRandomValues, hash } from 'node:crypto'
import type { Bytes } from '#shared/base/bytes.ts'
import type { Random } from '#shared/base/ports.ts'
import type { Hasher, Mac, Verifier } from '#shared/crypto/ports.ts'
import { loadSodium } from '#shared/crypto/sodium.ts'

export const nodeHasher: Hasher & Mac = {
  sha256: (bytes) => new Uint8Array(hash('sha256', bytes, 'buffer')),
  hmacSha256: (key, bytes) => new Uint8Array(createHmac('sha256', key).update(bytes).digest()),
}

export const nodeRandom: Random = {
  bytes: (length): Bytes => getRandomValues(new Uint8Array(length)),
}

/** libsodium either way, so both say the same of every signature; `native` is false where the addon does not load (musl, FreeBSD). */
export async function loadVerifier(loadNative = loadNativeVerifier): Promise<{ verifier: Verifier; native: boolean }> {
  try {
    return { verifier: await loadNative(), native: true }
  } catch (error) {
    if (!isLoadFailure(error)) throw error
    return { verifier: await loadSodium(), native: false }
  }
}

/** @throws {Error} where no addon is packaged for the platform */
export async function loadNativeVerifier(): Promise<Verifier> {
  const { default: sodium } = await import('sodium-native')
  return {
    verify(signature, message, key) {
      if (signature.length !== 64 || key.length !== 32) return false // the addon throws on a wrong length
      return sodium.crypto_sign_verify_detached(view(signature), view(message), view(key))
    },
    isValidKey: (key) => key.length === 32 && sodium.crypto_core_ed25519_is_valid_point(view(key)),
  }
}

/** The same memory as a Buffer: what the addon's types ask for. */
function view(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** What Node says of an addon that is not there (`ADDON_NOT_FOUND`, `MODULE_NOT_FOUND`) or is made for another system. */
function isLoadFailure(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return (
    code === 'ADDON_NOT_FOUND' || code === 'MODULE_NOT_FOUND' || code === 'ERR_MODULE_NOT_FOUND' || code === 'ERR_DLOPEN_FAILED'
  )
}
