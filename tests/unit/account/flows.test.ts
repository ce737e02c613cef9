import { expect, test } from 'vitest'
import { createFetchHttp } from '#app/engine/account/account-http.ts'
import { askInvite, askUsernameFree } from '#app/engine/account/relay-questions.ts'
import { signIn } from '#app/engine/account/sign-in.ts'
import { endSession } from '#app/engine/account/sign-out.ts'
import { createSignUp } from '#app/engine/account/sign-up.ts'
import { parseBase64Url, utf8 } from '#shared/base/bytes.ts'
import { verifyStatement } from '#shared/crypto/statements.ts'
import { codeOf, createAccountWorld } from './account-world.ts'

const dupe = { username: 'dupe', email: 'dupe@example.org', password: 'correct horse battery' }

test('[IN-1] sign-up gives a certified device, and the password never leaves', async () => {
  const world = await createAccountWorld()
  const answer = await createSignUp(world.ports)(dupe)
  if (!answer.ok) throw new Error(answer.code)
  const { token, account, username, operator, dev, device, identity } = answer.value
  expect([username, operator]).toEqual(['dupe', true])
  expect(await world.relay.sessions.check(token)).toMatchObject({ account, dev })
  const [row] = await world.relay.accounts.devices([dev])
  const identityKey = parseBase64Url(identity) ?? new Uint8Array(0)
  expect(
    verifyStatement(world.relay.sodium, row?.certificate ?? '', row?.sig ?? '', { account, identity: identityKey }),
  ).toMatchObject({ ok: true })
  const message = utf8('hello')
  expect(world.relay.sodium.verify(await device.sign(message), message, device.publicKey)).toBe(true)

  expect(world.posted.map(({ path }) => path)).toEqual(['/api/register', '/api/login', '/api/devices'])
  const sent = JSON.stringify(world.posted)
  expect(sent).not.toContain(dupe.password)
  const allowed = ['authKey', 'email', 'identity', 'login', 'salt', 'sig', 'statement', 'username', 'vault']
  for (const { body } of world.posted) for (const key of Object.keys(body)) expect(allowed).toContain(key)
})

test('[IN-2] signing in elsewhere, by name or address, opens the same identity and makes another device', async () => {
  const world = await createAccountWorld()
  const first = await createSignUp(world.ports)(dupe)
  const second = await signIn(world.ports, { login: 'DUPE@example.org', password: dupe.password })
  if (!first.ok || !second.ok) throw new Error('both are signed in')
  expect(second.value.account).toBe(first.value.account)
  expect(second.value.identity).toBe(first.value.identity)
  expect(second.value.dev).not.toBe(first.value.dev)
  expect(await world.relay.accounts.devicesOf(first.value.account)).toHaveLength(2)
})

test('[IN-3, check 4] a password is one however the keyboard composes it', async () => {
  const world = await createAccountWorld()
  await createSignUp(world.ports)({ ...dupe, password: 'Ångström für alle' })
  expect(codeOf(await signIn(world.ports, { login: 'dupe', password: 'A\u030angstro\u0308m fu\u0308r alle' }))).toBe('ok')
  expect(codeOf(await signIn(world.ports, { login: 'dupe', password: 'Angstrom fur alle' }))).toBe('bad_login')
})

test('[IN-4, check 1, check 2, check 3] what is wrong is said before anything is sent; a long password needs no figures', async () => {
  const world = await createAccountWorld()
  const signUp = createSignUp(world.ports)
  const cases: [Partial<typeof dupe>, string][] = [
    [{ username: 'Dupe' }, 'username'],
    [{ username: 'd' }, 'username'],
    [{ email: 'dupe' }, 'email'],
    [{ password: 'ninechars' }, 'password'],
    [{ password: '🔑'.repeat(9) }, 'password'],
    [{ password: 'x'.repeat(257) }, 'password'],
    [{ password: 'password1234' }, 'password_common'],
  ]
  for (const [changed, code] of cases) expect(codeOf(await signUp({ ...dupe, ...changed }))).toBe(code)
  expect(world.posted).toEqual([])
  expect(codeOf(await signUp({ ...dupe, password: 'only small letters and blanks '.repeat(4) }))).toBe('ok')
})

test('[IN-5] taken names and addresses are said, and a try more is not punished with a stale answer', async () => {
  const world = await createAccountWorld()
  await createSignUp(world.ports)(dupe)
  const signUp = createSignUp(world.ports)
  expect(codeOf(await signUp({ ...dupe, email: 'other@example.org' }))).toBe('username_taken')
  expect(codeOf(await signUp({ ...dupe, username: 'dupette' }))).toBe('email_taken')
  expect(codeOf(await signUp({ ...dupe, username: 'dupette', email: 'dupette@example.org' }))).toBe('ok')
})

