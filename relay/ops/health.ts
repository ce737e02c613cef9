// What GET /health says: can the relay take writes now? Plain figures for whoever runs it, nothing personal.
import { statfs } from 'node:fs/promises'
import type { Health } from '../http/ports.ts'
import type { HubHealth } from '../hub.ts'
import type { MetaStore } from '../store/log-store.ts'

/** Below this SQLite soon fails to commit. */
const freeBytesMin = 64 * 1024 * 1024

export function createHealth(ports: {
  meta: MetaStore
  hub: () => HubHealth
  dataDir: string
  startedAt: number
  now: () => number
}): () => Promise<Health> {
  return async () => {
    const { bavail, bsize } = await statfs(ports.dataDir)
    const freeBytes = bavail * bsize
    // Fails where the database cannot even be read; the request then answers 500, which says as much.
    const { commits } = await ports.meta.read()
    const uptimeS = Math.round((ports.now() - ports.startedAt) / 1000)
    return { ok: freeBytes >= freeBytesMin, uptimeS, freeBytes, ...ports.hub(), commits }
  }
}
