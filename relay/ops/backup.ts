// A backup while the relay runs: one file, of one moment, checked before it gets its name. Neither secrets.json nor the incarnation is in it.
import { chmodSync, closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { copyDatabase, readDatabaseFile } from '../store/database-file.ts'

export interface Holdings {
  communities: number
  channels: number
  /** Posts that stand. */
  messages: number
  bytes: number
}

/** @throws {Error} a sentence for the operator; then there is no file of that name */
export function backUp(dataDir: string, file: string): Holdings {
  const source = join(dataDir, 'relay.db')
  if (!existsSync(source)) throw new Error(`there is no relay's database in ${dataDir} (DATA_DIR=… names another)`)
  if (existsSync(file)) throw new Error(`${file} is there already, and a backup overwrites nothing`)
  const fresh = `${file}.new`
  makeOwn(fresh)
  try {
    copyDatabase(source, fresh)
    chmodSync(fresh, 0o600)
    const holdings = checkBackup(fresh)
    syncFile(fresh)
    if (existsSync(file)) throw new Error(`${file} has come meanwhile, and a backup overwrites nothing`)
    renameSync(fresh, file)
    syncFile(dirname(file))
    return holdings
  } catch (error) {
    rmSync(fresh, { force: true })
    throw error
  }
}

/** Is this file a relay's database, and whole? @throws {Error} a sentence for the operator */
export function checkBackup(file: string): Holdings {
  const database = openNamed(file)
  try {
    const [first] = database.all('PRAGMA quick_check(1)')
    if (first?.quick_check !== 'ok') throw new Error(`${file} is damaged: ${String(first?.quick_check)}`)
    const isRelays = database.version > 0 && database.get("SELECT 1 FROM sqlite_schema WHERE name = 'tape_row'")
    if (!isRelays || !database.get("SELECT 1 FROM meta WHERE key = 'incarnation'"))
      throw new Error(`${file} is no relay's database`)
    const count = (text: string) => Number(database.get(`SELECT count(*) AS n FROM ${text}`)?.n)
    return {
      communities: count('space'),
      channels: count('channel'),
      messages: count("entry WHERE op = 'post' AND gone = 0"),
      bytes: statSync(file).size,
    }
  } finally {
    database.close()
  }
}

function openNamed(file: string) {
  try {
    return readDatabaseFile(file)
  } catch (error) {
    throw new Error(`${file} cannot be read as a database: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    })
  }
}

/** Readable by its owner from the first byte on. */
function makeOwn(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST')
      throw new Error(`${path} is there: another backup is being written, or one was cut off; then remove it`, { cause: error })
    throw error
  }
}

/** A file, or a directory whose names are to last. */
export function syncFile(path: string): void {
  const handle = openSync(path, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}
