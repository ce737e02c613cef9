// Where one was reading in each channel, until the tab is closed. Who was at the end finds the end again, so that is not kept.

import type { ShownWindow } from '#app/state/timeline.svelte.ts'
import type { ChannelId } from '#shared/base/ids.ts'

export interface ReadingPlace {
  /** The row at the top of the screen, and how far its upper edge lies above that of the log, in pixels. */
  key: string
  above: number
}
export interface KeptPlace {
  at: ReadingPlace
  shown: ShownWindow
}

/** The channel that was left longest ago is forgotten beyond it. */
const placesMax = 100
const places = new Map<ChannelId, KeptPlace>()

export function placeOf(channel: ChannelId): KeptPlace | undefined {
  return places.get(channel)
}

export function keepPlace(channel: ChannelId, place: KeptPlace): void {
  places.delete(channel)
  places.set(channel, place)
  const [oldest] = places.keys()
  if (places.size > placesMax && oldest) places.delete(oldest)
}

export function forgetPlace(channel: ChannelId): void {
  places.delete(channel)
}
