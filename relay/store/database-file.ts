// A database file seen from outside the relay: read as it stood at one moment, or copied whole. Both also while a relay writes to it.
import { DatabaseSync, type SQLInputValue, type SQLOutputValue } from 'node:sqlite'
import { prepareOnce } from './prepared.ts'

export type Row = Record<string, SQLOutputValue>

export interface DatabaseFile {
  /** The number of its last migration; 0: it is no relay's. */
  readonly version: number
  get(text: string, ...values: SQLInputValue[]): Row | undefined
  all(text: string, ...values: SQLInputValue[]): Row[]
  iterate(text: string, ...values: SQLInputValue[]): Iterable<Row>
  close(): void
}

/** All that is read through it is of one moment. It keeps a relay's log from being emptied: not for long. @throws where it is no database */
export function readDatabaseFile(path: string): DatabaseFile {
  const sql = new DatabaseSync(path, { readOnly: true })
  try {
    sql.exec('PRAGMA busy_timeout=5000; BEGIN')
    const version = Number(sql.prepare('PRAGMA user_version').get()?.user_version ?? 0)
    // The moment is that of the first reading in the transaction.
    sql.prepare('SELECT count(*) FROM sqlite_schema').get()
    const prepare = prepareOnce(sql)
    return {
      version,
      get: (text, ...values) => prepare(text).get(...values),
      all: (text, ...values) => prepare(text).all(...values),
      // Its own statement each time: two walks over one text may be under way at once.
      iterate: (text, ...values) => sql.prepare(text).iterate(...values),
      close: () => sql.close(),
    }
  } catch (error) {
    sql.close()
    throw error
  }
}

/**
 * The whole database as of one moment in a new file, packed: it holds no free pages, hence nothing that was erased, and needs no log beside it.
 * VACUUM INTO and not SQLite's backup calls: those begin anew whenever another process writes, so beside a busy relay they need not ever end.
 * @param target must not be there, or be empty
 */
export function copyDatabase(path: string, target: string): void {
  const sql = new DatabaseSync(path, { readOnly: true })
  try {
    // Without secure_delete the new pages would keep copies of rows in their unused space, which no later redaction reaches.
    sql.exec('PRAGMA busy_timeout=5000; PRAGMA secure_delete=ON')
    sql.prepare('VACUUM INTO ?').run(target)
  } finally {
    sql.close()
  }
}
