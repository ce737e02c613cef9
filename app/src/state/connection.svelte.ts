// Whether this device is in step with the relay, and how much waits on it.
import type { LinkView } from '../engine/api.ts'
import { call, topic } from './client.svelte.ts'

export type { LinkView } from '../engine/api.ts'

const unknown: LinkView = { phase: 'connecting', since: 0, waiting: 0, full: false, unsent: 0, persisted: undefined }

let away = false
let wasAway = false

export function connection(): LinkView {
  return topic('link', '').current ?? unknown
}

export function isOnline(): boolean {
  return connection().phase === 'online'
}

/** Offline, and still so while another try is under way: the line that says it must not blink with every try. */
export function isAway(): boolean {
  const { phase } = connection()
  if (phase === 'offline') away = true
  else if (phase !== 'connecting') away = false
  wasAway ||= away
  return away
}

/** In step again after a time without: said once to those who cannot see the line go. */
export function isBack(): boolean {
  return !isAway() && wasAway && isOnline()
}

/** Why an act that needs the relay is off now; '' where it is on. */
export function whyOff(): string {
  return isOnline() ? '' : 'needs the network'
}

export function connectNow(): Promise<unknown> {
  return call('connectNow', {})
}
