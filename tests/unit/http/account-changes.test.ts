// Another password, the end of an account, and the end of a device.
import { expect, test } from 'vitest'
import { toBase64Url } from '#shared/base/bytes.ts'
import type { DeviceId } from '#shared/base/ids.ts'
import { statementSignedBytes, writeDevRevoke } from '#shared/crypto/statements.ts'
import { parseHttpAnswer } from '#shared/protocol/http-answers.ts'
import { createHttpWorld, type HttpWorld, type Person } from './http-world.ts'

const wrongKey = toBase64Url(new Uint8Array(32))

/** A registered person, signed in on so many certified devices. */
async function signedIn(world: HttpWorld, name = 'dupe', count = 1) {
  const person = world.person(name)
  await world.register(person)
  const devices: { token: string; dev: DeviceId }[] = []
  for (let i = 0; i < count; i++) {
    const { token } = (await world.login(person)).json
    devices.push({ token, dev: (await world.certify(person, token)).json.dev })
  }
  const [first] = devices
  if (!first) throw new Error('at least one device')
  return { person, devices, ...first }
}

function change(world: HttpWorld, person: Person, changed: object = {}) {
  return {
    authKey: toBase64Url(person.authKey),
    salt: toBase64Url(world.random.bytes(16)),
    newAuthKey: toBase64Url(world.random.bytes(32)),
    vault: toBase64Url(world.random.bytes(90)),
    vaultRev: 1,
    ...changed,
  }
}

function revocation(
  person: Person,
  dev: DeviceId,
  changed: Partial<Parameters<typeof writeDevRevoke>[0]> = {},
  signer = person.identity,
) {
  const fields = { account: person.account, identity: person.identity.publicKey, dev, at: 5, why: 'lost on a train', ...changed }
  const statement = writeDevRevoke(fields)
  return { statement, sig: toBase64Url(signer.sign(statementSignedBytes(statement))) }
}

test('[PW-1, check 5] a new password comes with a new vault and a new token; all other sessions end, the old password is nobody’s', async () => {
  const world = await createHttpWorld()
  const { person, devices, token } = await signedIn(world, 'dupe', 3)
  const others = devices.slice(1)
  const body = change(world, person)
  const answer = await world.post('/api/password', body, { token })
  expect(answer.status).toBe(200)
  const told = parseHttpAnswer('password', answer.json)
  expect(told).toMatchObject({ vaultRev: 2 })
  expect(await world.sessions.check(told?.token ?? '')).toMatchObject({ account: person.account, dev: devices[0]?.dev })
  for (const old of [token, ...others.map((one) => one.token)]) expect(await world.sessions.check(old)).toBeUndefined()
  expect(world.ended.filter((one) => one.startsWith('renewed '))).toHaveLength(1)
  expect(world.ended).toHaveLength(3)

  expect((await world.login(person)).status).toBe(401)
  const again = await world.post('/api/login', { login: 'dupe', authKey: body.newAuthKey })
  expect(again.json).toMatchObject({ vault: body.vault, vaultRev: 2 })
  expect((await world.post('/api/prelogin', { login: 'dupe' })).json.salt).toBe(body.salt)
  expect(world.events).toContainEqual({
    event: 'password_changed',
    address: '192.0.2.1',
    account: person.account,
    dev: devices[0]?.dev,
  })
})

test('[PW-2] the vault is written over only by who has seen it: one of two changes at once is `stale`', async () => {
  const world = await createHttpWorld()
  const { person, token } = await signedIn(world)
  expect((await world.post('/api/password', change(world, person, { vaultRev: 2 }), { token })).json).toEqual({ code: 'stale' })
  const [one, two] = await Promise.all([1, 2].map(() => world.post('/api/password', change(world, person), { token })))
  expect([one?.status, two?.status].sort()).toEqual([200, 409])
  expect((await world.accounts.byId(person.account))?.vaultRev).toBe(2)
})

