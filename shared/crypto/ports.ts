// What the core needs of cryptography, as ports: libsodium's wasm on devices and in tests, sodium-native and node:crypto at the relay.
import type { Bytes } from '../base/bytes.ts'

export interface Hasher {
  /** SHA-256 (FIPS 180-4): 32 bytes. */
  sha256(bytes: Uint8Array): Bytes
}

/** Ed25519 as libsodium checks it (RFC 8032, small-order keys and non-canonical signatures refused). Wrong lengths are `false`. */
export interface Verifier {
  /** @param signature 64 bytes @param key 32 bytes */
  verify(signature: Uint8Array, message: Uint8Array, key: Uint8Array): boolean
  /** Is this a key that may be admitted? `crypto_core_ed25519_is_valid_point`. */
  isValidKey(key: Uint8Array): boolean
}

export interface Signer {
  /** Ed25519 public key, 32 bytes. */
  readonly publicKey: Bytes
  /** 64 bytes. */
  sign(message: Uint8Array): Bytes
}
