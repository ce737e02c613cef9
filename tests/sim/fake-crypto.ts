// Signatures that cost a hash: SHA-512 over the public key and the message. Anyone could forge one; nobody in the simulation does by chance.
// Hashes are real SHA-256, so ids, chains and statements are what they are outside.
import { hash } from 'node:crypto'
import { type Bytes, concatBytes, equalBytes, toBase64Url } from '#shared/base/bytes.ts'
import type { AccountId, DeviceId } from '#shared/base/ids.ts'
import type { Hasher, Signer, Verifier } from '#shared/crypto/ports.ts'
import { accountIdOf, deviceIdOf, popSignedBytes, statementSignedBytes, writeDevAdd } from '#shared/crypto/statements.ts'
import type { DeviceKey } from '#shared/protocol/frames.ts'

export const hasher: Hasher = { sha256: (bytes) => new Uint8Array(hash('sha256', bytes, 'buffer')) }

function fakeSignature(key: Uint8Array, message: Uint8Array): Bytes {
  return new Uint8Array(hash('sha512', concatBytes(key, message), 'buffer'))
}

export const verifier: Verifier = {
  verify: (signature, message, key) => signature.length === 64 && equalBytes(signature, fakeSignature(key, message)),
  isValidKey: (key) => key.length === 32,
}

/** @param seed any bytes; the same give the same key */
export function createFakeSigner(seed: Uint8Array): Signer {
  const publicKey = hasher.sha256(seed)
  return { publicKey, sign: (message) => fakeSignature(publicKey, message) }
}

export interface Identity {
  account: AccountId
  username: string
  signer: Signer
}

export function createIdentity(username: string, seed: Uint8Array): Identity {
  const signer = createFakeSigner(seed)
  return { account: accountIdOf(hasher, signer.publicKey), username, signer }
}

export interface CertifiedDevice {
  dev: DeviceId
  signer: Signer
  key: DeviceKey
}

export function certifyDevice(identity: Identity, seed: Uint8Array, at: number): CertifiedDevice {
  const signer = createFakeSigner(seed)
  const dev = deviceIdOf(hasher, signer.publicKey)
  const { account, signer: owner } = identity
  const pop = signer.sign(popSignedBytes(owner.publicKey))
  const certificate = writeDevAdd({ account, identity: owner.publicKey, key: signer.publicKey, at, pop })
  const key: DeviceKey = {
    dev,
    account,
    identity: toBase64Url(owner.publicKey),
    key: toBase64Url(signer.publicKey),
    certificate,
    sig: toBase64Url(owner.sign(statementSignedBytes(certificate))),
    from: at,
    until: 0,
  }
  return { dev, signer, key }
}
