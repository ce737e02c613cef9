// Accounts: another's vault, another's private document, devices that nobody certified, keys that sign everything, tokens where they may not be.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Bytes, concatBytes, toBase64Url, utf8 } from '#shared/base/bytes.ts'
import type { DeviceId } from '#shared/base/ids.ts'
import type { SeedSigner } from '#shared/crypto/sodium.ts'
import { popSignedBytes, statementSignedBytes, writeDevRevoke } from '#shared/crypto/statements.ts'
import { encodeUp } from '#shared/protocol/frame-codec.ts'
import { closeCodes } from '#shared/protocol/frames.ts'
import { connectRaw, helloOf, type RawDevice } from '../fakes/raw-device.ts'
import {
  addDevice,
  certificateOf,
  entryText,
  makeAccount,
  newSigner,
  postJson,
  type RawPerson,
  signEntry,
  signInByHand,
  someBytes,
} from '../fakes/raw-person.ts'
import { type RelayProcess, startRelay } from '../fakes/relay-process.ts'
import { provesHarmless } from './harmless.ts'
import { quick, startWorld, type World } from './world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld({ LIMIT_DEVICES: '10000/60' })
})
afterAll(() => world?.remove())

const post = (path: string, body: unknown, token = '') => postJson(world.relay.url, path, body, token)

/** All points of small order and their other spellings: with one of them as key, some signature fits every message. */
const weakKeys = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
  '0000000000000000000000000000000000000000000000000000000000000080',
  '0100000000000000000000000000000000000000000000000000000000000080',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
].map((hex) => new Uint8Array(Buffer.from(hex, 'hex')))
/** R = the neutral point, S = 0. */
const emptySignature = concatBytes(Uint8Array.of(1), new Uint8Array(63))

/** The code that this token's hello gets; 0 where it is greeted. */
async function helloCode(token: string): Promise<number> {
  const device = await connectRaw(world.relay.url)
  device.say(helloOf(token))
  const code = await Promise.race([
    device.closed.then((closed) => closed.code),
    device.heard('ready').then(
      () => 0,
      () => new Promise<number>(() => {}),
    ),
  ])
  await device.end()
  return code
}

test('[ATT-70] another’s vault: only the right key opens the answer that holds it', async () => {
  const { ann, eve } = world
  for (const authKey of [eve.authKey, someBytes(32)]) {
    const answer = await post('/api/login', { login: ann.username, authKey: toBase64Url(authKey) })
    expect([answer.status, answer.json]).toEqual([401, { code: 'bad_login' }])
  }
  const asked = [
    '/api/vault',
    `/api/vault/${ann.account}`,
    `/api/accounts/${ann.account}`,
    `/api/accounts/${ann.account}/vault`,
    `/api/users/ann`,
  ]
  for (const path of asked) {
    const read = await fetch(`${world.relay.url}${path}`, { headers: { authorization: `Bearer ${eve.token}` } })
    expect([read.status, await read.json()], path).toEqual([404, { code: 'shape' }])
    expect((await post(path, {}, eve.token)).status, path).toBe(404)
  }
  await provesHarmless(world)
})

test('[ATT-70] a login that there is not answers as one that there is', async () => {
  const tries = []
  for (const login of ['ann', 'nobody', 'ann@people.example', 'nobody@people.example', '', '\0', 'x'.repeat(1_000)])
    tries.push(await post('/api/login', { login, authKey: toBase64Url(someBytes(32)) }))
  expect(new Set(tries.map(({ status, text }) => `${status} ${text}`)).size).toBe(1)
  const salts = []
  for (const login of ['ann', 'nobody', 'nobody']) salts.push((await post('/api/prelogin', { login })).json)
  expect(salts.map((salt) => Object.keys(salt).sort())).toEqual(Array(3).fill(['memKiB', 'ops', 'salt']))
  expect(salts[1]).toEqual(salts[2])
  await provesHarmless(world)
})

function privateFrame(step: number, payload: Uint8Array): Uint8Array {
  return encodeUp({ kind: 'stock', stream: 1, bytes: concatBytes(Uint8Array.of(0, step, payload.length), payload) })
}

/** All that the private document's stream has brought to this device, behind the answer to one more question. */
async function privateBytes(device: RawDevice): Promise<string> {
  const asksBack = new Promise<void>((resolve) => {
    device.onFrame((frame) => {
      if (frame.kind === 'stock' && frame.bytes[1] === 0) resolve()
    })
  })
  device.send(privateFrame(0, Uint8Array.of(0)))
  await asksBack
  return device.frames.map((frame) => (frame.kind === 'stock' ? Buffer.from(frame.bytes).toString('latin1') : '')).join()
}

