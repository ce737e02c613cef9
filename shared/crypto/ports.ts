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

/** One question to a verifier. */
export interface SignatureClaim {
  /** Ed25519 public key, 32 bytes. */
  key: Uint8Array
  /** 64 bytes. */
  signature: Uint8Array
  message: Uint8Array
}

export interface Signer {
  /** Ed25519 public key, 32 bytes. */
  readonly publicKey: Bytes
  /** 64 bytes. */
  sign(message: Uint8Array): Bytes
}

export interface Mac {
  /** HMAC-SHA-256 (RFC 2104): 32 bytes. @param key 32 bytes */
  hmacSha256(key: Uint8Array, bytes: Uint8Array): Bytes
}

/** XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03), as libsodium has it. */
export interface Sealer {
  /** @param key 32 bytes @param nonce 24 bytes, never used twice under one key @param context authenticated, not encrypted */
  encrypt(key: Uint8Array, nonce: Uint8Array, context: Uint8Array, plain: Uint8Array): Bytes
  /** `undefined` for whatever is not exactly what was sealed; never a part of it. */
  decrypt(key: Uint8Array, nonce: Uint8Array, context: Uint8Array, sealed: Uint8Array): Bytes | undefined
}

/** The slow hash that stands between a password and everything made from it. */
export interface Stretcher {
  /** Argon2id v1.3, one lane, 32 bytes. @param salt 16 bytes */
  argon2id(password: Uint8Array, salt: Uint8Array, passes: number, memoryKiB: number): Bytes
}
