// The relay's real stores on a real SQLite file, beside the model in memory: every call goes to both, and their answers must agree. Any statement
// of a transaction can be made to fail; then SQLite must be as if the call had never been made, which the model, not called, is.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { CommunityStore } from '#relay/store/community-store.ts'
import { type Database, openDatabase } from '#relay/store/database.ts'
import type { LogStore, MetaStore, PrivateStore } from '#relay/store/log-store.ts'
import { openMetaStore } from '#relay/store/relay-meta.ts'
import { createSqliteCommunityStore } from '#relay/store/sqlite-community-store.ts'
import { createSqliteLogStore } from '#relay/store/sqlite-log-store.ts'
import { createSqlitePrivateStore } from '#relay/store/sqlite-private-store.ts'
import type { Random } from '#shared/base/ports.ts'
import { elementsOfTape } from '#shared/log/tape.ts'
import { createMemoryCommunityStore } from '../fakes/memory-community-store.ts'
import { createMemoryLogStore, createMemoryMetaStore } from '../fakes/memory-log-store.ts'
import { createMemoryPrivateStore } from '../fakes/memory-private-store.ts'
import { worldOf } from '../fakes/memory-relay-tables.ts'
import { WorldBroke } from './process.ts'
import type { RelayDisk } from './relay-disk.ts'

export interface RelayStores {
  log: LogStore
  community: CommunityStore
  private: PrivateStore
  meta: MetaStore
}

/** The file of one run. It outlives the relay's processes. */
export interface SqliteFile {
  folder: string
  /** Statements of transactions until one fails, counted down; 0 = none will. */
  failAt: number
  /** Statements of transactions so far, commits included. */
  statements: number
  database: Database | undefined
  /** What stands in the file beside the database. */
  incarnation: string
}

export function createSqliteFile(folder: string): SqliteFile {
  return { folder, failAt: 0, statements: 0, database: undefined, incarnation: '' }
}

/** What SQLite throws where a disk gives up in the middle. */
class StatementFailed extends WorldBroke {
  readonly errcode = 10
}

export function openModel(disk: RelayDisk, makeIncarnation: () => string): RelayStores {
  return {
    log: createMemoryLogStore(disk.tables),
    community: createMemoryCommunityStore(disk.community, worldOf(disk.tables)),
    private: createMemoryPrivateStore(disk.tables),
    meta: createMemoryMetaStore(disk.tables, makeIncarnation),
  }
}

export function openBoth(file: SqliteFile, disk: RelayDisk, random: Random): RelayStores {
  file.database?.close()
  const database = openDatabase(join(file.folder, 'relay.db'))
  file.database = database
  // Power is not cut here, and a disk that is waited for would keep the schedule waiting.
  database.waitForDisk(false)
  const faulty = withFaults(database, file)
  const model = openModel(disk, () => file.incarnation)
  const place = {
    read: () => file.incarnation,
    write(incarnation: string) {
      file.incarnation = incarnation
    },
  }
  const { meta } = openMetaStore(faulty, place, random)
  if (disk.tables.meta.commits === 0) disk.tables.meta.incarnation = file.incarnation
  return {
    log: inStep(createSqliteLogStore(faulty), model.log),
    community: inStep(createSqliteCommunityStore(faulty), model.community),
    private: inStep(createSqlitePrivateStore(faulty), model.private),
    meta: inStep(meta, model.meta),
  }
}

/** The model is asked only where SQLite answered. */
function inStep<Store extends object>(real: Store, model: Store): Store {
  return new Proxy(real, {
    get(_, name) {
      const [ofReal, ofModel]: unknown[] = [Reflect.get(real, name), Reflect.get(model, name)]
      if (typeof ofReal !== 'function' || typeof ofModel !== 'function') return ofReal
      return async (...args: unknown[]) => {
        const answer: unknown = await Reflect.apply(ofReal, real, args)
        const want: unknown = await Reflect.apply(ofModel, model, args)
        assert.deepEqual(
          comparable(name, answer, args),
          comparable(name, want, args),
          `SQLite answers ${String(name)} as it should`,
        )
        return answer
      }
    },
  })
}

/** Where a tape begins, in which order facts come and how many rows lie behind a snapshot is each store's own affair. */
function comparable(name: string | symbol, answer: unknown, args: readonly unknown[]): unknown {
  if (name === 'rows') return 'some'
  if (typeof answer !== 'object' || answer === null) return answer
  if (name === 'tape') {
    // reason: `tape` answers this, and is asked for a segment from clock `n` on
    const { clock, tape } = answer as { clock: number; tape: Uint8Array<ArrayBuffer> }
    return elementsOfTape(tape, clock).filter((element) => element.clock >= Number(args[1]))
  }
  // Starts have ids of their own on either side.
  if (name === 'read' || name === 'renew') return { ...answer, starts: undefined }
  if (name === 'facts')
    return Object.fromEntries(Object.entries(answer).map(([key, value]) => [key, Array.isArray(value) ? sorted(value) : value]))
  return answer
}

function sorted(list: readonly unknown[]): unknown[] {
  return list.map((one) => JSON.stringify(one)).sort()
}

function withFaults(database: Database, file: SqliteFile): Database {
  let within = false
  const step = () => {
    if (!within) return
    file.statements++
    if (file.failAt > 0 && --file.failAt === 0) throw new StatementFailed('disk I/O error')
  }
  const counting = <Value>(work: () => Value): Value => {
    within = true
    try {
      const value = work()
      // The commit itself.
      step()
      return value
    } finally {
      within = false
    }
  }
  /** Whatever runs a statement counts. */
  const counted = <Target extends object>(target: Target, names: readonly string[]): Target =>
    new Proxy(target, {
      get(_, name) {
        const member: unknown = Reflect.get(target, name)
        if (typeof member !== 'function') return member
        return (...args: unknown[]) => {
          if (names.includes(String(name))) step()
          const answer: unknown = Reflect.apply(member, target, args)
          return name === 'prepare' && typeof answer === 'object' && answer !== null
            ? counted(answer, ['run', 'get', 'all', 'iterate'])
            : answer
        }
      },
    })
  return {
    ...counted(database, []),
    sql: counted(database.sql, ['exec']),
    prepare: (text) => counted(database.prepare(text), ['run', 'get', 'all', 'iterate']),
    transaction: (work) => database.transaction(() => counting(work)),
    commit: (work) => database.commit(() => counting(work)),
  }
}
