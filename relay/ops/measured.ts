// Stop-watches around what costs most: a commit, and a signature. They stand outside of what they measure, and change nothing of it.
import type { Verifier } from '#shared/crypto/ports.ts'
import { createDistribution, type Distribution, observe } from '../hub-counters.ts'
import type { CommunityStore } from '../store/community-store.ts'
import type { LogStore } from '../store/log-store.ts'

export interface Measured {
  /** Seconds of commits of entries and commands. */
  readonly commits: Distribution
  /** Seconds of signatures that were checked on the relay's own thread. */
  readonly verifications: Distribution
  log(store: LogStore): LogStore
  community(store: CommunityStore): CommunityStore
  verifier(verifier: Verifier): Verifier
}

/** @param now milliseconds of a clock that never goes back, with fractions */
export function createMeasured(now: () => number): Measured {
  const commits = createDistribution([0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1])
  const verifications = createDistribution([0.000_05, 0.000_1, 0.000_2, 0.001])
  const timed = async (work: Promise<void>, from: number) => {
    await work
    observe(commits, (now() - from) / 1_000)
  }
  return {
    commits,
    verifications,
    log: (store) => ({ ...store, commit: (batches, at) => timed(store.commit(batches, at), now()) }),
    community: (store) => ({ ...store, commit: (batch, at) => timed(store.commit(batch, at), now()) }),
    verifier: (verifier) => ({
      ...verifier,
      verify: (signature, message, key) => {
        const from = now()
        const holds = verifier.verify(signature, message, key)
        observe(verifications, (now() - from) / 1_000)
        return holds
      },
    }),
  }
}
