// A relay's HTTP side in the process: real routes, real digests at their cheapest, a clock and randomness of the test's own.
import { nodeHasher } from '#relay/crypto.ts'
import { createHttp } from '#relay/http/http.ts'
import type { Health, HttpPorts } from '#relay/http/ports.ts'
import type { SecurityEvent } from '#relay/http/security-log.ts'
import { createSessions } from '#relay/http/sessions.ts'
import { type HttpSettings, httpDefaults } from '#relay/http/settings.ts'
import type { AccountStore } from '#relay/store/account-store.ts'
import { type Bytes, toBase64Url } from '#shared/base/bytes.ts'
import type { AccountId } from '#shared/base/ids.ts'
import { createPrng } from '#shared/base/prng.ts'
import type { Signer } from '#shared/crypto/ports.ts'
import { loadSodium } from '#shared/crypto/sodium.ts'
import { accountIdOf, popSignedBytes, statementSignedBytes, writeDevAdd } from '#shared/crypto/statements.ts'
import type { HttpAnswers } from '#shared/protocol/http-answers.ts'
import { createMemoryAccountStore } from '../../fakes/memory-account-store.ts'

export interface Answer {
  status: number
  headers: Headers
  /** What was answered, as it came. */
  text: string
  // reason: tests read fields of whatever came and compare them; the codes and shapes are what they check
  // biome-ignore lint/suspicious/noExplicitAny: see above
  json: any
}

export interface Sent {
  token?: string
  address?: string
  forwardedFor?: string
  type?: string
  method?: string
}

/** What a device holds of the account it makes. */
export interface Person {
  username: string
  email: string
  authKey: Bytes
  identity: Signer
  account: AccountId
  body: Record<string, string>
}

export type HttpWorld = Awaited<ReturnType<typeof createHttpWorld>>

export async function createHttpWorld(
  given: {
    settings?: Partial<Omit<HttpSettings, 'limits'>> & { limits?: Partial<HttpSettings['limits']> }
    store?: AccountStore
    pages?: string
    previewInvite?: (code: string, viewer: AccountId | undefined) => Promise<HttpAnswers['invite'] | undefined>
    append?: HttpPorts['append']
    health?: () => Promise<Health>
  } = {},
) {
  const sodium = await loadSodium()
  const random = createPrng(7)
  const clock = { time: 1_800_000_000_000, now: () => clock.time }
  const accounts = given.store ?? createMemoryAccountStore()
  const events: SecurityEvent[] = []
  const failures: unknown[] = []
  const ended: string[] = []
  const settings: HttpSettings = {
    ...httpDefaults,
    digest: { passes: 1, memoryKiB: 8, atOnceMax: 8 },
    ...given.settings,
    limits: { ...httpDefaults.limits, ...given.settings?.limits },
  }
  const endSession = (idHash: string, why?: 'renewed') => void ended.push(why ? `${why} ${idHash}` : idHash)
  const owners = new Set<AccountId>()
  const erased: AccountId[] = []
  const sessions = createSessions({ store: accounts, clock, random, settings: settings.session, endSession })
  const http = createHttp({
    settings,
    accounts,
    sessions,
    verifier: sodium,
    clock,
    random,
    pepper: new Uint8Array(32).fill(9),
    log: { security: (event) => void events.push(event), failure: (_path, error) => void failures.push(error) },
    previewInvite: given.previewInvite ?? (async () => undefined),
    append: given.append ?? (async () => ({ kind: 'decided', verdicts: [], wait: 0, why: undefined })),
    ownsCommunity: async (account) => owners.has(account),
    relayTime: async () => clock.now(),
    eraseTraces: (account) => void erased.push(account),
    health: given.health ?? (async () => ({ ok: true })),
    pages: given.pages ?? '/nowhere',
  })

  const request = async (method: string, path: string, body: string | undefined, sent: Sent = {}): Promise<Answer> => {
    const headers = new Headers({ 'content-type': sent.type ?? 'application/json' })
    if (sent.type === '') headers.delete('content-type')
    if (sent.token !== undefined) headers.set('authorization', `Bearer ${sent.token}`)
    if (sent.forwardedFor !== undefined) headers.set('x-forwarded-for', sent.forwardedFor)
    const env = { incoming: { socket: { remoteAddress: sent.address ?? '192.0.2.1' } } }
    const response = await http.request(path, { method, headers, ...(body === undefined ? {} : { body }) }, env)
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.startsWith('application/json') ?? false
    return { status: response.status, headers: response.headers, text, json: isJson ? JSON.parse(text) : undefined }
  }
  const post = (path: string, body: unknown, sent?: Sent) => request('POST', path, JSON.stringify(body), sent)

  return {
    sodium,
    random,
    clock,
    accounts,
    sessions,
    http,
    events,
    failures,
    ended,
    /** Accounts that own a community. */
    owners,
    erased,
    request,
    post,
    /** A person as a device would make one; not registered yet. */
    person(username: string): Person {
      const email = `${username}@example.org`
      const authKey = random.bytes(32)
      const identity = sodium.signerFromSeed(random.bytes(32))
      const [salt, vault] = [random.bytes(16), random.bytes(90)]
      const body = {
        username,
        email,
        salt: toBase64Url(salt),
        authKey: toBase64Url(authKey),
        identity: toBase64Url(identity.publicKey),
        vault: toBase64Url(vault),
      }
      return { username, email, authKey, identity, account: accountIdOf(nodeHasher, identity.publicKey), body }
    },
    register: (person: Person, sent?: Sent) => post('/api/register', person.body, sent),
    login: (person: Person, sent?: Sent) =>
      post('/api/login', { login: person.username, authKey: toBase64Url(person.authKey) }, sent),
    certify: (person: Person, token: string, device: Signer = sodium.signerFromSeed(random.bytes(32))) =>
      post('/api/devices', certificateOf(person, device, clock.now()), { token }),
  }
}

/** What POST /api/devices takes. */
export function certificateOf(
  person: Person,
  device: Signer,
  at: number,
  changed: Partial<Parameters<typeof writeDevAdd>[0]> = {},
): { statement: string; sig: string } {
  const identity = person.identity.publicKey
  const pop = device.sign(popSignedBytes(identity))
  const statement = writeDevAdd({ account: person.account, identity, key: device.publicKey, at, pop, ...changed })
  return { statement, sig: toBase64Url(person.identity.sign(statementSignedBytes(statement))) }
}
