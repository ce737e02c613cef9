// A relay in this process, on a data directory of its own: the real stores, HTTP side and hub, with a clock that is set and no network.
// Only an empty one is filled: what it writes lies in the past, and a relay's time never goes back.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { createCommandDesk } from '#relay/community/command-desk.ts'
import { createInviteSight } from '#relay/community/invite-sight.ts'
import { createStructureAuthor } from '#relay/community/structure-author.ts'
import { loadVerifier, nodeHasher, nodeRandom } from '#relay/crypto.ts'
import { createHttp } from '#relay/http/http.ts'
import { createSessions } from '#relay/http/sessions.ts'
import { type HttpSettings, httpDefaults } from '#relay/http/settings.ts'
import { createHub, type Hub } from '#relay/hub.ts'
import { type HubSettings, hubDefaults } from '#relay/hub-ports.ts'
import { createHealth } from '#relay/ops/health.ts'
import { createRelayLog } from '#relay/ops/log.ts'
import { openSecrets } from '#relay/ops/secrets.ts'
import type { CommunityStore } from '#relay/store/community-store.ts'
import { lockData } from '#relay/store/data-lock.ts'
import { openDatabase } from '#relay/store/database.ts'
import { createIncarnationFile } from '#relay/store/incarnation-file.ts'
import type { LogStore } from '#relay/store/log-store.ts'
import { openMetaStore } from '#relay/store/relay-meta.ts'
import { createSqliteAccountStore } from '#relay/store/sqlite-account-store.ts'
import { createSqliteCommunityStore } from '#relay/store/sqlite-community-store.ts'
import { createSqliteLogStore } from '#relay/store/sqlite-log-store.ts'
import { createSqlitePrivateStore } from '#relay/store/sqlite-private-store.ts'

/** Set by whoever writes; the relay and the people read it. */
export interface SetClock {
  time: number
  now(): number
}

export interface SeedRelay {
  hub: Hub
  clock: SetClock
  community: CommunityStore
  log: LogStore
  /** A `fetch` that is the relay itself. */
  fetch: typeof globalThis.fetch
  close(): Promise<void>
}

const often = { points: 1_000_000, seconds: 60 }
const httpSettings: HttpSettings = {
  ...httpDefaults,
  limits: { ...httpDefaults.limits, prelogin: often, registerPerAddress: often, registerPerDay: often, sockets: often },
}
const hubSettings: HubSettings = {
  ...hubDefaults,
  entryBurst: 1_000_000,
  entriesPerMinute: 1_000_000,
  commandBurst: 1_000_000,
  commandsPerMinute: 1_000_000,
}

/**
 * @param time where the clock begins, ms
 * @param durable each commit waits for the disk, as a relay's does; without it a year is written in seconds, and the end is durable
 * @throws {Error} a sentence for the operator, where the directory is in use or has accounts
 */
export async function openSeedRelay(dataDir: string, time: number, durable = false): Promise<SeedRelay> {
  const clock: SetClock = { time, now: () => clock.time }
  const log = createRelayLog('warn')
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const unlock = lockData(join(dataDir, 'lock'))
  const database = openDatabase(join(dataDir, 'relay.db'))
  const accounts = createSqliteAccountStore(database)
  if ((await accounts.count()) > 0) {
    database.close()
    unlock()
    throw new Error(`the relay in ${dataDir} has accounts already; only an empty one is filled (DATA_DIR=… names another)`)
  }
  if (!durable) database.sql.exec('PRAGMA synchronous=OFF')
  const secrets = openSecrets(join(dataDir, 'secrets.json'), nodeRandom)
  const { meta } = openMetaStore(database, createIncarnationFile(join(dataDir, 'incarnation')), nodeRandom)
  const { verifier } = await loadVerifier()
  const community = createSqliteCommunityStore(database)
  const logStore = createSqliteLogStore(database)
  const structure = await createStructureAuthor({ store: community, random: nodeRandom })
  const sessions = createSessions({
    store: accounts,
    clock,
    random: nodeRandom,
    settings: httpSettings.session,
    endSession: (idHash) => hub.endSession(idHash),
  })
  const hub = createHub({
    log: logStore,
    community,
    private: createSqlitePrivateStore(database),
    meta,
    accounts,
    sessions,
    desk: createCommandDesk({ store: community, structure, hasher: nodeHasher, verifier }),
    verifier,
    mac: nodeHasher,
    markKey: secrets.markKey,
    random: nodeRandom,
    clock,
    nextTurn: () => new Promise((resolve) => setImmediate(resolve)),
    report: log.hub,
    settings: hubSettings,
  })
  const http = createHttp({
    settings: httpSettings,
    accounts,
    sessions,
    verifier,
    clock,
    random: nodeRandom,
    pepper: secrets.pepper,
    log,
    previewInvite: createInviteSight({ community, accounts, hasher: nodeHasher, clock }),
    health: createHealth({ meta, hub: hub.health, dataDir, startedAt: clock.now(), now: clock.now }),
    pages: join(dataDir, 'no-pages'),
  })

  return {
    hub,
    clock,
    community,
    log: logStore,
    fetch: async (input, init) => {
      const { signal: _signal, ...rest } = init ?? {}
      return http.request(String(input), rest, { incoming: { socket: { remoteAddress: '127.0.0.1' } } })
    },
    async close() {
      await hub.stop()
      structure.close()
      // The checkpoint at the closing carries everything over, and this makes it wait for the disk.
      database.sql.exec('PRAGMA synchronous=FULL')
      database.close()
      unlock()
    },
  }
}