test('[ATT-71] another’s private document: each account’s stream is its own', async () => {
  const { ann, eve, relay } = world
  const other = await addDevice(relay.url, ann, await signInByHand(relay.url, ann.username, ann.authKey))
  const writer = await world.link(other)
  writer.send(privateFrame(2, utf8('ann keeps this to herself')))
  expect(await privateBytes(writer)).toContain('ann keeps this')
  const thief = await world.link(eve)
  expect(await privateBytes(thief)).not.toContain('ann keeps this')
  writer.send(privateFrame(2, utf8('ann keeps this too')))
  expect(await privateBytes(writer)).toContain('ann keeps this too')
  expect(await privateBytes(thief)).not.toContain('ann keeps this')
  await thief.end()
  for (const stream of [0, 2, 3, 255, 2 ** 32 - 1]) {
    const device = await world.link(eve)
    device.send(encodeUp({ kind: 'stock', stream, bytes: Uint8Array.of(0, 0, 1, 0) }))
    expect((await device.closed).code).toBe(closeCodes.malformed)
    expect(device.frames.some((frame) => frame.kind === 'stock')).toBe(false)
  }
  await writer.end()
  await provesHarmless(world)
})

test('[ATT-72] a device that nobody certified may do nothing but be certified', async () => {
  const { relay, eve, place } = world
  const token = await signInByHand(relay.url, eve.username, eve.authKey)
  expect(await helloCode(token)).toBe(closeCodes.forbidden)
  const entry = new TextDecoder().decode(signEntry(eve.device, place, entryText(eve)))
  const posted = await post(`/api/channels/${place.channel}/entries`, { space: place.space, entries: [entry] }, token)
  expect([posted.status, posted.json]).toEqual([403, { code: 'device' }])
  const [seg] = [...world.reader.docs.keys()]
  const reader = await connectRaw(relay.url, { path: `/api/doc/${seg}`, protocols: ['dupecord.1', `token.${token}`] })
  expect((await reader.closed).code).toBe(closeCodes.forbidden)
  await provesHarmless(world)
})

test('[ATT-72] certificates by another identity, of another account, of another’s key, without its agreement', async () => {
  const { relay, eve, ann } = world
  const token = await signInByHand(relay.url, eve.username, eve.authKey)
  const device = await newSigner()
  const key = device.publicKey
  const pop = device.sign(popSignedBytes(eve.identity.publicKey))
  const right = { account: eve.account, identity: eve.identity, signer: eve.identity, key, pop }
  const wrong = {
    'signed by another identity': { ...right, signer: ann.identity },
    'of another identity': { ...right, identity: ann.identity, signer: ann.identity },
    'of another account': { ...right, account: ann.account },
    'signed by the device itself': { ...right, signer: device },
    'of a key that another account has': { ...right, key: ann.device.publicKey },
    'with an agreement of another key': { ...right, pop: ann.device.sign(popSignedBytes(eve.identity.publicKey)) },
    'with an agreement to another identity': { ...right, pop: device.sign(popSignedBytes(ann.identity.publicKey)) },
    'with no agreement': { ...right, pop: new Uint8Array(64) },
  }
  for (const [what, by] of Object.entries(wrong)) {
    const answer = await post('/api/devices', certificateOf(by), token)
    expect([answer.status, answer.json], what).toEqual([403, { code: 'device' }])
  }
  const good = certificateOf(right)
  const badTexts = [
    ['not canonical', `${good.statement} `],
    ['with one field more', good.statement.replace('}', ',"x":1}')],
    ['of another kind', good.statement.replace('dev.add', 'dev.own')],
    ['not JSON', '{'],
    ['with a float', good.statement.replace(/"at":\d+/, '"at":1.5')],
  ]
  for (const [what, statement = ''] of badTexts) {
    const sig = toBase64Url(eve.identity.sign(statementSignedBytes(statement)))
    expect((await post('/api/devices', { statement, sig }, token)).json, what).toEqual({ code: 'device' })
  }
  expect(await helloCode(token)).toBe(closeCodes.forbidden)
  await provesHarmless(world)
})

test('[ATT-72] a session that speaks for one device does not take another', async () => {
  const { eve } = world
  const device = await newSigner()
  const pop = device.sign(popSignedBytes(eve.identity.publicKey))
  const signed = certificateOf({ account: eve.account, identity: eve.identity, signer: eve.identity, key: device.publicKey, pop })
  expect((await post('/api/devices', signed, eve.token)).json).toEqual({ code: 'device' })
  expect(await helloCode(eve.token)).toBe(0)
  await provesHarmless(world)
})

