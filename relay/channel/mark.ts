// The mark: how far the relay had come when it last spoke to a device, sealed so that nobody can make one up. A device brings it back;
// one that is ahead of the relay proves that the relay's disk is older than what was promised from it (a snapshot of the whole machine).
import { concatBytes, equalBytes, parseBase64Url, toBase64Url, utf8 } from '#shared/base/bytes.ts'
import type { Mac } from '#shared/crypto/ports.ts'
import { tag } from '#shared/crypto/signed-bytes.ts'

interface Reached {
  incarnation: string
  commits: number
}

/** `incarnation.commits.mac`; the incarnation holds no dot. */
export function writeMark(mac: Mac, key: Uint8Array, { incarnation, commits }: Reached): string {
  return `${incarnation}.${commits}.${toBase64Url(sealOf(mac, key, `${incarnation}.${commits}`))}`
}

/** Was this mark given by this relay in this incarnation, at a commit that it does not have? */
export function isAhead(mac: Mac, key: Uint8Array, mark: string, now: Reached): boolean {
  const [incarnation, commits, seal = '', ...rest] = mark.split('.')
  if (rest.length > 0 || incarnation !== now.incarnation || Number(commits) <= now.commits) return false
  const given = parseBase64Url(seal)
  return given !== undefined && equalBytes(given, sealOf(mac, key, `${incarnation}.${commits}`))
}

function sealOf(mac: Mac, key: Uint8Array, text: string): Uint8Array {
  return mac.hmacSha256(key, concatBytes(tag('mark'), utf8(text)))
}
