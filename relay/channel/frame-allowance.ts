// How much one link may send: a bucket of frames and of bytes that each frame meets before any of it is read. Honest devices never empty it;
// who does is closed, since even an answer that says "wait" would have to be paid for.
import type { HubSettings } from '../hub-ports.ts'

/** The part of a link that is counted here. */
export interface Allowed {
  framesLeft: number
  bytesLeft: number
  refilledAt: number
}

/** @param now ms @returns false: more than it may send */
export function takeAllowance(link: Allowed, bytes: number, now: number, settings: HubSettings): boolean {
  const seconds = Math.max(0, now - link.refilledAt) / 1_000
  link.refilledAt = now
  link.framesLeft = Math.min(settings.linkFrameBurst, link.framesLeft + seconds * settings.linkFramesPerSecond) - 1
  link.bytesLeft = Math.min(settings.linkByteBurst, link.bytesLeft + seconds * settings.linkBytesPerSecond) - bytes
  return link.framesLeft >= 0 && link.bytesLeft >= 0
}
