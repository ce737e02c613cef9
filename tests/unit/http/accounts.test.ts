import { expect, test, vi } from 'vitest'
import { openDatabase } from '#relay/store/database.ts'
import { createSqliteAccountStore } from '#relay/store/sqlite-account-store.ts'
import { toBase64Url } from '#shared/base/bytes.ts'
import { createMemoryAccountStore } from '../../fakes/memory-account-store.ts'
import { certificateOf, createHttpWorld } from './http-world.ts'

const stores = [
  ['memory', createMemoryAccountStore],
  ['sqlite', () => createSqliteAccountStore(openDatabase(':memory:'))],
] as const

test.each(stores)('[AUTH-1] sign-up, sign-in, certificate, sign-out: the whole way (%s)', async (_name, createStore) => {
  const world = await createHttpWorld({ store: createStore() })
  const dupe = world.person('dupe')
  expect((await world.register(dupe)).status).toBe(201)

  const known = await world.post('/api/prelogin', { login: 'dupe' })
  expect(known.json).toEqual({ salt: dupe.body.salt, ops: 3, memKiB: 65_536 })

  const signedIn = await world.login(dupe)
  expect(signedIn.status).toBe(200)
  const { token, ...rest } = signedIn.json
  expect(token).toMatch(/^[A-Za-z0-9_-]{43}$/)
  const { identity, vault } = dupe.body
  expect(rest).toEqual({ account: dupe.account, username: 'dupe', operator: true, identity, vault, vaultRev: 1 })
  expect(await world.sessions.check(token)).toMatchObject({ account: dupe.account, dev: '' })

  const certified = await world.certify(dupe, token)
  expect(certified.status).toBe(200)
  const live = await world.sessions.check(token)
  expect(live).toMatchObject({ account: dupe.account, dev: certified.json.dev })
  expect(await world.accounts.devices([certified.json.dev])).toMatchObject([{ account: dupe.account, identity, until: 0 }])

  expect((await world.post('/api/sign-out', {}, { token })).status).toBe(204)
  expect(world.ended).toEqual([live?.idHash])
  expect(await world.sessions.check(token)).toBeUndefined()
  expect((await world.post('/api/sign-out', {}, { token })).json).toEqual({ code: 'unauthorized' })
})

test('[AUTH-2] the first account is the operator, no later one is', async () => {
  const world = await createHttpWorld()
  const people = [world.person('first'), world.person('second')]
  for (const person of people) await world.register(person)
  const operators = await Promise.all(people.map(async (person) => (await world.login(person)).json.operator))
  expect(operators).toEqual([true, false])
})

test('[AUTH-3] a taken name and a taken address are said plainly, and the address starts unconfirmed', async () => {
  const world = await createHttpWorld()
  const dupe = world.person('dupe')
  await world.register(dupe)
  expect((await world.accounts.byId(dupe.account))?.emailConfirmed).toBe(false)

  const sameName = world.person('dupe')
  sameName.body.email = 'other@example.org'
  const refusedName = await world.register(sameName)
  expect([refusedName.status, refusedName.json]).toEqual([409, { code: 'username_taken' }])

  const sameAddress = world.person('dupette')
  sameAddress.body.email = 'DUPE@Example.org'
  const refusedAddress = await world.register(sameAddress)
  expect([refusedAddress.status, refusedAddress.json]).toEqual([409, { code: 'email_taken' }])

  expect((await world.post('/api/username', { username: 'dupe' })).json).toEqual({ free: false })
  expect((await world.post('/api/username', { username: 'dupette' })).json).toEqual({ free: true })
})

test('[AUTH-4] sign-in takes the name or the address, without regard to case and blanks around it', async () => {
  const world = await createHttpWorld()
  const dupe = world.person('dupe')
  await world.register(dupe)
  for (const login of ['dupe', ' Dupe ', 'dupe@example.org', 'DUPE@EXAMPLE.ORG']) {
    expect((await world.post('/api/prelogin', { login })).json.salt).toBe(dupe.body.salt)
    const answer = await world.post('/api/login', { login, authKey: toBase64Url(dupe.authKey) })
    expect([login, answer.status]).toEqual([login, 200])
  }
})

test('[AUTH-5, check 8] unknown and wrong are told alike: same status, same body, a stable salt of the same shape', async () => {
  const world = await createHttpWorld()
  const dupe = world.person('dupe')
  await world.register(dupe)
  const wrongKey = toBase64Url(new Uint8Array(32))
  const wrong = await world.post('/api/login', { login: 'dupe', authKey: wrongKey }, { address: '192.0.2.2' })
  const unknown = await world.post('/api/login', { login: 'nobody', authKey: wrongKey }, { address: '192.0.2.3' })
  expect([wrong.status, wrong.text]).toEqual([401, '{"code":"bad_login"}'])
  expect([unknown.status, unknown.text]).toEqual([wrong.status, wrong.text])
  expect([...unknown.headers]).toEqual([...wrong.headers])

  const salts = await Promise.all(['nobody', 'Nobody ', 'other'].map((login) => world.post('/api/prelogin', { login })))
  const [first, again, other] = salts.map((answer) => answer.json.salt)
  expect(first).toMatch(/^[A-Za-z0-9_-]{22}$/)
  expect(again).toBe(first)
  expect(other).not.toBe(first)
})

