/// <reference lib="webworker" />
// The engine's dedicated worker: puts browser powers behind the engine's ports and starts it. Nothing is decided here.
// libsodium loads when something is to be signed or checked; what is stored is on screen before that.
import type { Bytes } from '#shared/base/bytes.ts'
import { stretchLeast } from '#shared/crypto/key-derivation.ts'
import { loadSodium, type Sodium } from '#shared/crypto/sodium.ts'
import { makeDeviceKey, openDeviceKey } from '../platform/device-key.ts'
import { keepsKey } from '../platform/key-storage.ts'
import { passwordStrength } from '../platform/password-strength.ts'
import { openSocket } from '../platform/socket.ts'
import { browserTimers } from '../platform/timers.ts'
import { createFetchHttp } from './account/account-http.ts'
import { createEngine } from './engine.ts'
import { openPrivateDocument, privateDatabaseName } from './private/private-document.ts'
import { type EngineMessage, type RpcMessage, rpcChannel } from './rpc.ts'
import { createRpcServer } from './rpc-server.ts'
import { deleteDatabase } from './storage/fenced-database.ts'
import { deleteAccountDatabase, openIdbDeviceStore } from './storage/idb-device-store.ts'
import { openProfileStore } from './storage/profile-store.ts'

declare const self: DedicatedWorkerGlobalScope

const clock = { now: () => Date.now() }
const random = { bytes: (length: number): Bytes => crypto.getRandomValues(new Uint8Array(length)) }
/** The page that started us says what it is: a worker has no page to ask. */
const [build = '', loadedAt = '0'] = self.name.split(' ')

let sodium: Promise<Sodium> | undefined
function sodiumOnce(): Promise<Sodium> {
  sodium ??= loadSodium().catch((error: unknown) => {
    sodium = undefined
    throw error
  })
  return sodium
}

const keyPorts = {
  subtle: self.isSecureContext ? crypto.subtle : undefined,
  random,
  sodium: sodiumOnce,
  keeps: (key: CryptoKey) =>
    keepsKey(indexedDB, 'dupecord-key-trial', key, async (kept) => {
      if (!(kept instanceof CryptoKey)) return false
      return (await crypto.subtle.sign('Ed25519', kept, random.bytes(8))).byteLength === 64
    }),
}

function report(error: unknown): void {
  console.error(error)
}

/** Nothing of this worker may go on: another leads, or the page starts the next one. */
function end(): void {
  self.close()
}

async function boot(): Promise<void> {
  const profile = await openProfileStore(end)
  const channel = new BroadcastChannel(rpcChannel)
  const server = createRpcServer({
    clock,
    timers: browserTimers,
    page: { build, loadedAt: Number(loadedAt) },
    epoch: profile.epoch,
    post: (message: EngineMessage) => channel.postMessage(message),
  })
  channel.onmessage = (event: MessageEvent<RpcMessage>) => server.receive(event.data)
  const engine = await createEngine(
    {
      clock,
      random,
      timers: browserTimers,
      http: createFetchHttp(fetch.bind(self)),
      sodium: sodiumOnce,
      isStrongPassword: async (password, about) => (await passwordStrength(password, about)).enough,
      stretch: stretchLeast,
      profile,
      makeDeviceKey: () => makeDeviceKey(keyPorts),
      openDeviceKey: (stored) => openDeviceKey(stored, keyPorts),
      openStore: openIdbDeviceStore,
      openDocument: openPrivateDocument,
      deleteAccount: async (account) => {
        await deleteAccountDatabase(account)
        await deleteDatabase(privateDatabaseName(account))
      },
      openSocket: (events) => openSocket('/api/socket', events),
      tell: (news) => channel.postMessage({ to: 'tabs', kind: 'news', ...news } satisfies EngineMessage),
      overtaken: end,
      report,
    },
    (await navigator.storage?.persisted?.()) || undefined,
  )
  server.serve(engine)
  self.addEventListener('online', () => engine.networkIsBack())
  self.addEventListener('offline', () => engine.networkIsGone())
}

// An engine that cannot start must not look alive: the page sees the error and starts another.
boot().catch((error: unknown) => {
  setTimeout(() => {
    throw error
  })
})
