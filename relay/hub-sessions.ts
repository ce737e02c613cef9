// A live line must not outlive its session. The session of every line is looked up soon after its hello and then now and again, which prolongs it
// as using its token does; one that ran out, or ended unnoticed, ends its lines. Between the looks a tick only compares two numbers.
import type { HubPorts } from './hub-ports.ts'

export interface SessionWatch {
  /** @param live sessions that lines are signed in by now */
  tick(now: number, live: Iterable<string>): void
}

interface Known {
  /** Until when it lives, ms; 0: it has ended. */
  expires: number
  lookAt: number
}

/** A session in use is prolonged once a day, so this is often enough. */
const lookEveryMs = 60_000
/** When everybody comes at once, the looks are spread over some seconds. */
const looksAtOnceMax = 200

/** @param end ends all lines of that session */
export function createSessionWatch(ports: Pick<HubPorts, 'sessions' | 'report'>, end: (idHash: string) => void): SessionWatch {
  let watched = new Map<string, Known>()

  async function look(idHash: string, known: Known): Promise<void> {
    try {
      known.expires = await ports.sessions.prolong(idHash)
    } catch (error) {
      // Nothing was learned: it is asked again.
      ports.report({ kind: 'read-failed', error })
    }
  }

  return {
    tick(now, live) {
      const before = watched
      watched = new Map()
      let looks = 0
      for (const idHash of live) {
        if (watched.has(idHash)) continue
        const known = before.get(idHash) ?? { expires: Number.POSITIVE_INFINITY, lookAt: now }
        if (known.expires <= now) {
          end(idHash)
          continue
        }
        watched.set(idHash, known)
        if (known.lookAt > now || looks >= looksAtOnceMax) continue
        looks++
        known.lookAt = now + lookEveryMs
        void look(idHash, known)
      }
    },
  }
}
