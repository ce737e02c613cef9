// A real relay in this process over a directory of its own: the stores, the hub, the HTTP side, native signatures. Around it people with real accounts
// and certified devices, each with a wire that does nothing but keep what came. Time is the fuzzer's; no port is opened.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nodeHasher } from '#relay/crypto.ts'
import { httpDefaults } from '#relay/http/settings.ts'
import type { LinkHandle } from '#relay/hub.ts'
import { type HubSettings, hubDefaults } from '#relay/hub-ports.ts'
import type { RelayLog } from '#relay/ops/log.ts'
import { openRelay, type Relay } from '#relay/relay.ts'
import type { LogStore } from '#relay/store/log-store.ts'
import { type Bytes, toBase64Url } from '#shared/base/bytes.ts'
import type { AccountId, DeviceId } from '#shared/base/ids.ts'
import { createPrng, type Prng } from '#shared/base/prng.ts'
import type { Signer, Verifier } from '#shared/crypto/ports.ts'
import { loadSodium } from '#shared/crypto/sodium.ts'
import { accountIdOf, deviceIdOf, popSignedBytes, statementSignedBytes, writeDevAdd } from '#shared/crypto/statements.ts'
import { encodeUp, parseDown } from '#shared/protocol/frame-codec.ts'
import { type ControlDown, closeCodes, type FrameDown } from '#shared/protocol/frames.ts'
import { noRates } from '../fakes/no-rates.ts'

/** libsodium's wasm: the oracle's verifier, where the relay has the native one. */
export const sodium = await loadSodium()

export interface Person {
  name: string
  email: string
  account: AccountId
  dev: DeviceId
  token: string
  /** Kept for signing in again. */
  authKey: Bytes
  identity: Signer
  device: Signer
}

/** What stands between the relay and its world instead of the real thing. */
export interface Planted {
  verifier?: Verifier
  wrapChannels?: (store: LogStore) => LogStore
  verifyThreads?: number
}

export interface FuzzLink {
  /** Everything that came since it was last emptied. */
  frames: FrameDown[]
  /** 0 while it is open. */
  readonly closedWith: number
  readonly handle: LinkHandle
}

export interface FuzzWorld {
  readonly relay: Relay
  readonly clock: { time: number; now(): number }
  /** What must never happen: failed turns, failed requests, frames that cannot be read. Empty in a good run. */
  readonly troubles: string[]
  /** @param certified false: he has a session that speaks for no device yet */
  signUp(name: string, random: Prng, certified: boolean): Promise<Person>
  connect(): FuzzLink
  /** A link that has said hello and was welcomed. @throws where it was not */
  greet(person: Person): Promise<FuzzLink>
  /** One request of the JSON API, as the HTTP side sees it. */
  request(
    path: string,
    body: Uint8Array | undefined,
    headers: Readonly<Record<string, string>>,
  ): Promise<{ status: number; text: string }>
  close(): Promise<void>
}

const often = { points: 100_000_000, seconds: 60 }

