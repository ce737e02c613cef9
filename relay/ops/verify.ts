// `verify`: everything in a relay's database that can be computed from something else is computed once more, and compared. It changes nothing
// and may run beside the relay: all is read as of one moment.
import { existsSync } from 'node:fs'
import type { Verifier } from '#shared/crypto/ports.ts'
import { loadStructureWasm } from '../community/structure-author.ts'
import { loadVerifier, nodeHasher } from '../crypto.ts'
import { newestVersion } from '../store/database.ts'
import { type DatabaseFile, readDatabaseFile } from '../store/database-file.ts'
import { readKeys, verifyAccounts, verifyBelongings, verifyMeta } from './verify-accounts.ts'
import { verifyChannels } from './verify-channels.ts'
import { verifyCommunities } from './verify-communities.ts'
import { createFindings, type Finding, type Findings } from './verify-report.ts'

export interface Verified {
  /** What was looked at: how many of what. */
  looked: Record<string, number>
  findings: Finding[]
  /** All of them, those that are not listed too. */
  wrong: number
}

/** @param file a relay's database, or a backup of one @throws {Error} a sentence for the operator, where it cannot be looked at */
export async function verify(file: string): Promise<Verified> {
  if (!existsSync(file)) throw new Error(`there is no ${file}`)
  const { verifier } = await loadVerifier()
  await loadStructureWasm()
  const database = readDatabaseFile(file)
  try {
    if (database.version !== newestVersion)
      throw new Error(
        database.version < newestVersion
          ? `${file} is of version ${database.version}; the relay brings it to ${newestVersion} at its next start, and then it can be checked`
          : `${file} is of version ${database.version}; this relay knows databases up to ${newestVersion}`,
      )
    const findings = createFindings()
    const looked = {}
    try {
      verifyFile(database, findings)
      verifyRows(database, verifier, findings, looked)
    } catch (error) {
      // What lies behind a spoilt page cannot be read; all else that is wrong was named.
      if (!isSpoilt(error)) throw error
      findings.add('file', 'the file', `cannot be read further: ${error.message}; what lies behind that was not looked at`)
    }
    return { looked, findings: findings.list(), wrong: findings.count() }
  } finally {
    database.close()
  }
}

function verifyRows(database: DatabaseFile, verifier: Verifier, findings: Findings, looked: Record<string, number>): void {
  const clock = verifyMeta(database, findings)
  const keys = readKeys(database)
  const ports = { database, verifier, hasher: nodeHasher, clock, keyOf: (dev: string) => keys.get(dev) }
  Object.assign(looked, verifyAccounts(ports, findings))
  Object.assign(looked, verifyCommunities(ports, findings))
  Object.assign(looked, verifyChannels(ports, findings))
  verifyBelongings(database, findings)
}

/** SQLITE_CORRUPT (11) and SQLITE_NOTADB (26). */
function isSpoilt(error: unknown): error is Error {
  return (
    error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' && [11, 26].includes(error.errcode & 0xff)
  )
}

/** SQLite's own check of pages, indexes and constraints. */
function verifyFile(database: DatabaseFile, findings: Findings): void {
  for (const row of database.iterate('PRAGMA integrity_check'))
    if (row.integrity_check !== 'ok') findings.add('file', 'the file', `${row.integrity_check}: the disk or a copy spoilt it`)
  for (const row of database.iterate('PRAGMA foreign_key_check'))
    findings.add('file', `table ${row.table}`, `a row refers to ${row.parent}, where there is none`)
}
