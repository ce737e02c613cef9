// Who is signed in on this device, and the ways in and out.
import type { CallAnswer, SessionView } from '../engine/api.ts'
import { call, topic } from './client.svelte.ts'

export type { SessionView } from '../engine/api.ts'

const starting: SessionView = { phase: 'starting', account: '', username: '', operator: false }

export function session(): SessionView {
  return topic('session', '').current ?? starting
}

/** Someone is known here, be the relay reachable or not: what this device holds may be shown. */
export function isInside(): boolean {
  const { phase } = session()
  return phase === 'signed-in' || phase === 'expired'
}

export function signUp(username: string, email: string, password: string): Promise<CallAnswer<'signUp'>> {
  return call('signUp', { username, email, password })
}

export function signIn(login: string, password: string): Promise<CallAnswer<'signIn'>> {
  return call('signIn', { login, password })
}

export function signOut(force: boolean): Promise<CallAnswer<'signOut'>> {
  return call('signOut', { force })
}

export function isUsernameFree(username: string): Promise<CallAnswer<'usernameFree'>> {
  return call('usernameFree', { username })
}
