// The door of `idb`: opens a database, and lets only the newest engine write into it.
// A frozen leader keeps its lock and may thaw after another took over, so the epoch is compared inside every write transaction;
// nothing outside the transaction could be sure.
import { deleteDB, type IDBPDatabase, type IDBPTransaction, openDB } from 'idb'
import { FencedError } from '../device-store.ts'

export type Write = IDBPTransaction<unknown, string[], 'readwrite'>
export type Read = IDBPTransaction<unknown, string[], 'readonly'>

export interface FencedDatabase {
  readonly epoch: number
  read<Value>(stores: string[], work: (transaction: Read) => Promise<Value>): Promise<Value>
  /**
   * Runs `work` in one transaction and resolves at its `complete`.
   * @param work may await nothing but requests of this transaction
   * @throws {FencedError} when another engine opened this database later
   */
  write(stores: string[], how: { strict: boolean }, work: (transaction: Write) => Promise<void>): Promise<void>
  /** Has no other engine opened it since? */
  isNewest(): Promise<boolean>
  close(): void
}

const fence = 'fence'

/**
 * @param epoch a number: that of this engine. `next`: one more than any before, which makes this engine the newest.
 * @param onClosed the connection was closed by the browser or for a newer version
 * @throws {FencedError} when a newer engine has opened it already
 */
export async function openFenced(
  name: string,
  version: number,
  stores: readonly string[],
  epoch: number | 'next',
  onClosed: () => void,
): Promise<FencedDatabase> {
  const database: IDBPDatabase = await openDB(name, version, {
    upgrade: (upgrading) => {
      for (const store of [fence, ...stores]) if (!upgrading.objectStoreNames.contains(store)) upgrading.createObjectStore(store)
    },
    // Another tab wants to delete or to upgrade: holding on would block it for ever.
    blocking: () => {
      database.close()
      onClosed()
    },
    terminated: onClosed,
  })
  let mine: number
  try {
    mine = await claim(database, epoch)
  } catch (error) {
    database.close()
    throw error
  }
  return {
    epoch: mine,
    read: async (names, work) => {
      const transaction = database.transaction(names, 'readonly')
      const value = await work(transaction)
      await transaction.done
      return value
    },
    write: async (names, how, work) => {
      const transaction = database.transaction([fence, ...names], 'readwrite', { durability: how.strict ? 'strict' : 'relaxed' })
      await inside(transaction, async () => {
        if ((await stored(transaction)) !== mine) throw new FencedError('another engine leads')
        await work(transaction)
      })
    },
    isNewest: async () => (await database.get(fence, 'epoch')) === mine,
    close: () => database.close(),
  }
}

/** Waits for connections that are still open elsewhere: they close at `versionchange`. */
export async function deleteDatabase(name: string): Promise<void> {
  await deleteDB(name)
}

async function claim(database: IDBPDatabase, epoch: number | 'next'): Promise<number> {
  const transaction: Write = database.transaction([fence], 'readwrite', { durability: 'strict' })
  let mine = 0
  await inside(transaction, async () => {
    const newest = await stored(transaction)
    mine = epoch === 'next' ? newest + 1 : epoch
    if (mine < newest) throw new FencedError('another engine leads')
    await transaction.objectStore(fence).put(mine, 'epoch')
  })
  return mine
}

async function stored(transaction: Write): Promise<number> {
  const epoch: unknown = await transaction.objectStore(fence).get('epoch')
  return typeof epoch === 'number' ? epoch : 0
}

/** What `work` throws leaves nothing behind: the transaction is aborted before it is thrown on. */
async function inside(transaction: Write, work: () => Promise<void>): Promise<void> {
  // Watched from the start: an abort rejects `done`, also while `work` is the one that reports why.
  const done = transaction.done.then(
    () => undefined,
    (error: unknown) => ({ error }),
  )
  try {
    await work()
  } catch (error) {
    try {
      transaction.abort()
    } catch (aborting) {
      // It has ended by itself (a failed request aborts it): the first error says more.
      if (!(aborting instanceof DOMException)) throw aborting
    }
    await done
    throw error
  }
  const failed = await done
  if (failed) throw failed.error
}
