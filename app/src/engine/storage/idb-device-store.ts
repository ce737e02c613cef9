// The device store in IndexedDB: one database an account, one object store a table, and one for the bytes of segments,
// whose key is [segment, nr]: 0 is the snapshot, behind it the updates in order.
import type { AccountId, SegmentId } from '#shared/base/ids.ts'
import { type ByteChange, type DeviceRows, type DeviceStore, isEmptyBatch, type TableName, tableNames } from '../device-store.ts'
import { deleteDatabase, openFenced, type Write } from './fenced-database.ts'

const bytesStore = 'segment-bytes'
const version = 1

export function accountDatabaseName(account: AccountId): string {
  return `dupecord-${account}`
}

/** @param epoch of the engine that opens it; an older engine's store on the same database is fenced off from here on */
export async function openIdbDeviceStore(account: AccountId, epoch: number, onClosed: () => void): Promise<DeviceStore> {
  const database = await openFenced(accountDatabaseName(account), version, [...tableNames, bytesStore], epoch, onClosed)
  return {
    load: () =>
      database.read([...tableNames], async (transaction) => {
        const loaded = await Promise.all(
          tableNames.map(async (name): Promise<[TableName, unknown[]]> => [name, await transaction.objectStore(name).getAll()]),
        )
        // reason: the rows were written by this module's `commit`, table by table
        return Object.fromEntries(loaded) as unknown as DeviceRows
      }),
    loadSegment: (segment) =>
      database.read([bytesStore], (transaction) =>
        transaction.objectStore(bytesStore).getAll(IDBKeyRange.bound([segment], [segment, []])),
      ),
    commit: async (batch, how) => {
      if (isEmptyBatch(batch)) return
      const tables = tableNames.filter((name) => batch.rows[name].size > 0)
      const stores: string[] = batch.bytes.size > 0 ? [...tables, bytesStore] : tables
      await database.write(stores, how, async (transaction) => {
        // Each in an async function: a row that cannot be stored throws at once, and the requests before it must be watched too.
        const rows = tables.map(async (name) => {
          const store = transaction.objectStore(name)
          await Promise.all([...batch.rows[name]].map(async ([key, row]) => (row ? store.put(row, key) : store.delete(key))))
        })
        const bytes = [...batch.bytes].map(([segment, changes]) => writeBytes(transaction, segment, changes))
        await Promise.all([...rows, ...bytes])
      })
    },
    close: () => database.close(),
  }
}

export function deleteAccountDatabase(account: AccountId): Promise<void> {
  return deleteDatabase(accountDatabaseName(account))
}

async function writeBytes(transaction: Write, segment: SegmentId, changes: readonly ByteChange[]): Promise<void> {
  const store = transaction.objectStore(bytesStore)
  const all = IDBKeyRange.bound([segment], [segment, []])
  // What stands before the last snapshot or drop would be deleted at once: it is not even written.
  const from = changes.findLastIndex((change) => change.kind !== 'append')
  const base = changes[from]
  let next = 1
  if (base) {
    await store.delete(all)
    if (base.kind === 'snapshot') await store.put(base.state, [segment, 0])
  } else {
    const last = await store.openKeyCursor(all, 'prev')
    if (Array.isArray(last?.key) && typeof last.key[1] === 'number') next = last.key[1] + 1
  }
  for (const change of changes.slice(from + 1)) if (change.kind === 'append') await store.put(change.update, [segment, next++])
}