test('[PW-3, check 6] a wrong present password is refused, counted, and limited; a session without it can do nothing', async () => {
  const world = await createHttpWorld()
  const { person, token } = await signedIn(world)
  for (const path of ['/api/password', '/api/account/erase']) {
    const { token: fresh } = (await world.login(person)).json
    expect((await world.post(path, change(world, person), { token: fresh })).json).toEqual({ code: 'device' })
    expect((await world.post(path, change(world, person), { token: 'nobody' })).status).toBe(401)
    expect((await world.post(path, { authKey: 'short' }, { token })).json).toEqual({ code: 'shape' })
  }
  for (let i = 0; i < 5; i++) {
    const path = i % 2 === 0 ? '/api/password' : '/api/account/erase'
    expect((await world.post(path, change(world, person, { authKey: wrongKey }), { token })).json).toEqual({ code: 'bad_login' })
  }
  const over = await world.post('/api/account/erase', change(world, person), { token })
  expect([over.status, over.json]).toEqual([429, { code: 'too_many', retryAfterS: 180 }])
  expect(await world.sessions.check(token)).toBeDefined()
  expect(await world.accounts.byId(person.account)).toBeDefined()
  expect(world.events).toContainEqual({
    event: 'proof_failed',
    address: '192.0.2.1',
    account: person.account,
    path: '/api/password',
  })
})

test('[PW-4] who proved the old password in the moment of the change is not signed in by it', async () => {
  const world = await createHttpWorld()
  const { person, token } = await signedIn(world)
  const answers = await Promise.all([
    world.post('/api/password', change(world, person), { token }),
    ...Array.from({ length: 6 }, () => world.login(person)),
  ])
  expect(answers[0]?.status).toBe(200)
  for (const answer of answers.slice(1))
    if (answer.status === 200) expect(await world.sessions.check(answer.json.token)).toBeUndefined()
})

test('[ERA-14] an erased account is gone at once: sessions, sign-in, name, address; only the name stays taken', async () => {
  const world = await createHttpWorld()
  await world.register(world.person('operator'))
  const { person, devices, token } = await signedIn(world, 'dupe', 2)
  const answer = await world.post('/api/account/erase', { authKey: toBase64Url(person.authKey) }, { token })
  expect([answer.status, answer.json]).toEqual([202, {}])
  expect(world.erased).toEqual([person.account])
  expect(world.ended).toHaveLength(2)
  for (const one of devices) expect(await world.sessions.check(one.token)).toBeUndefined()
  expect((await world.login(person)).json).toEqual({ code: 'bad_login' })
  const salt = (await world.post('/api/prelogin', { login: 'dupe' })).json.salt
  expect(salt).not.toBe(person.body.salt)
  expect((await world.accounts.devices(devices.map(({ dev }) => dev))).map(({ until }) => until)).toEqual([
    world.clock.time,
    world.clock.time,
  ])

  expect((await world.post('/api/username', { username: 'dupe' })).json).toEqual({ free: false })
  expect((await world.register(world.person('dupe'))).json).toEqual({ code: 'username_taken' })
  const other = world.person('dupette')
  expect((await world.register({ ...other, body: { ...other.body, email: person.email } })).status).toBe(201)
  // The mark of its name is no login.
  const [mark = ''] = await marksOf(world, 'dupe')
  for (const login of [mark, mark.slice(1), '', person.account]) {
    const tried = await world.post('/api/login', { login, authKey: toBase64Url(person.authKey) })
    expect(tried.json).toEqual({ code: 'bad_login' })
  }
  expect(world.failures).toEqual([])
  expect(JSON.stringify(world.events)).not.toMatch(/dupe@|"dupe"/)
})

async function marksOf(world: HttpWorld, name: string): Promise<string[]> {
  const { nameMark } = await import('#relay/http/account-routes.ts')
  const mark = nameMark(new Uint8Array(32).fill(9), name)
  expect(await world.accounts.isMarked(mark)).toBe(true)
  return [mark]
}

