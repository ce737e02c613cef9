// Keys that work everywhere. Those of the timeline and the composer are theirs.

import { communities, communityOf } from '#app/state/communities.svelte.ts'
import { openOverlay, overlay } from '#app/state/overlay.svelte.ts'
import { goto } from '$app/navigation'
import { page } from '$app/state'
import { openMenu } from '../kit/menu.svelte.ts'
import { closeOver, overPane } from './panes.ts'

/** The landmarks that F6 walks, in the order of the page. */
const landmarks = '[data-landmark], main [role="log"], main form'
const canHoldFocus = 'a[href], button:not(:disabled), input, textarea, [contenteditable="true"], [tabindex]'

export function onGlobalKey(event: KeyboardEvent): void {
  if (event.defaultPrevented || overlay() || openMenu()) return
  const { key, altKey, shiftKey } = event
  const command = event.ctrlKey || event.metaKey
  if (command && !altKey && !shiftKey && key.toLowerCase() === 'k') openOverlay({ kind: 'switcher' })
  else if (key === 'F6' && !command && !altKey) walkLandmarks(shiftKey ? -1 : 1)
  else if (altKey && !command && (key === 'ArrowUp' || key === 'ArrowDown')) walkChannels(key === 'ArrowUp' ? -1 : 1, shiftKey)
  else if (key === '?' && !command && !altKey && !isWriting(event.target)) openOverlay({ kind: 'shortcuts' })
  else if (key === 'Escape' && overPane()) closeOver()
  else return
  event.preventDefault()
}

function walkLandmarks(by: 1 | -1): void {
  const shown = [...document.querySelectorAll<HTMLElement>(landmarks)].filter((element) => element.offsetParent !== null)
  if (shown.length === 0) return
  const at = shown.findIndex((element) => element.contains(document.activeElement))
  const next = shown[(at + by + shown.length) % shown.length] ?? shown[0]
  if (next) focusInside(next)
}

function focusInside(landmark: HTMLElement): void {
  const candidates = [landmark, ...landmark.querySelectorAll<HTMLElement>(canHoldFocus)]
  candidates.find((element) => element.matches(canHoldFocus) && element.tabIndex >= 0 && element.offsetParent !== null)?.focus()
}

/** The channel before or after this one; with `onlyUnread` the next with news, through all communities. */
function walkChannels(by: 1 | -1, onlyUnread: boolean): void {
  const { space = '', channel = '' } = page.params
  const here = communityOf(space)
  const all = onlyUnread ? (communities() ?? []) : here ? [here] : []
  const places = all.flatMap(({ id, channels }) => channels.map((each) => ({ space: id, channel: each.id, unread: each.unread })))
  const at = places.findIndex((place) => place.channel === channel)
  for (let step = 1; step <= places.length; step++) {
    const place = places[((((at < 0 && by < 0 ? 0 : at) + by * step) % places.length) + places.length) % places.length]
    if (!place || (onlyUnread && place.unread === 0)) continue
    void goto(`/c/${place.space}/${place.channel}`, { reset: false })
    return
  }
}

function isWriting(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches('input, textarea, select, [contenteditable="true"]')
}
