// The present, as far as the log needs it: which day it is, and which of one's own words have waited for more than a moment.
import type { MessageView } from '#app/engine/api.ts'

/** A wait shorter than this is not shown: with a good network nothing ever blinks. */
const patienceMs = 700
/** "22:52" becomes "13 June 22:52" at most this long after midnight. */
const dayMs = 60_000

export interface Ticks {
  readonly now: number
  readonly waitingBefore: number
}

/** Created inside a component; stops with it. */
export function createTicks(messages: () => readonly MessageView[]): Ticks {
  let now = $state(Date.now())
  let waitingBefore = $state(Date.now() - patienceMs)

  $effect(() => {
    const timer = setInterval(() => (now = Date.now()), dayMs)
    return () => clearInterval(timer)
  })
  $effect(() => {
    const pending = messages().filter(({ state }) => state.kind === 'pending')
    const next = pending.find(({ at }) => at >= waitingBefore)
    if (!next) return
    // A clock that was set back must not keep the mark away: never longer than the patience itself.
    const ms = Math.min(patienceMs, Math.max(0, next.at + patienceMs - Date.now())) + 1
    const timer = setTimeout(() => (waitingBefore = Math.max(Date.now() - patienceMs, next.at + 1)), ms)
    return () => clearTimeout(timer)
  })

  return {
    get now() {
      return now
    },
    get waitingBefore() {
      return waitingBefore
    },
  }
}
