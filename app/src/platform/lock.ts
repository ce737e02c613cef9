// A Web Lock that is held until it is given up, taken by another, or the page goes.
export interface HeldLock {
  release(): void
  /** Resolves when another stole it. */
  lost: Promise<void>
}

/** @param how.steal takes it from whoever holds it; only for a holder that is frozen */
export function holdLock(name: string, how: { steal: boolean }): Promise<HeldLock> {
  return new Promise((resolve) => {
    let lose = () => {}
    const lost = new Promise<void>((done) => {
      lose = done
    })
    const held = () =>
      new Promise<void>((release) => {
        resolve({ release, lost })
      })
    // Rejects with AbortError when the lock is stolen; there is no other end while it is held.
    navigator.locks.request(name, how, held).catch(() => lose())
  })
}