test('[IN-6] wrong passwords and unknown logins are one answer, too many name the seconds', async () => {
  const world = await createAccountWorld({ settings: { limits: { loginFailuresPerLogin: { points: 2, seconds: 900 } } } })
  await createSignUp(world.ports)(dupe)
  expect(await signIn(world.ports, { login: 'nobody', password: dupe.password })).toEqual({ ok: false, code: 'bad_login' })
  for (let i = 0; i < 2; i++)
    expect(await signIn(world.ports, { login: 'dupe', password: 'not the password' })).toEqual({ ok: false, code: 'bad_login' })
  const over = await signIn(world.ports, { login: 'dupe', password: dupe.password })
  expect(over).toMatchObject({ ok: false, code: 'too_many' })
  // One of two in fifteen minutes comes back after half of them.
  expect(Number(over.ok ? 0 : over.present)).toBeGreaterThan(440)
})

test('[IN-7] what can be no login and no password of anybody asks nothing of the relay', async () => {
  const world = await createAccountWorld()
  for (const given of [
    { login: ' ', password: dupe.password },
    { login: 'dupe', password: 'short' },
  ])
    expect(codeOf(await signIn(world.ports, given))).toBe('bad_login')
  expect(world.posted).toEqual([])
})

test('[IN-8, check 14] a relay that asks for a cheap hash gets nothing', async () => {
  const world = await createAccountWorld()
  for (const told of [
    { ops: 1, memKiB: 65_536 },
    { ops: 3, memKiB: 8 },
    { ops: 3, memKiB: 1e9 },
  ]) {
    const asked: string[] = []
    const post = async (path: string) => {
      asked.push(path)
      return { ok: true as const, value: { salt: 'A'.repeat(22), ...told } }
    }
    const answer = await signIn({ ...world.ports, http: { post } }, { login: 'dupe', password: dupe.password })
    expect([codeOf(answer), asked]).toEqual(['stretch', ['/api/prelogin']])
  }
})

test('[IN-9] a relay that hands out another vault, identity or account is not followed, and its session is given back', async () => {
  const world = await createAccountWorld()
  await createSignUp(world.ports)(dupe)
  await createSignUp(world.ports)({ ...dupe, username: 'dupette', email: 'dupette@example.org' })
  const other = await world.relay.accounts.byUsername('dupette')
  const { toBase64Url } = await import('#shared/base/bytes.ts')
  const lies: Record<string, unknown>[] = [
    { vault: toBase64Url(other?.vault ?? new Uint8Array(0)) },
    { identity: toBase64Url(other?.identity ?? new Uint8Array(0)) },
    { account: other?.id },
  ]
  for (const lie of lies) {
    const paths: string[] = []
    const http: typeof world.ports.http = {
      async post(path, body, token) {
        paths.push(path)
        const answer = await world.ports.http.post(path, body, token)
        return path === '/api/login' && answer.ok ? { ok: true, value: { ...Object(answer.value), ...lie } } : answer
      },
    }
    const answer = await signIn({ ...world.ports, http }, { login: 'dupe', password: dupe.password })
    expect([codeOf(answer), paths]).toEqual(['vault', ['/api/prelogin', '/api/login', '/api/sign-out']])
  }
})

test('[IN-10] an answer of another shape is no answer', async () => {
  const world = await createAccountWorld()
  const values = [undefined, null, 1, 'x', [], {}, { salt: 'A' }, { salt: 'A'.repeat(22), ops: '3', memKiB: 65_536 }]
  for (const value of values) {
    const http = { post: async () => ({ ok: true as const, value }) }
    expect(codeOf(await signIn({ ...world.ports, http }, { login: 'dupe', password: dupe.password }))).toBe('internal')
  }
})

test('[IN-11] no connection is said as such at every step', async () => {
  const world = await createAccountWorld()
  await createSignUp(world.ports)(dupe)
  for (const path of ['/api/prelogin', '/api/login', '/api/devices']) {
    world.cut('before', path)
    expect(codeOf(await signIn(world.ports, { login: 'dupe', password: dupe.password }))).toBe('offline')
  }
  world.cut(undefined)
  expect(codeOf(await signIn(world.ports, { login: 'dupe', password: dupe.password }))).toBe('ok')
})

test.each([
  ['/api/register', 'after'],
  ['/api/login', 'before'],
  ['/api/devices', 'after'],
] as const)('[IN-12] the answer of %s is lost (%s): the next try goes on with the account that was made', async (path, when) => {
  const world = await createAccountWorld()
  const signUp = createSignUp(world.ports)
  world.cut(when, path)
  expect(codeOf(await signUp(dupe))).toBe('offline')
  world.cut(undefined)
  const again = await signUp(dupe)
  expect(codeOf(again)).toBe('ok')
  expect(await world.relay.accounts.count()).toBe(1)
})