/** @param planted with `verifyThreads` 1, signatures are checked ahead on a thread of their own */
export async function openFuzzWorld(hub: Partial<HubSettings>, planted: Planted): Promise<FuzzWorld> {
  const dataDir = mkdtempSync(join(tmpdir(), 'dupecord-fuzz-'))
  const clock = { time: 1_800_000_000_000, now: () => clock.time }
  const troubles: string[] = []
  const { limits } = httpDefaults
  const relay = await openRelay({
    dataDir,
    clock,
    log: createListeningLog(troubles),
    hub: { ...hubDefaults, ...noRates, ...hub },
    http: {
      ...httpDefaults,
      limits: {
        ...limits,
        prelogin: often,
        loginFailuresPerLogin: often,
        loginFailuresPerAddress: often,
        registerPerAddress: often,
        registerPerDay: often,
        usernameChecks: often,
        previews: often,
        entryPosts: often,
        devices: often,
      },
      digest: { passes: 1, memoryKiB: 8, atOnceMax: 8 },
    },
    ...planted,
  })
  // No power fails here; the order of commits is the same.
  relay.database.sql.exec('PRAGMA synchronous=OFF')

  const world: FuzzWorld = {
    relay,
    clock,
    troubles,
    async signUp(name, random, certified) {
      const [identity, device] = [sodium.signerFromSeed(random.bytes(32)), sodium.signerFromSeed(random.bytes(32))]
      const account = accountIdOf(nodeHasher, identity.publicKey)
      const dev = deviceIdOf(nodeHasher, device.publicKey)
      const [authKey, email] = [random.bytes(32), `${name}@example.org`]
      const body = {
        username: name,
        email,
        salt: toBase64Url(random.bytes(16)),
        authKey: toBase64Url(authKey),
        identity: toBase64Url(identity.publicKey),
        vault: toBase64Url(random.bytes(100)),
      }
      await ask(world, '/api/register', body, '')
      const { token } = await ask(world, '/api/login', { login: name, authKey: body.authKey }, '')
      const pop = device.sign(popSignedBytes(identity.publicKey))
      const statement = writeDevAdd({ account, identity: identity.publicKey, key: device.publicKey, at: clock.time, pop })
      const sig = toBase64Url(identity.sign(statementSignedBytes(statement)))
      if (certified) await ask(world, '/api/devices', { statement, sig }, token)
      return { name, email, account, dev, token, authKey, identity, device }
    },
    connect() {
      let closedWith = 0
      const link: FuzzLink = {
        frames: [],
        get closedWith() {
          return closedWith
        },
        handle: relay.hub.connect({
          send(bytes) {
            const frame = parseDown(bytes)
            if (closedWith !== 0) troubles.push('a frame was sent behind the close')
            if (!frame || frame.kind === 'unknown') troubles.push(`the relay sent what cannot be read: ${toBase64Url(bytes)}`)
            else link.frames.push(frame)
          },
          close(code) {
            if (!Object.values<number>(closeCodes).includes(code)) troubles.push(`closed with ${code}, which is no code of ours`)
            closedWith = code
          },
          queuedBytes: () => 0,
        }),
      }
      return link
    },
    async greet({ name, token }) {
      const link = world.connect()
      link.handle.receive(encodeUp({ kind: 'control', message: { t: 'hello', v: 1, token, incarnation: '', mark: '' } }))
      await relay.hub.idle()
      if (controlsOf(link, 'ready').length !== 1) throw new Error(`${name} is not welcomed: ${link.closedWith}`)
      return link
    },
    async request(path, body, headers) {
      const init = body === undefined ? { method: 'GET', headers } : { method: 'POST', headers, body: new Uint8Array(body) }
      const answer = await relay.http.request(path, init, { incoming: { socket: { remoteAddress: '127.0.0.1' } } })
      return { status: answer.status, text: await answer.text() }
    },
    async close() {
      await relay.close()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
  return world
}

export function controlsOf<T extends ControlDown['t']>(link: FuzzLink, t: T): (ControlDown & { t: T })[] {
  // reason: the filter keeps only messages of that kind
  return link.frames.flatMap((frame) => (frame.kind === 'control' && frame.message.t === t ? [frame.message as never] : []))
}

/**
 * Settings of one round: often small segments, so that sealing and annexes are met; sometimes few tokens, so that entries wait;
 * sometimes a link that ends at the third severe refusal.
 */
export function drawSettings(seed: number): Partial<HubSettings> {
  const random = createPrng(seed ^ 0x5eed)
  const small = random.chance(0.7)
  return {
    severeRefusalsMax: random.chance(0.3) ? 3 : 1_000_000,
    turnEntriesMax: random.pick([1, 64, 512]),
    ...(random.chance(0.25) && { entryBurst: 2 + random.below(8), entriesPerMinute: 15 }),
    ...(small && {
      segmentPostsMax: 3 + random.below(40),
      segmentBytesMax: 2_000 + random.below(60_000),
      segmentElementsFull: 10 + random.below(60),
      segmentBytesFull: 8_000 + random.below(120_000),
      segmentRowsMax: 1 + random.below(30),
      privateDocumentBytesMax: 2_000 + random.below(4_000),
      privateBlobsMax: 2 + random.below(6),
    }),
  }
}

async function ask(world: FuzzWorld, path: string, body: object, token: string): Promise<{ token: string }> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` }
  const answer = await world.request(path, Buffer.from(JSON.stringify(body)), headers)
  if (answer.status > 299) throw new Error(`${path} of an honest person: ${answer.status} ${answer.text}`)
  return JSON.parse(answer.text)
}

function createListeningLog(troubles: string[]): RelayLog {
  const say = (what: string) => (error?: unknown) =>
    void troubles.push(`${what}: ${error instanceof Error ? error.stack : error}`)
  return {
    hub(event) {
      if (event.kind === 'store-failed' || event.kind === 'read-failed') say(event.kind)(event.error)
      else if (event.kind !== 'closed') say('the hub reports')(event.kind)
    },
    threadFailed: say('a thread failed'),
    security: () => {},
    failure: (path, error) => say(`a request to ${path} failed`)(error),
    started: () => {},
    fatal: say('fatal'),
  }
}