test('[ERA-15] the owner of a community cannot be erased', async () => {
  const world = await createHttpWorld()
  const { person, token } = await signedIn(world)
  world.owners.add(person.account)
  const answer = await world.post('/api/account/erase', { authKey: toBase64Url(person.authKey) }, { token })
  expect([answer.status, answer.json]).toEqual([409, { code: 'owner' }])
  expect(await world.sessions.check(token)).toBeDefined()
  expect(world.erased).toEqual([])
})

test('[REV-1, check 17] a device that the identity revokes is signed out; its key is good until then, and never again', async () => {
  const world = await createHttpWorld()
  const { person, devices, token } = await signedIn(world, 'dupe', 2)
  const lost = devices[1]
  if (!lost) throw new Error('two devices')
  const answer = await world.post('/api/devices/revoke', revocation(person, lost.dev), { token })
  expect(parseHttpAnswer('revoked', answer.json)).toEqual({ dev: lost.dev, until: world.clock.time })
  expect(await world.sessions.check(lost.token)).toBeUndefined()
  expect(await world.sessions.check(token)).toBeDefined()
  expect(world.ended).toHaveLength(1)
  expect((await world.accounts.devices([lost.dev]))[0]).toMatchObject({ until: world.clock.time })

  world.clock.time += 60_000
  const again = await world.post('/api/devices/revoke', revocation(person, lost.dev, { at: 9 }), { token })
  expect(again.json).toEqual({ dev: lost.dev, until: world.clock.time - 60_000 })
  expect(world.events.filter(({ event }) => event === 'device_revoked')).toHaveLength(2)
  expect(JSON.stringify(world.events)).not.toContain('train')
})

test('[REV-2] a device may revoke itself, and is signed out by it', async () => {
  const world = await createHttpWorld()
  const { person, token, dev } = await signedIn(world)
  expect((await world.post('/api/devices/revoke', revocation(person, dev), { token })).status).toBe(200)
  expect(await world.sessions.check(token)).toBeUndefined()
})

test('[REV-3] only the own identity revokes, and only own devices, by a statement that is one', async () => {
  const world = await createHttpWorld()
  const { person, token, dev } = await signedIn(world)
  const mallory = await signedIn(world, 'mallory')
  const send = (body: object) => world.post('/api/devices/revoke', body, { token: mallory.token })
  const forged: [string, object][] = [
    ['another identity’s signature', revocation(person, dev, {}, mallory.person.identity)],
    ['a statement of another account', revocation(person, dev)],
    ['another’s device by the own identity', revocation(mallory.person, dev)],
    ['no device at all', revocation(mallory.person, person.account as string as DeviceId)],
    ['an empty statement', { statement: '', sig: 'A'.repeat(86) }],
    ['a signature that is none', { ...revocation(mallory.person, mallory.dev), sig: 'A'.repeat(86) }],
  ]
  for (const [what, body] of forged) expect((await send(body)).json, what).toEqual({ code: 'device' })
  expect((await send({ statement: 'x'.repeat(2_000), sig: 'A'.repeat(86) })).json).toEqual({ code: 'shape' })
  expect(await world.sessions.check(token)).toBeDefined()
  expect((await world.accounts.devices([dev]))[0]?.until).toBe(0)
  const { token: uncertified } = (await world.login(person)).json
  expect((await world.post('/api/devices/revoke', revocation(person, dev), { token: uncertified })).json).toEqual({
    code: 'device',
  })
})

test('[LIM-18] statements about devices are looked at so often by account', async () => {
  const world = await createHttpWorld({ settings: { limits: { devices: { points: 3, seconds: 60 } } } })
  const { person, token, dev } = await signedIn(world)
  const answers = []
  for (let i = 0; i < 3; i++)
    answers.push(await world.post('/api/devices/revoke', revocation(person, dev, {}, world.person('x').identity), { token }))
  expect(answers.map(({ status }) => status)).toEqual([403, 403, 429])
  expect(answers[2]?.json).toEqual({ code: 'too_many', retryAfterS: 20 })
})
