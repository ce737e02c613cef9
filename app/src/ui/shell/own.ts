// Oneself: how far this device is in step, in words, and the menu behind one's own name.
import Keyboard from '@lucide/svelte/icons/keyboard'
import LogOut from '@lucide/svelte/icons/log-out'
import { connection, type LinkView } from '#app/state/connection.svelte.ts'
import { openOverlay } from '#app/state/overlay.svelte.ts'
import { session, signOut } from '#app/state/session.svelte.ts'
import { setTheme, type Theme, theme } from '#app/state/theme.svelte.ts'
import type { MenuEntry } from '../kit/menu.svelte.ts'

export function stepWords({ phase, waiting, full }: LinkView): string {
  const queue = waiting > 0 ? `, ${waiting} waiting` : ''
  if (phase === 'online' && full) return `Relay full${queue}`
  if (phase === 'online') return waiting > 0 ? `Sending ${waiting}` : 'In step'
  if (phase === 'connecting') return `Connecting${queue}`
  if (phase === 'replaced') return `Open elsewhere${queue}`
  if (phase === 'outdated') return `Needs a reload${queue}`
  return `Offline${queue}`
}

export function ownMenu(): MenuEntry[] {
  const choice = (value: Theme, label: string): MenuEntry => ({ label, checked: theme() === value, run: () => setTheme(value) })
  const { persisted } = connection()
  return [
    { heading: session().username },
    ...(persisted === false ? [{ heading: 'This browser may clear what is kept here when its disk is full.' }] : []),
    'part',
    { heading: 'Light or dark' },
    choice('system', 'As the system'),
    choice('light', 'Light'),
    choice('dark', 'Dark'),
    'part',
    { label: 'Keys', icon: Keyboard, end: '?', run: () => openOverlay({ kind: 'shortcuts' }) },
    { label: 'Sign out', icon: LogOut, run: () => void leaveAccount() },
  ]
}

/** Asks only where something would be lost by it. */
async function leaveAccount(): Promise<void> {
  const answer = await signOut(false)
  if (answer.ok && !answer.value.done) openOverlay({ kind: 'sign-out', unsent: answer.value.unsent })
}