test('[ATT-73] weak keys as an identity', async () => {
  for (const [i, key] of weakKeys.entries()) {
    const body = {
      username: `weak${i}`,
      email: `weak${i}@people.example`,
      salt: toBase64Url(someBytes(16)),
      authKey: toBase64Url(someBytes(32)),
      identity: toBase64Url(key),
      vault: toBase64Url(someBytes(64)),
    }
    const answer = await post('/api/register', body)
    expect([answer.status, answer.json], toBase64Url(key)).toEqual([400, { code: 'shape' }])
  }
  await provesHarmless(world)
})

test('[ATT-73] weak keys as a device', async () => {
  const { relay, eve } = world
  const token = await signInByHand(relay.url, eve.username, eve.authKey)
  for (const key of weakKeys) {
    const by = { account: eve.account, identity: eve.identity, signer: eve.identity, key, pop: emptySignature }
    expect((await post('/api/devices', certificateOf(by), token)).json, toBase64Url(key)).toEqual({ code: 'device' })
  }
  await provesHarmless(world)
})

test('[ATT-74] a token in an address counts for nothing', async () => {
  const { relay, eve, place } = world
  const [seg] = [...world.reader.docs.keys()]
  const query = `?token=${eve.token}`
  for (const path of [`/api/socket${query}`, `/api/socket/${eve.token}`, `/api/socket?access_token=${eve.token}`])
    await expect(connectRaw(relay.url, { path }), path).rejects.toThrow('404')
  const refused = await connectRaw(relay.url, { path: `/api/doc/${seg}${query}`, protocols: ['dupecord.1'] }).then(
    (device) => device.closed.then(({ code }) => code),
    () => closeCodes.unauthorized,
  )
  expect(refused).toBe(closeCodes.unauthorized)
  for (const path of ['/api/sign-out', '/api/devices', `/api/channels/${place.channel}/entries`]) {
    const answer = await post(`${path}${query}`, {})
    expect([answer.status, answer.json], path).toEqual([401, { code: 'unauthorized' }])
  }
  expect(await helloCode(eve.token)).toBe(0)
  await provesHarmless(world)
})

test('[ATT-74] tokens that are none', async () => {
  const { eve, relay } = world
  const near = eve.token.slice(0, -1) + (eve.token.endsWith('A') ? 'B' : 'A')
  for (const token of [
    '',
    ' ',
    'A'.repeat(43),
    near,
    `${eve.token}A`,
    eve.token.slice(1),
    eve.token.toLowerCase(),
    "' OR 1=1 --",
    '\0'.repeat(43),
  ])
    expect(await helloCode(token), token).toBe(closeCodes.unauthorized)
  for (const header of [eve.token, `bearer ${eve.token}`, `Bearer  ${eve.token} x`, `Basic ${eve.token}`]) {
    const answer = await fetch(`${relay.url}/api/sign-out`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: header },
      body: '{}',
    })
    expect(answer.status, header).toBe(401)
  }
  expect(await helloCode(eve.token)).toBe(0)
  await provesHarmless(world)
})

test('[ATT-75] a token that was signed out, and its live socket', async () => {
  const { relay, eve } = world
  const person = await addDevice(relay.url, eve, await signInByHand(relay.url, eve.username, eve.authKey))
  const live = await world.link(person)
  expect((await post('/api/sign-out', {}, person.token)).status).toBe(204)
  expect((await live.closed).code).toBe(closeCodes.unauthorized)
  expect(await helloCode(person.token)).toBe(closeCodes.unauthorized)
  expect((await post('/api/sign-out', {}, person.token)).json).toEqual({ code: 'unauthorized' })
  await provesHarmless(world)
})

test('[ATT-75] a token that ran out, and its live socket', async () => {
  const relay: RelayProcess = await startRelay({ ...quick, LIMIT_SESSION_IDLE_MS: '1500', LIMIT_SESSION_ABSOLUTE_MS: '1500' })
  try {
    const account = await makeAccount(relay.url, 'short')
    const person = await addDevice(relay.url, account, account.token)
    const live = await connectRaw(relay.url)
    live.say(helloOf(person.token))
    await live.heard('ready')
    const beats = setInterval(() => live.isOpen && live.say({ t: 'beat' }), 200)
    expect((await live.closed).code).toBe(closeCodes.unauthorized)
    clearInterval(beats)
    const again = await connectRaw(relay.url)
    again.say(helloOf(person.token))
    expect((await again.closed).code).toBe(closeCodes.unauthorized)
    expect((await postJson(relay.url, '/api/sign-out', {}, person.token)).status).toBe(401)
  } finally {
    await relay.remove()
  }
})

