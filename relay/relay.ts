// A relay over one data directory, put together: stores, hub and HTTP side. No port is opened and no time is kept here: main.ts does that,
// and the seed command drives the same relay by a clock of its own.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { AccountId } from '#shared/base/ids.ts'
import type { Clock } from '#shared/base/ports.ts'
import type { Verifier } from '#shared/crypto/ports.ts'
import { createCommandDesk } from './community/command-desk.ts'
import { createInviteSight } from './community/invite-sight.ts'
import { createStructureAuthor } from './community/structure-author.ts'
import { loadVerifier, nodeHasher, nodeRandom } from './crypto.ts'
import { nameMark } from './http/account-routes.ts'
import { createHttp } from './http/http.ts'
import { createSessions } from './http/sessions.ts'
import type { HttpSettings } from './http/settings.ts'
import { createHub, type Hub } from './hub.ts'
import { createCounters } from './hub-counters.ts'
import type { HubSettings } from './hub-ports.ts'
import { readFreeBytes } from './ops/free-bytes.ts'
import { createHealth } from './ops/health.ts'
import type { RelayLog } from './ops/log.ts'
import { createMeasured } from './ops/measured.ts'
import { createMetrics } from './ops/metrics.ts'
import { redoTaken } from './ops/redo-taken.ts'
import { openSecrets } from './ops/secrets.ts'
import type { AccountStore } from './store/account-store.ts'
import { startCarryOver } from './store/carry-over.ts'
import type { CommunityStore } from './store/community-store.ts'
import { lockData } from './store/data-lock.ts'
import { type Database, openDatabase } from './store/database.ts'
import { createDatabaseFigures } from './store/database-figures.ts'
import { createIncarnationFile } from './store/incarnation-file.ts'
import type { LogStore } from './store/log-store.ts'
import { openRedactionJournal } from './store/redaction-journal.ts'
import { createRedoneMark, openMetaStore } from './store/relay-meta.ts'
import { createSqliteAccountStore } from './store/sqlite-account-store.ts'
import { createSqliteCommunityStore } from './store/sqlite-community-store.ts'
import { createSqliteLogStore } from './store/sqlite-log-store.ts'
import { createSqlitePrivateStore } from './store/sqlite-private-store.ts'
import { startVerifyThreads } from './verify-ahead.ts'

export interface RelaySettings {
  dataDir: string
  clock: Clock
  /** As the hub's. */
  steady?: Clock | undefined
  log: RelayLog
  hub: HubSettings
  http: HttpSettings
  /** Instead of libsodium: for measuring what everything else costs. */
  verifier?: Verifier
  /** Threads that check signatures; 0: this one does. */
  verifyThreads?: number
  /** Stands between the hub and its channels: where tests plant faults. */
  wrapChannels?: (store: LogStore) => LogStore
}

export interface Relay {
  readonly hub: Hub
  readonly http: ReturnType<typeof createHttp>
  readonly database: Database
  readonly accounts: AccountStore
  readonly community: CommunityStore
  readonly channels: LogStore
  /** Signatures are checked by the native addon, not by its wasm stand-in. */
  readonly native: boolean
  /** The database is an older one than this relay wrote last. */
  readonly restored: boolean
  /** Ends links, finishes what is under way, and gives the directory free. */
  close(): Promise<void>
}

