// The one SQLite database: opens it, brings its schema up to date, and gives transactions. Everything that touches node:sqlite is in this folder.
import { closeSync, fdatasync, openSync, realpathSync } from 'node:fs'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { prepareOnce } from './prepared.ts'

/** Numbered and append-only: a database is brought from its number to the last. Never edit one that has shipped. */
const migrations = [
  `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

  CREATE TABLE account (
    id TEXT PRIMARY KEY, username TEXT NOT NULL UNIQUE, email TEXT NOT NULL, email_folded TEXT NOT NULL UNIQUE,
    email_confirmed INTEGER NOT NULL, salt BLOB NOT NULL, password_digest TEXT NOT NULL, identity BLOB NOT NULL,
    vault BLOB NOT NULL, vault_rev INTEGER NOT NULL, avatar TEXT NOT NULL, created INTEGER NOT NULL, operator INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE session (
    id_hash TEXT PRIMARY KEY, account TEXT NOT NULL REFERENCES account(id), dev TEXT NOT NULL,
    created INTEGER NOT NULL, expires INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX session_account ON session(account);
  CREATE TABLE device (
    dev TEXT PRIMARY KEY, account TEXT NOT NULL REFERENCES account(id), identity TEXT NOT NULL, key TEXT NOT NULL,
    certificate TEXT NOT NULL, sig TEXT NOT NULL, from_at INTEGER NOT NULL, until_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX device_account ON device(account);
  CREATE TABLE private_blob (
    account TEXT NOT NULL, nr INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (account, nr)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE space (
    id TEXT PRIMARY KEY, n INTEGER NOT NULL, hash BLOB NOT NULL, state TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE command (
    space TEXT NOT NULL, n INTEGER NOT NULL, id TEXT NOT NULL, by TEXT NOT NULL, at INTEGER NOT NULL,
    text TEXT NOT NULL, sig TEXT NOT NULL, state TEXT NOT NULL, PRIMARY KEY (space, n), UNIQUE (space, id)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE structure_change (
    space TEXT NOT NULL, epoch INTEGER NOT NULL, nr INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (space, epoch, nr)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE member (
    space TEXT NOT NULL, account TEXT NOT NULL, username TEXT NOT NULL, joined INTEGER NOT NULL, left_at INTEGER NOT NULL,
    n INTEGER NOT NULL, PRIMARY KEY (space, account)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX member_account ON member(account) WHERE left_at = 0;
  CREATE INDEX member_n ON member(space, n);
  CREATE TABLE invite (
    hash TEXT PRIMARY KEY, space TEXT NOT NULL, by TEXT NOT NULL, created INTEGER NOT NULL, until_at INTEGER NOT NULL,
    uses_max INTEGER NOT NULL, uses INTEGER NOT NULL, revoked INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX invite_space ON invite(space);

  CREATE TABLE channel (
    id TEXT PRIMARY KEY, space TEXT NOT NULL, seq INTEGER NOT NULL, rev INTEGER NOT NULL, head TEXT NOT NULL, last INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX channel_space ON channel(space);
  CREATE TABLE segment (
    id TEXT PRIMARY KEY, channel TEXT NOT NULL, nr INTEGER NOT NULL, of TEXT NOT NULL, client INTEGER NOT NULL, next INTEGER NOT NULL,
    bytes INTEGER NOT NULL, posts INTEGER NOT NULL, sealed INTEGER NOT NULL, rev INTEGER NOT NULL, deleted TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX segment_channel ON segment(channel, nr);
  CREATE INDEX segment_of ON segment(of) WHERE of <> '';
  CREATE TABLE tape_snapshot (segment TEXT PRIMARY KEY, n INTEGER NOT NULL, tape BLOB NOT NULL) STRICT;
  CREATE TABLE tape_row (
    segment TEXT NOT NULL, clock INTEGER NOT NULL, count INTEGER NOT NULL, tape BLOB NOT NULL, PRIMARY KEY (segment, clock)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE entry (
    channel TEXT NOT NULL, id BLOB NOT NULL, kind TEXT NOT NULL, segment TEXT NOT NULL, clock INTEGER NOT NULL, seq INTEGER NOT NULL,
    by TEXT NOT NULL, op TEXT NOT NULL, ref BLOB, gone INTEGER NOT NULL, redactors TEXT NOT NULL, manage INTEGER NOT NULL,
    PRIMARY KEY (channel, id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX entry_edit ON entry(channel, ref) WHERE op = 'edit';
  CREATE INDEX entry_clock ON entry(segment, clock);
  CREATE INDEX entry_post ON entry(channel, seq) WHERE op = 'post' AND gone = 0;
  CREATE TABLE read_marker (
    account TEXT NOT NULL, channel TEXT NOT NULL, gen INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (account, channel)
  ) STRICT, WITHOUT ROWID;
  `,
  // Whoever asks what stands at a clock brings the id that should: an index on clocks cost every entry a third of its writing.
  'DROP INDEX entry_clock',
  // Accounts can be erased, piece by piece and over restarts; devices can be revoked, by a statement that is kept.
  `
  ALTER TABLE account ADD COLUMN erased INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE device ADD COLUMN revocation TEXT NOT NULL DEFAULT '';
  ALTER TABLE device ADD COLUMN revocation_sig TEXT NOT NULL DEFAULT '';
  CREATE TABLE erasing (account TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
  `,
  // Unread posts are counted in the index alone: whose they are stands in it.
  "DROP INDEX entry_post; CREATE INDEX entry_post ON entry(channel, seq, by) WHERE op = 'post' AND gone = 0",
  // Words are stored far from their leaf (far-blob.ts). The old tables go as whole pages, which are overwritten.
  `
  CREATE TABLE far_row (
    segment TEXT NOT NULL, clock INTEGER NOT NULL, count INTEGER NOT NULL, tape BLOB NOT NULL, PRIMARY KEY (segment, clock)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO far_row SELECT segment, clock, count, CAST(zeroblob(1002) || tape AS BLOB) FROM tape_row;
  DROP TABLE tape_row;
  ALTER TABLE far_row RENAME TO tape_row;
  CREATE TABLE far_snapshot (segment TEXT PRIMARY KEY, n INTEGER NOT NULL, tape BLOB NOT NULL) STRICT, WITHOUT ROWID;
  INSERT INTO far_snapshot SELECT segment, n, CAST(zeroblob(1002) || tape AS BLOB) FROM tape_snapshot;
  DROP TABLE tape_snapshot;
  ALTER TABLE far_snapshot RENAME TO tape_snapshot;
  CREATE TABLE far_blob (
    account TEXT NOT NULL, nr INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (account, nr)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO far_blob SELECT account, nr, CAST(zeroblob(1002) || bytes AS BLOB) FROM private_blob;
  DROP TABLE private_blob;
  ALTER TABLE far_blob RENAME TO private_blob;
  `,
]

