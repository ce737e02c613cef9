// Which panes are open. Where all fit, members are a lasting choice; where they do not, a pane lies over the middle for a moment,
// and stands in history, so that "back" closes it as everything else on a phone.

import { setShowsMembers, showsMembers, wide } from '#app/state/places.svelte.ts'
import { goto } from '$app/navigation'
import { page } from '$app/state'

export function overPane(): 'list' | 'members' | undefined {
  return wide.current ? undefined : page.state.over
}

export function isMembersOpen(): boolean {
  return wide.current ? showsMembers() : overPane() === 'members'
}

export function toggleMembers(): void {
  if (wide.current) setShowsMembers(!showsMembers())
  else toggleOver('members')
}

export function toggleOver(pane: 'list' | 'members'): void {
  if (overPane() === pane) closeOver()
  else void goto('', { shallow: true, state: { over: pane } })
}

export function closeOver(): void {
  if (page.state.over) history.back()
}
