// The relay of the simulation: the real hub and the real command desk on memory stores, in a process that can die at any call of them.
import { createHmac } from 'node:crypto'
import { createCommandDesk } from '#relay/community/command-desk.ts'
import { createStructureAuthor, type StructureAuthor } from '#relay/community/structure-author.ts'
import { createHub } from '#relay/hub.ts'
import { type HubEvent, type HubSettings, hubDefaults } from '#relay/hub-ports.ts'
import type { AccountStore } from '#relay/store/account-store.ts'
import type { CommandBatch } from '#relay/store/community-store.ts'
import type { AccountId, DeviceId } from '#shared/base/ids.ts'
import type { Clock } from '#shared/base/ports.ts'
import type { Prng } from '#shared/base/prng.ts'
import type { Mac, SignatureClaim } from '#shared/crypto/ports.ts'
import type { ChannelBatch } from '#shared/log/facts.ts'
import { hasher, verifier } from './fake-crypto.ts'
import type { Mutant, MutantWorld } from './mutants.ts'
import type { Line, RelayEnd } from './network.ts'
import { createProcess, type Room, type SimProcess } from './process.ts'
import type { RelayDisk } from './relay-disk.ts'
import type { RelayOracle } from './relay-oracle.ts'
import type { RelayStores } from './sqlite-stores.ts'

export interface RelaySession {
  account: AccountId
  dev: DeviceId
}

export interface RelayWorld {
  prng: Prng
  /** The relay's own, which may be wrong and jump. */
  clock: Clock
  /** What timers run by. */
  time(): number
  room: Room
  /** Opens what is on the disk. */
  stores(disk: RelayDisk): RelayStores
  accounts: AccountStore
  sessions: ReadonlyMap<string, RelaySession>
  oracle: RelayOracle
  mutant: Mutant
  mutantWorld: MutantWorld
  settings: Partial<HubSettings>
  /** Write the real structure document too: it costs wasm, so not in every seed. */
  structure: boolean
  /** Signatures of the next turn are checked elsewhere, meanwhile. */
  verifiesAhead: boolean
  eager(): boolean
  report(event: HubEvent): void
  failed(error: unknown): void
}

export interface RelayNode {
  readonly process: SimProcess
  readonly disk: RelayDisk
  /** @param accountOf whose the line is, once its hello has arrived */
  connect(line: Line, accountOf: () => AccountId | undefined): RelayEnd
  tick(): void
}

const mac: Mac = {
  hmacSha256: (key, bytes) => new Uint8Array(createHmac('sha256', key).update(bytes).digest()),
}
const markKey = new Uint8Array(32).fill(7)
const noStructure: StructureAuthor = { write: async () => undefined, forget: () => {}, close: () => {} }

export async function bootRelay(world: RelayWorld, disk: RelayDisk, onCrash: () => void): Promise<RelayNode> {
  const { prng, oracle, mutant, mutantWorld } = world
  const process = createProcess({ eager: world.eager, died: onCrash, room: world.room })
  /** A broken rule is the simulation's failure, never the store's. */
  const watched = (look: (method: string, args: unknown[]) => unknown) => (method: string, args: unknown[]) => {
    try {
      look(method, args)
    } catch (error) {
      world.failed(error)
    }
  }
  oracle.look(disk)

  const stores = world.stores(disk)
  const log = process.port(mutant.log?.(stores.log, mutantWorld) ?? stores.log, {
    mayFail: true,
    writes: ['commit', 'compact', 'markRead', 'eraseMarkers'],
    // reason: the port's method of that name has these arguments
    watch: watched((method, args) => method === 'commit' && oracle.entriesCommitted(args[0] as readonly ChannelBatch[])),
  })
  const community = process.port(mutant.community?.(stores.community) ?? stores.community, {
    mayFail: true,
    writes: ['commit'],
    // reason: the port's method of that name has these arguments
    watch: watched((method, args) => method === 'commit' && oracle.commandCommitted(args[0] as CommandBatch)),
  })
  const relayVerifier = mutant.relayVerifier?.(verifier) ?? verifier
  const structure = world.structure ? await createStructureAuthor({ store: community, random: prng }) : noStructure
  const turns = process.port({ next: async () => {} }, { mayFail: false })
  const ahead = process.port(
    {
      check: async (claims: readonly SignatureClaim[]) =>
        claims.map(({ signature, message, key }) =>
          prng.chance(0.1) ? undefined : relayVerifier.verify(signature, message, key),
        ),
    },
    { mayFail: false },
  )
  const hub = createHub({
    log: mutant.logOutside?.(log) ?? log,
    community,
    private: process.port(stores.private, { mayFail: true, writes: ['put', 'erase'] }),
    meta: process.port(mutant.meta?.(stores.meta) ?? stores.meta, { mayFail: true, writes: ['renew'] }),
    accounts: process.port(world.accounts, { mayFail: true }),
    sessions: process.port(
      {
        check: async (token: string) => {
          const session = world.sessions.get(token)
          return session && { ...session, idHash: token }
        },
        prolong: async () => Number.POSITIVE_INFINITY,
      },
      { mayFail: true },
    ),
    desk: createCommandDesk({ store: community, structure, hasher, verifier: relayVerifier }),
    verifier: relayVerifier,
    verifyAhead: world.verifiesAhead ? (claims) => (claims.length > 1 ? ahead.check(claims) : undefined) : undefined,
    mac,
    markKey: mutant.forgetsMarkKey ? prng.bytes(32) : markKey,
    random: prng,
    clock: world.clock,
    steady: { now: world.time },
    nextTurn: () => turns.next(),
    report: process.entry(world.report),
    settings: { ...hubDefaults, ...world.settings },
  })

  return {
    process,
    disk,
    connect(line, accountOf) {
      const link = hub.connect({
        send: process.entry((bytes) => {
          const account = accountOf()
          try {
            if (account) oracle.frameLeaves(bytes, account)
          } catch (error) {
            world.failed(error)
          }
          line.sendDown(bytes)
        }),
        close: process.entry((code) => line.closeByRelay(code)),
        queuedBytes: () => line.queuedDown(),
      })
      return {
        receive: process.entry((bytes) => link.receive(bytes)),
        drained: process.entry(() => link.drained()),
        closed: process.entry(() => link.closed()),
      }
    },
    tick: process.entry(() => hub.tick()),
  }
}
