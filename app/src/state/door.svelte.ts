// Where the door leads: in from a page that needed it, and out to where one was going.
import { inviteCodeOf } from './invite-link.ts'

const knownHere = 'dupecord.known'

/** An address of ours inside, or home: a link from elsewhere must not use the door to lead away. */
const inside = /^\/c\/[A-Za-z0-9_-]{22}(\/[A-Za-z0-9_-]{22})?$/

export function isKnownHere(): boolean {
  return localStorage.getItem(knownHere) !== null
}

/** Who has never signed in at this browser most likely needs an account. */
export function beforeDoor(from: Pick<URL, 'pathname'>): string {
  const page = isKnownHere() ? '/sign-in' : '/sign-up'
  return inside.test(from.pathname) ? `${page}?to=${encodeURIComponent(from.pathname)}` : page
}

export function rememberKnownHere(): void {
  localStorage.setItem(knownHere, 'yes')
}

export function afterDoor(at: Pick<URL, 'hash' | 'search'>): string {
  const code = inviteCodeOf(at.hash)
  if (code) return `/invite#${code}`
  const to = new URLSearchParams(at.search).get('to') ?? ''
  return inside.test(to) ? to : '/'
}
