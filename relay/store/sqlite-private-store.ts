// Private documents in SQLite: numbered blobs by account.
import { assert } from '#shared/base/assert.ts'
import type { Database } from './database.ts'
import { farBlob, nearBlob } from './far-blob.ts'
import type { PrivateStore } from './log-store.ts'

export function createSqlitePrivateStore(database: Database): PrivateStore {
  const { sql } = database
  const all = sql.prepare('SELECT nr, bytes FROM private_blob WHERE account = ? ORDER BY nr')
  const newest = sql.prepare('SELECT max(nr) AS nr FROM private_blob WHERE account = ?')
  const drop = sql.prepare('DELETE FROM private_blob WHERE account = ? AND nr = ?')
  const erase = sql.prepare('DELETE FROM private_blob WHERE account = ?')
  const add = sql.prepare('INSERT INTO private_blob VALUES (?, ?, ?)')
  return {
    blobs: async (account) =>
      all.all(account).map(({ nr, bytes }) => {
        assert(bytes instanceof Uint8Array, 'a BLOB column gives bytes')
        return { nr: Number(nr), bytes: nearBlob(new Uint8Array(bytes)) }
      }),
    async put(account, bytes, replaces) {
      const put = database.transaction(() => {
        const nr = Number(newest.get(account)?.nr ?? 0) + 1
        for (const old of replaces) drop.run(account, old)
        add.run(account, nr, farBlob(bytes))
        return nr
      })
      if (replaces.length > 0) database.noteErased()
      return put
    },
    async erase(account) {
      erase.run(account)
      database.noteErased()
    },
  }
}
