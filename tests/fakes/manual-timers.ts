// Time that moves only when it is told to: a clock and the timers that hang on it.
import type { Timers } from '#app/platform/timers.ts'
import type { Clock } from '#shared/base/ports.ts'

export interface ManualTime extends Clock, Timers {
  /** Runs what is due, in order, each at its own time; waits for promises in between. */
  pass(ms: number): Promise<void>
}

export function createManualTime(start = 1_800_000_000_000): ManualTime {
  let now = start
  let nr = 0
  const due = new Map<number, { at: number; run: () => void; every: number }>()
  const add = (ms: number, run: () => void, every: number) => {
    const id = nr++
    due.set(id, { at: now + Math.max(0, ms), run, every })
    return () => void due.delete(id)
  }
  return {
    now: () => now,
    after: (ms, run) => add(ms, run, 0),
    every: (ms, run) => add(ms, run, ms),
    pass: async (ms) => {
      const until = now + ms
      for (;;) {
        for (let i = 0; i < 20; i++) await Promise.resolve()
        const next = [...due].filter(([, one]) => one.at <= until).sort(([a, x], [b, y]) => x.at - y.at || a - b)[0]
        if (!next) break
        const [id, one] = next
        now = Math.max(now, one.at)
        if (one.every > 0) due.set(id, { ...one, at: one.at + one.every })
        else due.delete(id)
        one.run()
      }
      now = until
      for (let i = 0; i < 20; i++) await Promise.resolve()
    },
  }
}