test('[IN-13] a lost answer does not let one into a name that somebody else took', async () => {
  const world = await createAccountWorld()
  const signUp = createSignUp(world.ports)
  world.cut('before', '/api/register')
  expect(codeOf(await signUp(dupe))).toBe('offline')
  world.cut(undefined)
  const stranger = { ...dupe, email: 'stranger@example.org', password: 'another long password' }
  await createSignUp(world.ports)(stranger)
  expect(codeOf(await signUp(dupe))).toBe('username_taken')
})

test('[IN-14] too many devices: said, and the half-made session is given back', async () => {
  const world = await createAccountWorld()
  const first = await createSignUp(world.ports)(dupe)
  if (!first.ok) throw new Error(first.code)
  for (let i = 0; i < 20; i++) {
    const dev = world.relay.random.bytes(16)
    const { idFromBytes } = await import('#shared/base/ids.ts')
    const now = world.relay.clock.now()
    const row = {
      idHash: `x${i}`,
      account: first.value.account,
      dev: idFromBytes<'device'>(dev),
      created: now,
      expires: now + 1e9,
    }
    await world.relay.accounts.putSession(row)
  }
  expect(codeOf(await signIn(world.ports, { login: 'dupe', password: dupe.password }))).toBe('device_limit')
  const waiting = (await world.relay.accounts.sessionsOf(first.value.account)).filter(({ dev }) => dev === '')
  expect(waiting).toEqual([])
})

test('[IN-18, check 17] signing out ends the session; a token that is dead already counts as ended, an absent relay does not', async () => {
  const world = await createAccountWorld()
  const made = await createSignUp(world.ports)(dupe)
  if (!made.ok) throw new Error(made.code)
  world.cut('before')
  expect(await endSession(world.ports.http, made.value.token)).toBe(false)
  world.cut(undefined)
  expect(await endSession(world.ports.http, made.value.token)).toBe(true)
  expect(await world.relay.sessions.check(made.value.token)).toBeUndefined()
  expect(await endSession(world.ports.http, made.value.token)).toBe(true)
})

test('[IN-15] questions: is a name free, what is behind an invite', async () => {
  const world = await createAccountWorld()
  await createSignUp(world.ports)(dupe)
  const { http } = world.ports
  expect(await askUsernameFree(http, 'dupe')).toEqual({ ok: true, value: { free: false } })
  expect(await askUsernameFree(http, 'dupette')).toEqual({ ok: true, value: { free: true } })
  expect(await askUsernameFree(http, 'X')).toEqual({ ok: false, code: 'username' })
  expect(await askInvite(http, 'A'.repeat(22), '')).toEqual({ ok: false, code: 'invite' })
})

test('[IN-16] a proxy’s own pages, broken answers and a dead line become plain refusals', async () => {
  const answer = async (response: () => Response | Promise<Response>) =>
    createFetchHttp(async () => response()).post('/api/login', {}, 'token')
  const html = (status: number) => () => new Response('<h1>Bad gateway</h1>', { status })
  expect(await answer(html(502))).toEqual({ ok: false, code: 'offline', retryAfterS: 0 })
  expect(await answer(html(500))).toEqual({ ok: false, code: 'internal', retryAfterS: 0 })
  expect(await answer(html(418))).toEqual({ ok: false, code: 'internal', retryAfterS: 0 })
  expect(await answer(() => Response.json({ code: 'no such code' }, { status: 400 }))).toMatchObject({ code: 'internal' })
  expect(await answer(() => Response.json({ code: 'busy', retryAfterS: 1 }, { status: 503 }))).toEqual({
    ok: false,
    code: 'busy',
    retryAfterS: 1,
  })
  expect(await answer(() => Response.json({ code: 'too_many', retryAfterS: 'soon' }, { status: 429 }))).toMatchObject({
    retryAfterS: 0,
  })
  expect(await answer(() => Promise.reject(new TypeError('failed to fetch')))).toMatchObject({ code: 'offline' })
  expect(await answer(() => new Response(null, { status: 204 }))).toEqual({ ok: true, value: undefined })
})

test('[IN-17, check 21] the token goes as a bearer header, never in the address', async () => {
  const seen: { url: string; headers: Headers; init: RequestInit | undefined }[] = []
  const http = createFetchHttp(async (input, init) => {
    seen.push({ url: String(input), headers: new Headers(init?.headers), init })
    return Response.json({})
  })
  await http.post('/api/sign-out', {}, 'the-token')
  await http.post('/api/prelogin', {})
  expect(seen.map(({ url }) => url)).toEqual(['/api/sign-out', '/api/prelogin'])
  expect(seen.map(({ headers }) => headers.get('authorization'))).toEqual(['Bearer the-token', null])
  expect(seen[0]?.init).toMatchObject({ credentials: 'omit', cache: 'no-store', redirect: 'error' })
})
