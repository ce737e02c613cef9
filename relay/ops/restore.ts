// A backup put into an empty data directory. The next start notices that the database is an older one, begins a new incarnation, and does again
// what the journal of redactions beside it says; the devices then bring back what they hold and the backup lacks.
import { chmodSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { lockData } from '../store/data-lock.ts'
import { newerThanKnown, newestVersion } from '../store/database.ts'
import { copyDatabase, readDatabaseFile } from '../store/database-file.ts'
import { checkBackup, type Holdings, syncFile } from './backup.ts'

export interface Restored extends Holdings {
  /** Without them nobody can sign in: the digests of passwords are keyed by them. */
  hasSecrets: boolean
}

/** @throws {Error} a sentence for the operator; then nothing has changed */
export function restore(dataDir: string, file: string): Restored {
  if (!existsSync(file)) throw new Error(`there is no ${file}`)
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const unlock = lockData(join(dataDir, 'lock'))
  try {
    const target = join(dataDir, 'relay.db')
    const there = ['relay.db', 'relay.db-wal'].find((name) => existsSync(join(dataDir, name)))
    if (there) throw new Error(`${join(dataDir, there)} is there: a backup is restored only where no database is`)
    const holdings = checkBackup(file)
    refuseNewer(file)
    const fresh = `${target}.new`
    rmSync(fresh, { force: true })
    try {
      // Through SQLite and not byte by byte: a database copied by hand may have its log beside it.
      copyDatabase(file, fresh)
      chmodSync(fresh, 0o600)
      syncFile(fresh)
      // Before the database is there: with the token of the lost one beside it, it would pass for that.
      rmSync(join(dataDir, 'incarnation'), { force: true })
      syncFile(dataDir)
      renameSync(fresh, target)
      syncFile(dataDir)
    } catch (error) {
      rmSync(fresh, { force: true })
      throw error
    }
    return { ...holdings, hasSecrets: existsSync(join(dataDir, 'secrets.json')) }
  } finally {
    unlock()
  }
}

function refuseNewer(file: string): void {
  const database = readDatabaseFile(file)
  const { version } = database
  database.close()
  if (version > newestVersion) throw newerThanKnown(file, version)
}