/** What a database's number is when all migrations were made. */
export const newestVersion = migrations.length

/** A sentence for the operator. */
export function newerThanKnown(path: string, version: number): Error {
  return new Error(`${path} is of version ${version}; this relay knows databases up to ${newestVersion}: take a newer relay`)
}

/** Waiting for a writer is worth it; a scrub comes again in a second, and may not hold up the relay while somebody reads (a backup, a check). */
const busyMs = { write: 5_000, scrub: 20 }

export interface Database {
  readonly sql: DatabaseSync
  /** Prepared once, then remembered by its text. */
  prepare(text: string): StatementSync
  /** Runs `work` in one IMMEDIATE transaction; what it throws rolls back and is thrown on. On the disk when it returns. */
  transaction<Value>(work: () => Value): Value
  /**
   * The same, and resolves when it is on the disk: the loop is free while the disk works. Nobody may be told before.
   * What the disk does not take cannot be taken back: then the process ends, and the log is read as far as it is whole at the next start.
   */
  commit(work: () => void): Promise<void>
  /** false: commits wait for nothing (filling an empty database), until `true` or the end. */
  waitForDisk(waits: boolean): void
  /** A commit erased text: the log beside the database still holds the pages as they were. */
  noteErased(): void
  /** Carries the log over and empties it, if text was erased since; false = a reader or a full disk was in the way, try again. Cheap when there is nothing. */
  scrub(): boolean
  /** Pages of the log that are not carried over yet. */
  pagesToCarryOver(): number
  /** Carries over what nobody reads just now. A full disk leaves it for later. */
  carryOver(): void
  close(): void
}

/** As the system's. */
type Sync = (file: number, done: (error: Error | null) => void) => void

