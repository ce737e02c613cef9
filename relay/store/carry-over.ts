// Carries the database's log over on a thread of its own. SQLite does it inside some commit, when the log has grown long enough, and the loop
// stands still for the while: tens of milliseconds on a fast disk. What is committed while the thread works is little, and carried over
// here at its end: only a log that is over as a whole begins anew instead of growing.
import { Worker } from 'node:worker_threads'
import type { Database } from './database.ts'

export interface CarryOver {
  close(): Promise<void>
}

const everyMs = 250
/** 4 MB of log are worth a round. */
const pagesMin = 1_000
/** 128 MB: should the thread fail, SQLite does it again as it always did. */
const pagesInCommit = 32_768

/** @param failed the thread ended: SQLite does its work then */
export function startCarryOver(path: string, database: Database, failed: (error: unknown) => void): CarryOver {
  let thread: Worker | undefined
  let isWorking = false
  const inCommit = (pages: number) => database.sql.exec(`PRAGMA wal_autocheckpoint=${pages}`)
  inCommit(pagesInCommit)

  function start(): Worker {
    const worker = new Worker(new URL('./carry-over-thread.ts', import.meta.url), { workerData: path })
    worker.on('message', () => {
      isWorking = false
      database.carryOver()
    })
    worker.on('error', (error) => {
      failed(error)
      clearInterval(ticks)
      inCommit(pagesMin)
    })
    worker.unref()
    return worker
  }

  const ticks = setInterval(() => {
    if (isWorking || database.pagesToCarryOver() < pagesMin) return
    isWorking = true
    thread ??= start()
    thread.postMessage('go')
  }, everyMs)
  ticks.unref()

  return {
    close: async () => {
      clearInterval(ticks)
      thread?.removeAllListeners()
      await thread?.terminate()
    },
  }
}
