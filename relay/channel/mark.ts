// The mark: how far the relay had come when it last spoke to a device, sealed so that nobody can make one up. A device brings it back;
// one that is ahead of the relay proves that the relay's disk is older than what was promised from it (a snapshot of the whole machine).
import { concatBytes, equalBytes, parseBase64Url, toBase64Url, utf8 } from '#shared/base/bytes.ts'
import type { Mac } from '#shared/crypto/ports.ts'
import { tag } from '#shared/crypto/signed-bytes.ts'
import type { RelayMeta } from '../store/log-store.ts'

type Reached = Pick<RelayMeta, 'incarnation' | 'commits' | 'starts'>

/** `incarnation.start.commits.mac`; neither id holds a dot. */
export function writeMark(mac: Mac, key: Uint8Array, { incarnation, commits, starts }: Reached): string {
  const text = `${incarnation}.${starts.at(-1)?.id ?? ''}.${commits}`
  return `${text}.${toBase64Url(sealOf(mac, key, text))}`
}

/**
 * Was this mark given by this relay in this incarnation, at a commit that it does not have? Each start counts by itself: a relay that was set back
 * and has made as many commits since, or more, is told from the one that it was. (Marks of before starts were noted have three parts.)
 */
export function isAhead(mac: Mac, key: Uint8Array, mark: string, now: Reached): boolean {
  const parts = mark.split('.')
  const seal = parseBase64Url(parts.pop() ?? '')
  const [incarnation, start, commits] = parts.length === 2 ? [parts[0], undefined, parts[1]] : parts
  if (parts.length > 3 || incarnation !== now.incarnation || !(Number(commits) > lastCommitOf(now, start))) return false
  return seal !== undefined && equalBytes(seal, sealOf(mac, key, parts.join('.')))
}

/** How far the relay came in this start, as far as its disk knows. One that it does not know lies before all that it does, or was lost. */
function lastCommitOf({ commits, starts }: Reached, start: string | undefined): number {
  if (start === undefined) return commits
  const place = starts.findIndex(({ id }) => id === start)
  return (place < 0 ? starts[0]?.commits : starts[place + 1]?.commits) ?? commits
}

function sealOf(mac: Mac, key: Uint8Array, text: string): Uint8Array {
  return mac.hmacSha256(key, concatBytes(tag('mark'), utf8(text)))
}