/** `dev.revoke` as `POST /api/devices/revoke` takes it. */
function revocationOf(of: RawPerson, dev: DeviceId, signer: Pick<SeedSigner, 'sign'>): { statement: string; sig: string } {
  const { account, identity } = of
  const statement = writeDevRevoke({ account, identity: identity.publicKey, dev, at: Date.now(), why: 'lost' })
  return { statement, sig: toBase64Url(signer.sign(statementSignedBytes(statement))) }
}

test('[ATT-75] a revoked device on a live socket', async () => {
  const { relay, eve, place } = world
  const lost = await addDevice(relay.url, eve, await signInByHand(relay.url, eve.username, eve.authKey))
  const [live, [seg]] = [await world.link(lost), [...world.reader.docs.keys()]]
  const reader = await connectRaw(relay.url, { path: `/api/doc/${seg}`, protocols: ['dupecord.1', `token.${lost.token}`] })
  const first = signEntry(lost.device, place, entryText(lost))
  const verdict = await live.verdict(place.channel, first)
  if (verdict.kind === 'accepted') world.stands(verdict.seq, first)
  const revoked = await post('/api/devices/revoke', revocationOf(eve, lost.dev, eve.identity), eve.token)
  expect([revoked.status, revoked.json.dev]).toEqual([200, lost.dev])
  expect((await live.closed).code).toBe(closeCodes.unauthorized)
  expect((await reader.closed).code).toBe(closeCodes.unauthorized)
  expect(await helloCode(lost.token)).toBe(closeCodes.unauthorized)
  const entry = new TextDecoder().decode(signEntry(lost.device, place, entryText(lost)))
  const posted = await post(`/api/channels/${place.channel}/entries`, { space: place.space, entries: [entry] }, lost.token)
  expect([posted.status, posted.json]).toEqual([401, { code: 'unauthorized' }])
  await provesHarmless(world)
})

test('[ATT-75] a revoked device does not come back: by its certificate, by a new one, or through another session', async () => {
  const { relay, eve, place } = world
  const signIn = () => signInByHand(relay.url, eve.username, eve.authKey)
  const lost = await addDevice(relay.url, eve, await signIn())
  await post('/api/devices/revoke', revocationOf(eve, lost.dev, eve.identity), eve.token)
  const token = await signIn()
  const pop = lost.device.sign(popSignedBytes(eve.identity.publicKey))
  const by = { account: eve.account, identity: eve.identity, signer: eve.identity, key: lost.device.publicKey, pop }
  expect((await post('/api/devices', certificateOf(by), token)).json).toEqual({ code: 'device' })
  const link = await world.link(eve)
  const stolen = await link.verdict(place.channel, signEntry(lost.device, place, entryText(lost)))
  expect(stolen).toMatchObject({ kind: 'refused', code: 'session' })
  await link.end()
  await provesHarmless(world)
})

test('[ATT-75] a revocation by another identity, of another’s device, or without a session', async () => {
  const { eve, ann, cho } = world
  const tries: [unknown, string, unknown][] = [
    [revocationOf(ann, ann.dev, eve.identity), eve.token, { code: 'device' }],
    [revocationOf(ann, ann.dev, ann.identity), eve.token, { code: 'device' }],
    [revocationOf(eve, ann.dev, eve.identity), eve.token, { code: 'device' }],
    [revocationOf(eve, eve.dev, eve.device), eve.token, { code: 'device' }],
    [revocationOf(ann, ann.dev, ann.identity), '', { code: 'unauthorized' }],
  ]
  for (const [body, token, json] of tries) expect((await post('/api/devices/revoke', body, token)).json).toEqual(json)
  expect(await helloCode(cho.token)).toBe(0)
  expect(world.writer.isOpen).toBe(true)
  await provesHarmless(world)
})

function passwordChange(authKey: Bytes, newAuthKey: Bytes, vaultRev = 1): object {
  const [salt, vault] = [toBase64Url(someBytes(16)), toBase64Url(someBytes(64))]
  return { authKey: toBase64Url(authKey), newAuthKey: toBase64Url(newAuthKey), salt, vault, vaultRev }
}

