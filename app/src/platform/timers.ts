// Waiting, as a port: tests own the clock.
export interface Timers {
  /** @returns cancels it */
  after(ms: number, run: () => void): () => void
  every(ms: number, run: () => void): () => void
}

export const browserTimers: Timers = {
  after: (ms, run) => {
    const timer = setTimeout(run, Math.max(0, ms))
    return () => clearTimeout(timer)
  },
  every: (ms, run) => {
    const timer = setInterval(run, ms)
    return () => clearInterval(timer)
  },
}
