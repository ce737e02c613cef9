// An invite's code: who knows it may join. The chain and the relay hold only its hash; the code itself is in the link, behind '#'.
import { toBase64Url, utf8 } from '../base/bytes.ts'
import { isId } from '../base/ids.ts'
import type { Random } from '../base/ports.ts'
import type { Hasher } from '../crypto/ports.ts'
import { taggedHash } from '../crypto/signed-bytes.ts'

/** 16 random bytes as 22 base64url characters: not to be guessed. */
export function makeInviteCode(random: Random): string {
  return toBase64Url(random.bytes(16))
}

/** A code has the form of an id: 16 bytes, canonical. */
export function isInviteCode(raw: unknown): raw is string {
  return isId(raw)
}

/** H("invite", utf8(code)) as base64url, 43 characters. */
export function inviteHash(hasher: Hasher, code: string): string {
  return toBase64Url(taggedHash(hasher, 'invite', utf8(code)))
}
