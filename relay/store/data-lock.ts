// One relay a data directory: what one remembers of the stores would be wrong as soon as another wrote to them.
// The lock is SQLite's own on a file beside the database; it ends with the process, however that ends.
import { DatabaseSync } from 'node:sqlite'

/** @param path of the lock's file @throws {Error} a sentence for the operator, where another process holds it. Answers how to give it back. */
export function lockData(path: string): () => void {
  const lock = new DatabaseSync(path)
  try {
    lock.exec('PRAGMA busy_timeout=0; PRAGMA journal_mode=MEMORY; BEGIN EXCLUSIVE')
  } catch (error) {
    lock.close()
    if (error instanceof Error && 'errcode' in error && error.errcode === 5)
      throw new Error(`another relay is using this data directory (${path} is locked)`, { cause: error })
    throw error
  }
  return () => lock.close()
}
