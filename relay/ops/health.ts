// What GET /health says: can the relay take writes now? Plain figures for whoever runs it, nothing personal.
import type { Health } from '../http/ports.ts'
import type { HubHealth } from '../hub.ts'
import type { MetaStore } from '../store/log-store.ts'

export function createHealth(ports: {
  meta: Pick<MetaStore, 'read'>
  hub: () => HubHealth
  freeBytes: () => number | undefined
  startedAt: number
  now: () => number
}): () => Promise<Health> {
  return async () => {
    // Fails where the database cannot even be read; the request then answers 500, which says as much.
    const { commits } = await ports.meta.read()
    const hub = ports.hub()
    const uptimeS = Math.round((ports.now() - ports.startedAt) / 1000)
    return { ok: !hub.full, uptimeS, freeBytes: ports.freeBytes(), ...hub, commits }
  }
}
