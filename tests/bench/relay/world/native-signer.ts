// Signing with the native libsodium: a hundred thousand entries are signed before a run begins.
import sodium from 'sodium-native'
import type { Signer } from '#shared/crypto/ports.ts'

/** @param seed 32 bytes */
export function nativeSigner(seed: Uint8Array): Signer {
  const publicKey = Buffer.alloc(sodium.crypto_sign_PUBLICKEYBYTES)
  const secretKey = Buffer.alloc(sodium.crypto_sign_SECRETKEYBYTES)
  sodium.crypto_sign_seed_keypair(publicKey, secretKey, Buffer.from(seed))
  return {
    publicKey: new Uint8Array(publicKey),
    sign(message) {
      const signature = Buffer.alloc(sodium.crypto_sign_BYTES)
      sodium.crypto_sign_detached(signature, Buffer.from(message.buffer, message.byteOffset, message.byteLength), secretKey)
      return new Uint8Array(signature)
    },
  }
}
