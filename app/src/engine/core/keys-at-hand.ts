// Keys and hashes may fail to be there: libsodium is a download, and some browsers sign through it too.
// That is the world's doing and no reason to think that the disk is behind: what needs them waits.
import type { Bytes } from '#shared/base/bytes.ts'
import type { Hasher, Verifier } from '#shared/crypto/ports.ts'
import type { World } from './state.ts'

/** After this, signing is tried again. */
export const signAgainMs = 10_000

/** @returns `undefined` while libsodium cannot be loaded */
export function cryptoAtHand(world: World): Promise<(Hasher & Verifier) | undefined> {
  return world.ports.crypto().catch(() => undefined)
}

/** @returns `undefined` where this device cannot sign now */
export function signatureOf(world: World, message: Bytes): Promise<Bytes | undefined> {
  return world.ports.signer.sign(message).catch(() => undefined)
}