/** @throws {Error} a sentence for the operator: the directory is in use, or something in it cannot be read */
export async function openRelay(settings: RelaySettings): Promise<Relay> {
  const { dataDir, clock, log, hub: hubSettings, http: httpSettings } = settings
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const unlock = lockData(join(dataDir, 'lock'))
  const secrets = openSecrets(join(dataDir, 'secrets.json'), nodeRandom)
  const databasePath = join(dataDir, 'relay.db')
  const database = openDatabase(databasePath)
  const figures = createDatabaseFigures(database, databasePath)
  const freeBytes = () => readFreeBytes(dataDir)
  const counters = createCounters()
  const measured = createMeasured(() => performance.now())
  const { meta, restored } = openMetaStore(database, createIncarnationFile(join(dataDir, 'incarnation')), nodeRandom)
  const journal = openRedactionJournal(join(dataDir, 'redactions'))

  const loaded = settings.verifier ? { verifier: settings.verifier, native: false } : await loadVerifier()
  const verifier = measured.verifier(loaded.verifier)
  const carryOver = startCarryOver(databasePath, database, log.threadFailed)
  const threads = settings.verifyThreads ? startVerifyThreads(settings.verifyThreads, log.threadFailed) : undefined
  const accounts = createSqliteAccountStore(database, journal)
  const community = measured.community(createSqliteCommunityStore(database))
  const accountsAsStored = createSqliteAccountStore(database)
  const eraseAgain = async (id: AccountId) => {
    const account = await accounts.byId(id)
    if (account) await accountsAsStored.erase(id, clock.now(), nameMark(secrets.pepper, account.username))
  }
  const redo = () =>
    redoTaken({
      journal,
      log: createSqliteLogStore(database),
      meta,
      redone: createRedoneMark(database),
      eraseAccount: eraseAgain,
      clock,
      decision: { random: nodeRandom, limits: hubSettings },
    })
  if (await redo()) database.scrub()
  const stored = createSqliteLogStore(database, journal)
  const channels = measured.log(settings.wrapChannels?.(stored) ?? stored)
  const structure = await createStructureAuthor({ store: community, random: nodeRandom })
  const sessions = createSessions({
    store: accounts,
    clock,
    random: nodeRandom,
    settings: httpSettings.session,
    endSession: (idHash, why) => hub.endSession(idHash, why),
  })
  const hub = createHub({
    log: channels,
    community,
    private: createSqlitePrivateStore(database),
    meta: {
      read: meta.read,
      async renew() {
        await meta.renew()
        await redo()
        await goOnErasing()
        return meta.read()
      },
    },
    accounts,
    sessions,
    desk: createCommandDesk({ store: community, structure, hasher: nodeHasher, verifier }),
    verifier,
    verifyAhead: threads?.verifyAhead,
    mac: nodeHasher,
    markKey: secrets.markKey,
    random: nodeRandom,
    clock,
    steady: settings.steady,
    nextTurn: () => new Promise((resolve) => setImmediate(resolve)),
    report: log.hub,
    disk: { freeBytes, databaseBytes: figures.usedBytes },
    counters,
    settings: hubSettings,
  })
  const goOnErasing = async () => {
    for (const account of await accounts.erasing()) hub.erase(account)
  }
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
    append: hub.append,
    ownsCommunity: async (account) => {
      for (const space of await community.spacesOf(account))
        if ((await community.head(space))?.state.owner === account) return true
      return false
    },
    // One above what the hub's clock may have reached by commits that are not on the disk yet.
    relayTime: async () => Math.max(clock.now(), (await meta.read()).clock + 1),
    eraseTraces: hub.erase,
    hasRoom: () => !hub.health().full,
    health: createHealth({
      meta,
      hub: hub.health,
      freeBytes,
      startedAt: clock.now(),
      now: clock.now,
    }),
    metrics: createMetrics({
      counters,
      commits: measured.commits,
      verifications: measured.verifications,
      hub: hub.health,
      meta,
      database: { usedBytes: figures.usedBytes, walBytes: figures.walBytes, sessions: () => figures.sessions(clock.now()) },
      freeBytes,
      node: process.versions.node,
    }),
    pages: fileURLToPath(new URL('../build', import.meta.url)),
  })
  await goOnErasing()
  return {
    hub,
    http,
    database,
    accounts,
    community,
    channels,
    native: loaded.native,
    restored,
    close: async () => {
      await hub.stop()
      await threads?.close()
      await carryOver.close()
      structure.close()
      database.close()
      journal.close()
      unlock()
    },
  }
}