/** @param path a file, or ':memory:'. Durable: WAL, synchronous=FULL; secure_delete, so that erased text leaves the pages. */
export function openDatabase(path: string, sync: Sync = fdatasync): Database {
  const sql = openFile(path)
  const [begin, end] = [sql.prepare('BEGIN IMMEDIATE'), sql.prepare('COMMIT')]
  const transaction = <Value>(work: () => Value): Value => {
    begin.run()
    try {
      const value = work()
      end.run()
      return value
    } catch (error) {
      // A full disk may have ended it already.
      if (sql.isTransaction) sql.exec('ROLLBACK')
      throw error
    }
  }
  const version = Number(sql.prepare('PRAGMA user_version').get()?.user_version ?? 0)
  if (version > newestVersion) {
    sql.close()
    throw newerThanKnown(path, version)
  }
  migrations.slice(version).forEach((migration, i) => {
    transaction(() => {
      sql.exec(migration)
      sql.exec(`PRAGMA user_version=${version + i + 1}`)
    })
  })
  // A relay that died between an erasing commit and its scrub left the text in the log.
  let erased = true
  const scrub = () => {
    if (!erased) return true
    sql.exec(`PRAGMA busy_timeout=${busyMs.scrub}`)
    quietly(() => {
      erased = sql.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get()?.busy !== 0
    })
    sql.exec(`PRAGMA busy_timeout=${busyMs.write}`)
    return !erased
  }
  scrub()
  let waits = true
  // SQLite syncs the log inside COMMIT, and the loop stands still for as long. The same sync through a descriptor of our own does not.
  // A descriptor for each sync that is under way: where two share one, only one of them hears that the disk failed.
  // The log lies beside the file itself, also where the path is a link to it.
  const openWal = () => openSync(`${realpathSync(path)}-wal`, 'r+')
  const idle = path === ':memory:' ? undefined : [openWal()]
  return {
    sql,
    prepare: prepareOnce(sql),
    transaction,
    async commit(work) {
      if (!waits || !idle) return transaction(work)
      sql.exec('PRAGMA synchronous=NORMAL')
      try {
        transaction(work)
      } finally {
        sql.exec('PRAGMA synchronous=FULL')
      }
      const file = idle.pop() ?? openWal()
      await synced(sync, file)
      idle.push(file)
    },
    waitForDisk(given) {
      waits = given
      sql.exec(`PRAGMA synchronous=${waits ? 'FULL' : 'OFF'}`)
    },
    noteErased: () => {
      erased = true
    },
    scrub,
    pagesToCarryOver() {
      const state = sql.prepare('PRAGMA wal_checkpoint(NOOP)').get()
      return Number(state?.log ?? 0) - Number(state?.checkpointed ?? 0)
    },
    carryOver: () => quietly(() => sql.exec('PRAGMA wal_checkpoint(PASSIVE)')),
    close: () => {
      scrub()
      for (const file of idle ?? []) closeSync(file)
      sql.close()
    },
  }
}

function openFile(path: string): DatabaseSync {
  // 64 MB of pages stay at hand; the log is carried over every 16 MB, so that a page which many commits touch is carried over once.
  const pragmas = `PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON; PRAGMA foreign_keys=ON;
     PRAGMA busy_timeout=${busyMs.write}; PRAGMA cache_size=-65536; PRAGMA wal_autocheckpoint=4000`
  const sql = new DatabaseSync(path)
  try {
    sql.exec(pragmas)
    return sql
  } catch (error) {
    sql.close()
    if (!isDiskTrouble(error)) throw error
    // A disk so full that not even the small file fits by which processes share the log: it can still be read by one alone, which needs none.
    const alone = new DatabaseSync(path)
    alone.exec(`PRAGMA locking_mode=EXCLUSIVE; ${pragmas}`)
    return alone
  }
}

/** What is committed lies safely in the log, and can still be read: a full disk must neither end the relay nor keep it from starting. */
function quietly(work: () => void): void {
  try {
    work()
  } catch (error) {
    if (!isDiskTrouble(error)) throw error
  }
}

/** What was written to the file is on the disk when it resolves. */
function synced(sync: Sync, file: number): Promise<void> {
  return new Promise((resolve) => {
    sync(file, (error) => {
      // Nobody could catch this, and nobody may: after a failed sync the disk says nothing reliable of what came before either.
      if (error) throw error
      resolve()
    })
  })
}

/** SQLITE_IOERR (10) with its kinds, and SQLITE_FULL (13). */
function isDiskTrouble(error: unknown): boolean {
  return (
    error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' && [10, 13].includes(error.errcode & 0xff)
  )
}