test('[ATT-75] sessions after a password change: all others are dead, and so is the old password', async () => {
  const { relay } = world
  const account = await makeAccount(relay.url, 'mover')
  const [first, second] = [
    await addDevice(relay.url, account, account.token),
    await addDevice(relay.url, account, await signInByHand(relay.url, 'mover', account.authKey)),
  ]
  const waiting = await signInByHand(relay.url, 'mover', account.authKey)
  const [mine, other] = [await world.link(first), await world.link(second)]
  const newKey = someBytes(32)
  const changed = await post('/api/password', passwordChange(account.authKey, newKey), first.token)
  expect(changed.status).toBe(200)
  expect((await other.closed).code).toBe(closeCodes.unauthorized)
  for (const token of [first.token, second.token, waiting]) expect(await helloCode(token)).toBe(closeCodes.unauthorized)
  expect(await helloCode(String(changed.json.token))).toBe(0)
  await expect(signInByHand(relay.url, 'mover', account.authKey)).rejects.toThrow('bad_login')
  await signInByHand(relay.url, 'mover', newKey)
  await mine.end()
  await provesHarmless(world)
})

test('[ATT-75] a password changed with a stolen token, a false password, or an old vault', async () => {
  const { eve, relay } = world
  const uncertified = await signInByHand(relay.url, eve.username, eve.authKey)
  const tries: [object, string, string][] = [
    [passwordChange(someBytes(32), someBytes(32)), eve.token, 'bad_login'],
    [passwordChange(eve.authKey, someBytes(32), 0), eve.token, 'stale'],
    [passwordChange(eve.authKey, someBytes(32), 2), eve.token, 'stale'],
    [passwordChange(eve.authKey, someBytes(32)), uncertified, 'device'],
    [passwordChange(eve.authKey, someBytes(32)), '', 'unauthorized'],
    [passwordChange(eve.authKey, someBytes(31)), eve.token, 'shape'],
  ]
  for (const [body, token, code] of tries) expect((await post('/api/password', body, token)).json.code).toBe(code)
  await signInByHand(relay.url, eve.username, eve.authKey)
  expect(await helloCode(eve.token)).toBe(0)
  await provesHarmless(world)
})

test('[ATT-75] an account ended with a stolen token, or by its community’s owner', async () => {
  const { eve, ann } = world
  const erase = (authKey: Bytes, token: string) => post('/api/account/erase', { authKey: toBase64Url(authKey) }, token)
  expect((await erase(someBytes(32), eve.token)).json.code).toBe('bad_login')
  expect((await erase(eve.authKey, ann.token)).json.code).toBe('bad_login')
  expect((await erase(ann.authKey, ann.token)).json.code).toBe('owner')
  expect(await helloCode(eve.token)).toBe(0)
  await provesHarmless(world)
})

test('[ATT-76] a flood of sign-ins without a device leaves no more sessions than there may be devices', async () => {
  const { relay, eve } = world
  const tokens: string[] = []
  for (let i = 0; i < 40; i++) tokens.push(await signInByHand(relay.url, eve.username, eve.authKey))
  const alive = []
  for (const token of tokens) alive.push((await post('/api/sign-out', {}, token)).status === 204)
  expect(alive.filter((is) => is).length).toBeLessThanOrEqual(20)
  expect(alive.at(-1)).toBe(true)
  expect(await helloCode(eve.token)).toBe(0)
  await provesHarmless(world)
})

test('[ATT-76] bodies that are no bodies', async () => {
  const { relay } = world
  const raw = async (body: string | Uint8Array<ArrayBuffer>, type = 'application/json') => {
    const answer = await fetch(`${relay.url}/api/login`, { method: 'POST', headers: { 'content-type': type }, body })
    return `${answer.status} ${JSON.stringify(await answer.json())}`
  }
  const shape = '400 {"code":"shape"}'
  const deep = '['.repeat(8_000)
  for (const body of ['', '{', 'null', '[]', '"x"', '{"login":1}', '{"__proto__":{"login":"ann"}}', deep, `{"login":${deep}`])
    expect(await raw(body), body.slice(0, 40)).toBe(shape)
  expect(await raw(Uint8Array.of(0xff, 0xfe))).toBe(shape)
  expect(await raw(`{"login":"ann","authKey":"${toBase64Url(someBytes(31))}"}`)).toBe(shape)
  expect(await raw('x'.repeat(16_385))).toBe('413 {"code":"size"}')
  expect(await raw('{"login":"ann"}', 'text/plain')).toBe('415 {"code":"shape"}')
  expect(await raw('login=ann', 'application/x-www-form-urlencoded')).toBe('415 {"code":"shape"}')
  await provesHarmless(world)
})

test('[ATT-76] a page of another site gets no socket', async () => {
  const answer = await fetch(`${world.relay.url}/api/socket`, { headers: { origin: 'https://evil.example' } })
  expect(answer.headers.get('access-control-allow-origin')).toBeNull()
  await expect(connectRaw(world.relay.url, { origin: 'https://evil.example' })).rejects.toThrow('403')
  await provesHarmless(world)
})