test('[AUTH-6, check 8] whether an account exists is not heard in the time of a sign-in', async () => {
  const plenty = { points: 10_000, seconds: 60 }
  const world = await createHttpWorld({
    settings: {
      digest: { passes: 1, memoryKiB: 4096, atOnceMax: 8 },
      limits: { loginFailuresPerLogin: plenty, loginFailuresPerAddress: plenty },
    },
  })
  const dupe = world.person('dupe')
  await world.register(dupe)
  const times: Record<string, number[]> = { dupe: [], nobody: [] }
  for (let i = 0; i < 400; i++) {
    const login = i % 2 === 0 ? 'dupe' : 'nobody'
    const start = performance.now()
    await world.post('/api/login', { login, authKey: toBase64Url(world.random.bytes(32)) })
    times[login]?.push(performance.now() - start)
  }
  const [known = 0, unknown = 0] = Object.values(times).map((list) => list.sort((a, b) => a - b)[100])
  expect(Math.abs(known - unknown) / Math.max(known, unknown)).toBeLessThan(0.1)
})

test('[AUTH-7] what is no name, address, key or vault is refused by what is wrong with it', async () => {
  const world = await createHttpWorld()
  const { body } = world.person('dupe')
  const cases: [Record<string, unknown>, string][] = [
    [{ ...body, username: 'Dupe' }, 'username'],
    [{ ...body, username: 'd' }, 'username'],
    [{ ...body, username: 'd'.repeat(33) }, 'username'],
    [{ ...body, username: 'dü' }, 'username'],
    [{ ...body, username: 7 }, 'username'],
    [{ ...body, email: 'dupe' }, 'email'],
    [{ ...body, email: 'dupe@relay' }, 'email'],
    [{ ...body, email: 'du pe@example.org' }, 'email'],
    [{ ...body, email: 'dupe\u0000@example.org' }, 'email'],
    [{ ...body, email: `${'d'.repeat(250)}@example.org` }, 'email'],
    [{ ...body, salt: 'AAAA' }, 'shape'],
    [{ ...body, authKey: `${body.authKey}AAAA` }, 'shape'],
    [{ ...body, authKey: body.authKey?.replace(/.$/, '!') }, 'shape'],
    [{ ...body, identity: undefined }, 'shape'],
    [{ ...body, identity: toBase64Url(new Uint8Array(32)) }, 'shape'],
    [{ ...body, vault: '' }, 'shape'],
    [{ ...body, vault: 'A'.repeat(4000) }, 'shape'],
  ]
  for (const [sent, code] of cases) {
    const answer = await world.post('/api/register', sent)
    expect([answer.status, answer.json]).toEqual([400, { code }])
  }
  expect(await world.accounts.count()).toBe(0)
})

