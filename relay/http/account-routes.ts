// Making an account and signing in to it. What may be said to whom is SECURITY's: usernames are public; whether a login exists is not told
// by prelogin or login, neither in words nor in time; a relay without mail says plainly that an address is used, having no other way.
import type { Hono } from 'hono'
import * as v from 'valibot'
import { toBase64Url, utf8 } from '#shared/base/bytes.ts'
import { deriveKey, stretchLeast } from '#shared/crypto/key-derivation.ts'
import { accountIdOf } from '#shared/crypto/statements.ts'
import { foldLogin, isEmail, isUsername } from '#shared/protocol/account-rules.ts'
import { nodeHasher } from '../crypto.ts'
import type { AccountRow } from '../store/account-store.ts'
import { bytesField, readBody, sendAnswer, sendRefusal } from './answers.ts'
import type { LoginGuard } from './login-guard.ts'
import type { HttpContext, HttpEnv, HttpPorts } from './ports.ts'
import { createLimiter } from './rate-limits.ts'

const username = v.pipe(v.string('username'), v.check(isUsername, 'username'))
const loginField = v.pipe(v.string(), v.maxLength(1024))
const bodies = {
  prelogin: v.object({ login: loginField }),
  username: v.object({ username }),
  login: v.object({ login: loginField, authKey: bytesField(32) }),
  register: v.object({
    username,
    email: v.pipe(v.string('email'), v.check(isEmail, 'email')),
    salt: bytesField(16),
    authKey: bytesField(32),
    identity: bytesField(32),
    vault: bytesField(41, 1024),
  }),
}

/** What stays of an erased account's name, so that nobody poses as its person: no username looks like it, and without the pepper none can be tried. */
export function nameMark(pepper: Uint8Array, username: string): string {
  return `~${toBase64Url(deriveKey(nodeHasher, pepper, 'erased-username', utf8(username)))}`
}

