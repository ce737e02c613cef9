// Small things this browser remembers about where one was: the last channel of each community, and whether members are shown.
import { MediaQuery } from 'svelte/reactivity'
import { parseChannelId } from '#shared/base/ids.ts'
import type { CommunityView } from '../engine/api.ts'

const lastPlace = 'dupecord.last'
const membersPlace = 'dupecord.members'
/** Communities remembered; beyond it the one that was left longest ago is forgotten. */
const lastMax = 200

let membersShown = $state(true)
/** Last channel by community, longest ago first. */
let last = $state.raw<Record<string, unknown>>({})

/** All panes fit: the members stand beside the middle. Below, they open over it. */
export const wide = new MediaQuery('min-width: 1180px', true)
/** One pane at a time. */
export const phone = new MediaQuery('max-width: 719px', false)

export function startPlaces(): void {
  last = readLast()
  membersShown = localStorage.getItem(membersPlace) !== 'hidden'
}

export function showsMembers(): boolean {
  return membersShown
}

export function setShowsMembers(shown: boolean): void {
  membersShown = shown
  localStorage.setItem(membersPlace, shown ? 'shown' : 'hidden')
}

/** The channel to open when a community is chosen: where one was, else its first; '' if it has none. */
export function channelToOpen(community: CommunityView): string {
  const left = parseChannelId(last[community.id])
  const standing = community.channels.some(({ id }) => id === left)
  return (standing ? left : community.channels[0]?.id) ?? ''
}

/** Where a community leads: on a phone to its list, else straight into a channel. */
export function communityHref(community: CommunityView): string {
  const channel = phone.current ? '' : channelToOpen(community)
  return channel ? `/c/${community.id}/${channel}` : `/c/${community.id}`
}

export function rememberChannel(space: string, channel: string): void {
  // Read anew: another tab may have written meanwhile.
  const { [space]: _, ...others } = readLast()
  const kept = Object.entries(others).slice(-lastMax + 1)
  const next = { ...Object.fromEntries(kept), [space]: channel }
  localStorage.setItem(lastPlace, JSON.stringify(next))
  last = next // only written here: an effect that calls this must not come to depend on it
}

/** Forgotten with the account: the next person at this browser must not see where the last one was. */
export function forgetPlaces(): void {
  last = {}
  localStorage.removeItem(lastPlace)
}

function readLast(): Record<string, unknown> {
  try {
    const raw: unknown = JSON.parse(localStorage.getItem(lastPlace) ?? '{}')
    return typeof raw === 'object' && raw !== null && !Array.isArray(raw) ? { ...raw } : {}
  } catch {
    return {} // someone else wrote there; it is only a convenience
  }
}
