// One signed-in account at work: its store, core, private document and connection, started together and ended together.
import type { AccountId } from '#shared/base/ids.ts'
import type { Clock, Random } from '#shared/base/ports.ts'
import type { Sodium } from '#shared/crypto/sodium.ts'
import type { DeviceKeyPair, StoredDeviceKey } from '../platform/device-key.ts'
import type { Socket, SocketEvents } from '../platform/socket.ts'
import type { Timers } from '../platform/timers.ts'
import { type Connection, type ConnectionPhase, createConnection } from './connection.ts'
import { type Core, createCore } from './core/core.ts'
import type { Change } from './core/ports.ts'
import type { DeviceStore } from './device-store.ts'
import type { PrivateChange, PrivateDocument } from './private/private-document.ts'
import type { ProfileStore, StoredSession } from './storage/profile-store.ts'

export interface RuntimePorts {
  clock: Clock
  random: Random
  timers: Timers
  sodium(): Promise<Sodium>
  profile: ProfileStore
  openDeviceKey(stored: StoredDeviceKey): DeviceKeyPair
  openStore(account: AccountId, epoch: number, onClosed: () => void): Promise<DeviceStore>
  openDocument(account: AccountId, changed: (change: PrivateChange) => void): PrivateDocument
  openSocket(events: SocketEvents): Socket
  /** Another engine leads: this one has nothing to do any more. */
  overtaken(): void
  report(error: unknown): void
}

/** None of these is called after `halt`. */
export interface RuntimeEvents {
  coreChanged(changes: ReadonlySet<Change>): void
  documentChanged(change: PrivateChange): void
  connectionChanged(phase: ConnectionPhase): void
  /** A commit failed: all of this is to be halted, and built anew from the store. */
  failed(error: unknown): void
}

export interface RunningAccount {
  readonly core: Core
  readonly document: PrivateDocument
  readonly connection: Connection
  halt(): Promise<void>
}

/** @param firstPauseMs how long to stay offline: storage that fails at whatever the relay brings must not make us come back every second */
export async function runAccount(
  ports: RuntimePorts,
  session: StoredSession,
  events: RuntimeEvents,
  firstPauseMs: number,
): Promise<RunningAccount> {
  const { clock, random, timers, profile } = ports
  const { account, username, dev, token } = session
  const stored = await profile.deviceKey(account)
  if (!stored) throw new Error('must hold: a session is stored with its key')
  const key = ports.openDeviceKey(stored)
  const store = await ports.openStore(account, profile.epoch, () => ports.report('the database was closed'))
  let halted = false
  let core: Core | undefined
  let connection: Connection | undefined
  let cancelWake = () => {}
  const document = ports.openDocument(account, (change) => {
    if (change.kind === 'settled') core?.settleUnsent(change.id)
    else if (!halted) events.documentChanged(change)
  })
  core = await createCore({
    store,
    clock,
    random,
    signer: { dev, sign: key.sign },
    me: { account, username },
    words: document,
    crypto: ports.sodium,
    wakeAt: (time) => {
      cancelWake()
      cancelWake = time === 0 || halted ? () => {} : timers.after(time - clock.now(), () => core?.wake())
    },
    changed: (changes) => {
      if (halted) return
      if (changes.has('link')) connection?.coreReady(core?.world.link?.phase === 'ready')
      events.coreChanged(changes)
    },
    failed: (error) => {
      if (!halted) events.failed(error)
    },
  })
  connection = createConnection({
    clock,
    random,
    timers,
    openSocket: ports.openSocket,
    core,
    token,
    firstPauseMs,
    stream: document,
    stillLeads: async () => {
      const leads = await profile.leads()
      if (!leads) ports.overtaken()
      return leads
    },
    changed: (phase) => {
      if (!halted) events.connectionChanged(phase)
    },
  })
  const running = { core, document, connection }
  return {
    ...running,
    halt: async () => {
      halted = true
      cancelWake()
      running.connection.stop()
      await running.core.stop()
      store.close()
      await document.close()
    },
  }
}
