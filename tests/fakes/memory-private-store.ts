// Private documents in memory: the contract's second implementation.
import type { PrivateStore } from '#relay/store/log-store.ts'
import type { Bytes } from '#shared/base/bytes.ts'
import { createMemoryTables, type MemoryTables } from './memory-relay-tables.ts'

export function createMemoryPrivateStore(tables: MemoryTables = createMemoryTables()): PrivateStore {
  return {
    blobs: async (account) => [...(tables.blobs.get(account) ?? [])].map(([nr, bytes]) => ({ nr, bytes: bytes.slice() })),
    async put(account, bytes, replaces) {
      const blobs = tables.blobs.get(account) ?? new Map<number, Bytes>()
      tables.blobs.set(account, blobs)
      const nr = Math.max(0, ...blobs.keys()) + 1
      for (const old of replaces) blobs.delete(old)
      blobs.set(nr, bytes.slice())
      return nr
    },
    async erase(account) {
      tables.blobs.delete(account)
    },
  }
}
