// The door of libsodium: its wasm behind our ports. 180 KB that load when first asked for, so whoever paints first must not wait for it.
// The sumo build, since the standard one lacks crypto_pwhash, SHA-256 and HMAC although its types list them.
import type { Bytes } from '../base/bytes.ts'
import type { Hasher, Mac, Sealer, Signer, Stretcher, Verifier } from './ports.ts'

type Library = typeof import('libsodium-wrappers-sumo')

export interface SeedSigner extends Signer {
  /** It has served: its key is overwritten, and what it signs from now on is worthless. */
  wipe(): void
}

export interface Sodium extends Hasher, Mac, Sealer, Stretcher, Verifier {
  /** Ed25519 from a 32-byte seed; the signer keeps its own copy of it. */
  signerFromSeed(seed: Uint8Array): SeedSigner
  /** Overwrites a secret that has served. Copies that the engine's garbage collector made are beyond reach. */
  wipe(...secrets: Uint8Array[]): void
}

/** Loads and starts the wasm; a page without `'wasm-unsafe-eval'` in its policy rejects. */
export function loadSodium(): Promise<Sodium> {
  return import('libsodium-wrappers-sumo').then((loaded) => {
    // reason: the package is CommonJS to some loaders and ESM to others; both carry the same functions
    const library = ('default' in loaded ? loaded.default : loaded) as Library
    return library.ready.then(() => wrap(library))
  })
}

function wrap(library: Library): Sodium {
  return {
    sha256: (bytes) => owned(library.crypto_hash_sha256(bytes)),
    hmacSha256: (key, bytes) => owned(library.crypto_auth_hmacsha256(bytes, key)),
    verify(signature, message, key) {
      if (signature.length !== 64 || key.length !== 32) return false
      return library.crypto_sign_verify_detached(signature, message, key)
    },
    isValidKey: (key) => key.length === 32 && library.crypto_core_ed25519_is_valid_point(key),
    argon2id: (password, salt, passes, memoryKiB) =>
      owned(library.crypto_pwhash(32, password, salt, passes, memoryKiB * 1024, library.crypto_pwhash_ALG_ARGON2ID13)),
    encrypt: (key, nonce, context, plain) =>
      owned(library.crypto_aead_xchacha20poly1305_ietf_encrypt(plain, context, null, nonce, key)),
    decrypt(key, nonce, context, sealed) {
      if (sealed.length < 16) return undefined
      try {
        return owned(library.crypto_aead_xchacha20poly1305_ietf_decrypt(null, sealed, context, nonce, key))
      } catch {
        return undefined // the library says "forged" by throwing; nothing else here can throw once the lengths are right
      }
    },
    signerFromSeed(seed) {
      const pair = library.crypto_sign_seed_keypair(seed)
      return {
        publicKey: owned(pair.publicKey),
        sign: (message) => owned(library.crypto_sign_detached(message, pair.privateKey)),
        wipe: () => library.memzero(pair.privateKey),
      }
    },
    wipe(...secrets) {
      for (const secret of secrets) library.memzero(secret)
    },
  }
}

function owned(bytes: Uint8Array): Bytes {
  // reason: the wrapper copies every result out of the wasm memory into an ArrayBuffer of its own
  return bytes as Bytes
}
