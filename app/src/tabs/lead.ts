// Who runs the engine: the tab that holds the lock, in a dedicated worker of its own. The lock goes with the tab, and the next in line
// starts its engine within half a second. A leader that is frozen keeps its lock but falls silent: whoever is looked at takes it away.
import type { Clock } from '#shared/base/ports.ts'
import { engineLock, pulseMs } from '../engine/rpc.ts'
import type { Timers } from '../platform/timers.ts'

export interface EngineWorker {
  terminate(): void
}

export interface LeadPorts {
  clock: Clock
  timers: Timers
  /** Resolves when the lock is ours, with what gives it up; `lost` resolves when another took it. Rejects never. */
  lock(name: string, how: { steal: boolean }): Promise<{ release(): void; lost: Promise<void> }>
  startWorker(failed: (why: string) => void): EngineWorker
  /** When an engine was heard last; 0 = never. */
  heardAt(): number
  /** Is somebody looking at this tab? A hidden one is slowed down and cannot judge another's silence. */
  isVisible(): boolean
}

const silenceMs = 10_000
/** A worker that could not start (a download that broke off, a database that is being deleted) is tried again, not at once. */
const restartMs = 1_000

export function lead(ports: LeadPorts): void {
  const { clock, timers } = ports
  let worker: EngineWorker | undefined
  let startedAt = clock.now()

  const start = () => {
    startedAt = clock.now()
    const mine = ports.startWorker(() => {
      if (worker !== mine) return
      mine.terminate()
      worker = undefined
      timers.after(restartMs, () => {
        if (leading && !worker) start()
      })
    })
    worker = mine
  }
  let leading = false
  const take = async (steal: boolean): Promise<void> => {
    const held = await ports.lock(engineLock, { steal })
    leading = true
    start()
    await held.lost
    // We were frozen, and somebody else leads: our engine is fenced off from the disk already.
    leading = false
    worker?.terminate()
    worker = undefined
    return take(false)
  }
  void take(false)

  let checkedAt = clock.now()
  timers.every(pulseMs, () => {
    const slept = clock.now() - checkedAt > 2 * pulseMs
    checkedAt = clock.now()
    // Our own sleep is not the leader's silence.
    if (slept) startedAt = checkedAt
    const quietSince = Math.max(ports.heardAt(), startedAt)
    if (!ports.isVisible() || clock.now() - quietSince < silenceMs) return
    startedAt = clock.now()
    if (!leading) void take(true)
    else {
      worker?.terminate()
      start()
    }
  })
}
