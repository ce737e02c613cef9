// When is a line that says nothing dead? By the clock, which also counts the time that a device slept; and by the beats that stayed unanswered,
// since a clock that is set back would else call any silence short.
import { limits } from '#shared/base/limits.ts'
import type { Clock } from '#shared/base/ports.ts'

export interface Silence {
  /** Something came from the relay, or the line has just opened. */
  heard(): void
  /** Call it before each beat, every `beatIntervalMs`. Dead: give the line up. */
  isDead(): boolean
}

const beatsUnansweredMax = Math.ceil(limits.silenceMs / limits.beatIntervalMs)

export function createSilence(clock: Clock): Silence {
  let heardAt = clock.now()
  let beats = 0
  return {
    heard: () => {
      heardAt = clock.now()
      beats = 0
    },
    isDead: () => {
      beats++
      return clock.now() - heardAt > limits.silenceMs || beats > beatsUnansweredMax
    },
  }
}
