// Figures of the database for whoever runs the relay, and for knowing whether there is room. Cheap: pages are counted in its header.
import { statSync } from 'node:fs'
import type { Database } from './database.ts'

export interface DatabaseFigures {
  /** Bytes of pages that hold something: what was deleted does not count, though the file stays as large. */
  usedBytes(): number
  /** Bytes of the log beside it. */
  walBytes(): number
  /** Sign-ins that have not ended. @param now ms */
  sessions(now: number): number
}

export function createDatabaseFigures(database: Database, path: string): DatabaseFigures {
  const pragma = (name: string) => Number(Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0] ?? 0)
  const pageBytes = pragma('page_size')
  return {
    usedBytes: () => (pragma('page_count') - pragma('freelist_count')) * pageBytes,
    walBytes: () => statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0,
    sessions: (now) => Number(database.prepare('SELECT count(*) AS count FROM session WHERE expires > ?').get(now)?.count ?? 0),
  }
}