export function addAccountRoutes(http: Hono<HttpEnv>, ports: HttpPorts, guard: LoginGuard): void {
  const { accounts, sessions, settings, log, clock } = ports
  const limit = {
    prelogin: createLimiter(settings.limits.prelogin, clock),
    usernameChecks: createLimiter(settings.limits.usernameChecks, clock),
    registerPerAddress: createLimiter(settings.limits.registerPerAddress, clock),
    registerPerDay: createLimiter(settings.limits.registerPerDay, clock),
  }

  http.post('/api/prelogin', async (c) => {
    const body = await readBody(c, bodies.prelogin)
    if (!body.ok) return sendRefusal(c, body.code)
    const wait = await limit.prelogin.take(c.var.address)
    if (wait > 0) return sendLimited(c, wait)
    const login = foldLogin(body.value.login)
    const account = await find(login)
    // Made for the unknown too, so that the time it takes says nothing; stable, so that asking twice says nothing.
    const fake = deriveKey(nodeHasher, ports.pepper, 'fake-salt', utf8(login)).subarray(0, 16)
    const salt = toBase64Url(account?.salt ?? fake)
    return sendAnswer(c, 'prelogin', { salt, ops: stretchLeast.passes, memKiB: stretchLeast.memoryKiB })
  })

  http.post('/api/username', async (c) => {
    const body = await readBody(c, bodies.username)
    if (!body.ok) return sendRefusal(c, body.code)
    const wait = await limit.usernameChecks.take(c.var.address)
    if (wait > 0) return sendLimited(c, wait)
    return sendAnswer(c, 'username', { free: !(await isTaken(body.value.username)) })
  })

  http.post('/api/register', async (c) => {
    const body = await readBody(c, bodies.register)
    if (!body.ok) return sendRefusal(c, body.code)
    const { address } = c.var
    const { authKey, ...fields } = body.value
    if (!ports.verifier.isValidKey(fields.identity)) return sendRefusal(c, 'shape')
    const waitHere = await limit.registerPerAddress.take(address)
    if (waitHere > 0) return sendLimited(c, waitHere)
    const waitToday = await limit.registerPerDay.take('')
    if (waitToday > 0) {
      await limit.registerPerAddress.giveBack(address)
      return sendLimited(c, waitToday)
    }

    const outcome = await register(fields, authKey)
    if (outcome === 'created') return c.json({}, 201)
    await limit.registerPerDay.giveBack('') // counts accounts, not tries
    // A taken name costs nothing: names are public. A taken address does, or this would be a fast way to ask for addresses.
    if (outcome !== 'email_taken') await limit.registerPerAddress.giveBack(address)
    if (outcome === 'busy') return sendBusy(c)
    const code = outcome === 'identity_taken' ? 'shape' : outcome
    log.security({ event: 'register_refused', address, code })
    return sendRefusal(c, code)

    async function register(
      { username, email, salt, identity, vault }: typeof fields,
      secret: Uint8Array,
    ): Promise<'busy' | Awaited<ReturnType<typeof accounts.create>>> {
      if (await isTaken(username)) return 'username_taken'
      if (await accounts.byEmail(email)) return 'email_taken'
      const digest = await guard.digests.make(secret)
      if (!digest.ok) return digest.code
      const id = accountIdOf(nodeHasher, identity)
      const row: Omit<AccountRow, 'operator'> = {
        id,
        username,
        email,
        emailConfirmed: false,
        salt,
        passwordDigest: digest.value,
        identity,
        vault,
        vaultRev: 1,
        avatar: '',
        created: ports.clock.now(),
      }
      const created = await accounts.create(row)
      if (created === 'created') {
        const operator = (await accounts.byId(id))?.operator ?? false
        log.security({ event: 'registered', address, account: id, operator })
      }
      return created
    }
  })

  http.post('/api/login', async (c) => {
    const body = await readBody(c, bodies.login)
    if (!body.ok) return sendRefusal(c, body.code)
    const { address } = c.var
    const login = foldLogin(body.value.login)
    const account = await find(login)
    // Counted by what was typed and not by the account: a shared count would tell which address belongs to which name.
    const proof = await guard.prove(address, login, account?.passwordDigest, body.value.authKey)
    if (proof.kind === 'wait') return sendLimited(c, proof.seconds)
    if (proof.kind === 'busy') return sendBusy(c)
    const token = account && proof.kind === 'right' ? await signIn(account) : undefined
    if (!account || token === undefined) {
      log.security({ event: 'sign_in_failed', address, account: account?.id ?? '' })
      return sendRefusal(c, 'bad_login')
    }
    log.security({ event: 'signed_in', address, account: account.id })
    return sendAnswer(c, 'login', {
      token,
      account: account.id,
      username: account.username,
      operator: account.operator,
      identity: toBase64Url(account.identity),
      vault: toBase64Url(account.vault),
      vaultRev: account.vaultRev,
    })
  })

  /** What was proved may be over by now: a password that was changed meanwhile ends all sessions, and this one has to be among them. */
  async function signIn({ id, passwordDigest }: AccountRow): Promise<string | undefined> {
    const token = await sessions.start(id)
    if ((await accounts.byId(id))?.passwordDigest === passwordDigest) return token
    await sessions.endAll(id, ({ dev }) => dev !== '')
    return undefined
  }

  /** In this order: a name that is erased in between is found by the one or by the other. */
  async function isTaken(username: string): Promise<boolean> {
    if (await accounts.byUsername(username)) return true
    return accounts.isMarked(nameMark(ports.pepper, username))
  }

  function find(login: string): Promise<AccountRow | undefined> {
    return login.includes('@') ? accounts.byEmail(login) : accounts.byUsername(login)
  }

  function sendLimited(c: HttpContext, retryAfterS: number): Response {
    log.security({ event: 'limited', address: c.var.address, path: c.req.path, retryAfterS })
    return sendRefusal(c, 'too_many', retryAfterS)
  }

  function sendBusy(c: HttpContext): Response {
    log.security({ event: 'busy', address: c.var.address, path: c.req.path })
    return sendRefusal(c, 'busy')
  }
}