test('[AUTH-8, check 11] the store has neither token, nor authKey, nor anything that can be used in their place', async () => {
  const database = openDatabase(':memory:')
  const world = await createHttpWorld({ store: createSqliteAccountStore(database) })
  const dupe = world.person('dupe')
  await world.register(dupe)
  const { token } = (await world.login(dupe)).json
  const tables = ['account', 'session', 'device'].flatMap((table) => database.sql.prepare(`SELECT * FROM ${table}`).all())
  const stored = JSON.stringify(tables, (_key, value) => (value instanceof Uint8Array ? toBase64Url(value) : value))
  expect(stored).not.toContain(token)
  expect(stored).not.toContain(dupe.body.authKey)
  const account = await world.accounts.byId(dupe.account)
  expect(account?.passwordDigest).toMatch(/^\$argon2id\$v=19\$m=8,t=1,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
  const [row] = await world.accounts.sessionsOf(dupe.account)
  expect(await world.sessions.check(row?.idHash ?? '')).toBeUndefined()
})

test('[AUTH-9, check 15] each sign-in gives a new token; the old one goes on', async () => {
  const world = await createHttpWorld()
  const dupe = world.person('dupe')
  await world.register(dupe)
  const tokens = [(await world.login(dupe)).json.token, (await world.login(dupe)).json.token]
  expect(tokens[0]).not.toBe(tokens[1])
  for (const token of tokens) expect(await world.sessions.check(token)).toBeDefined()
})

test('[AUTH-10] an identity that has an account cannot make a second one', async () => {
  const world = await createHttpWorld()
  const dupe = world.person('dupe')
  await world.register(dupe)
  const thief = { ...world.person('dupette').body, identity: dupe.body.identity }
  expect((await world.post('/api/register', thief)).json).toEqual({ code: 'shape' })
  expect(await world.accounts.count()).toBe(1)
})

test('[CERT-1, check 38] a device is admitted only by its account’s identity, with a sound key and its own agreement', async () => {
  const world = await createHttpWorld()
  const [dupe, dupette] = [world.person('dupe'), world.person('dupette')]
  for (const person of [dupe, dupette]) await world.register(person)
  const { token } = (await world.login(dupe)).json
  const device = world.sodium.signerFromSeed(world.random.bytes(32))
  const good = certificateOf(dupe, device, 1)
  const refused: [string, { statement: string; sig: string }][] = [
    ['another account', certificateOf(dupette, device, 1)],
    ['another signer', { ...good, sig: certificateOf(dupette, device, 1).sig }],
    ['another text', { ...good, statement: good.statement.replace('"at":1', '"at":2') }],
    ['not canonical', { ...good, statement: good.statement.replace('"v":1', '"v": 1') }],
    ['no agreement', certificateOf(dupe, device, 1, { pop: new Uint8Array(64) })],
    ['agreement to another identity', certificateOf(dupe, device, 1, { pop: device.sign(new Uint8Array(32)) })],
    ['small-order key', certificateOf(dupe, device, 1, { key: Uint8Array.of(1, ...new Uint8Array(31)) })],
    ['no statement', { ...good, statement: 'null' }],
  ]
  for (const [what, body] of refused) {
    const answer = await world.post('/api/devices', body, { token })
    expect([what, answer.status, answer.json]).toEqual([what, 403, { code: 'device' }])
  }
  expect(await world.accounts.devicesOf(dupe.account)).toEqual([])
  expect(await world.sessions.check(token)).toMatchObject({ dev: '' })
  expect((await world.post('/api/devices', good, { token })).status).toBe(200)
  expect((await world.post('/api/devices', good, { token })).status).toBe(200) // the answer was lost: again is the same

  const other = world.sodium.signerFromSeed(world.random.bytes(32))
  expect((await world.certify(dupe, token, other)).json).toEqual({ code: 'device' }) // one session, one device
})

test('[CERT-2] a device key belongs to one account, and a revoked one stays revoked', async () => {
  const world = await createHttpWorld()
  const [dupe, dupette] = [world.person('dupe'), world.person('dupette')]
  for (const person of [dupe, dupette]) await world.register(person)
  const device = world.sodium.signerFromSeed(world.random.bytes(32))
  const first = (await world.login(dupe)).json.token
  const { dev } = (await world.certify(dupe, first, device)).json
  const second = (await world.login(dupette)).json.token
  expect((await world.certify(dupette, second, device)).json).toEqual({ code: 'device' })

  const [row] = await world.accounts.devices([dev])
  if (row) await world.accounts.putDevice({ ...row, until: world.clock.now() })
  const third = (await world.login(dupe)).json.token
  expect((await world.certify(dupe, third, device)).json).toEqual({ code: 'device' })
})

test('[CERT-3] twenty devices with a live session and no more; one that ends makes room', async () => {
  const world = await createHttpWorld()
  const dupe = world.person('dupe')
  await world.register(dupe)
  const tokens: string[] = []
  for (let i = 0; i < 20; i++) {
    const { token } = (await world.login(dupe)).json
    expect((await world.certify(dupe, token)).status).toBe(200)
    tokens.push(token)
  }
  const { token } = (await world.login(dupe)).json
  const full = await world.certify(dupe, token)
  expect([full.status, full.json]).toEqual([409, { code: 'device_limit' }])
  await world.post('/api/sign-out', {}, { token: tokens[0] ?? '' })
  expect((await world.certify(dupe, token)).status).toBe(200)
})

test('[AUTH-11, check 21, check 51] security events are written down, and no secret is in them', async () => {
  const log = vi.spyOn(console, 'log')
  const world = await createHttpWorld()
  const dupe = world.person('dupe')
  await world.register(dupe)
  await world.register(dupe)
  const { token } = (await world.login(dupe)).json
  await world.post('/api/login', { login: 'my own password', authKey: toBase64Url(world.random.bytes(32)) })
  await world.post('/api/devices', { statement: 'null', sig: 'A'.repeat(86) }, { token })
  await world.certify(dupe, token)
  await world.post('/api/sign-out', {}, { token })
  expect(world.events.map(({ event }) => event)).toEqual([
    'registered',
    'register_refused',
    'signed_in',
    'sign_in_failed',
    'device_refused',
    'device_certified',
    'signed_out',
  ])
  const written = JSON.stringify(world.events)
  for (const secret of [token, dupe.body.authKey, dupe.body.vault, dupe.body.salt, dupe.email, 'my own password'])
    expect(written).not.toContain(secret)
  expect(log).not.toHaveBeenCalled()
})
