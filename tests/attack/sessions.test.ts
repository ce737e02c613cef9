// Sessions: tokens where they may not be, that were never given, that ran out or were ended; revoked devices, changed passwords.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Bytes, toBase64Url } from '#shared/base/bytes.ts'
import type { DeviceId } from '#shared/base/ids.ts'
import type { SeedSigner } from '#shared/crypto/sodium.ts'
import { popSignedBytes, statementSignedBytes, writeDevRevoke } from '#shared/crypto/statements.ts'
import { closeCodes } from '#shared/protocol/frames.ts'
import { connectRaw, helloCode, helloOf } from '../fakes/raw-device.ts'
import {
  addDevice,
  certificateOf,
  entryText,
  makeAccount,
  postJson,
  type RawPerson,
  signEntry,
  signInByHand,
  someBytes,
} from '../fakes/raw-person.ts'
import { startRelay } from '../fakes/relay-process.ts'
import { provesHarmless } from './harmless.ts'
import { quick, startWorld, type World } from './world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld({ LIMIT_DEVICES: '10000/60' })
})
afterAll(() => world?.remove())

const post = (path: string, body: unknown, token = '') => postJson(world.relay.url, path, body, token)

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
  expect(await helloCode(world.relay.url, eve.token)).toBe(0)
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
    expect(await helloCode(world.relay.url, token), token).toBe(closeCodes.unauthorized)
  for (const header of [eve.token, `bearer ${eve.token}`, `Bearer  ${eve.token} x`, `Basic ${eve.token}`]) {
    const answer = await fetch(`${relay.url}/api/sign-out`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: header },
      body: '{}',
    })
    expect(answer.status, header).toBe(401)
  }
  expect(await helloCode(world.relay.url, eve.token)).toBe(0)
  await provesHarmless(world)
})

test('[ATT-75] a token that was signed out, and its live socket', async () => {
  const { relay, eve } = world
  const person = await addDevice(relay.url, eve, await signInByHand(relay.url, eve.username, eve.authKey))
  const live = await world.link(person)
  expect((await post('/api/sign-out', {}, person.token)).status).toBe(204)
  expect((await live.closed).code).toBe(closeCodes.unauthorized)
  expect(await helloCode(world.relay.url, person.token)).toBe(closeCodes.unauthorized)
  expect((await post('/api/sign-out', {}, person.token)).json).toEqual({ code: 'unauthorized' })
  await provesHarmless(world)
})

test('[ATT-75] a token that ran out, and its live socket', async () => {
  const relay = await startRelay({ ...quick, LIMIT_SESSION_IDLE_MS: '5000', LIMIT_SESSION_ABSOLUTE_MS: '5000' })
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
  expect(await helloCode(world.relay.url, lost.token)).toBe(closeCodes.unauthorized)
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
  expect(await helloCode(world.relay.url, cho.token)).toBe(0)
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
  for (const token of [first.token, second.token, waiting])
    expect(await helloCode(world.relay.url, token)).toBe(closeCodes.unauthorized)
  expect(await helloCode(world.relay.url, String(changed.json.token))).toBe(0)
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
  expect(await helloCode(world.relay.url, eve.token)).toBe(0)
  await provesHarmless(world)
})

test('[ATT-75] an account ended with a stolen token, or by its community’s owner', async () => {
  const { eve, ann } = world
  const erase = (authKey: Bytes, token: string) => post('/api/account/erase', { authKey: toBase64Url(authKey) }, token)
  expect((await erase(someBytes(32), eve.token)).json.code).toBe('bad_login')
  expect((await erase(eve.authKey, ann.token)).json.code).toBe('bad_login')
  expect((await erase(ann.authKey, ann.token)).json.code).toBe('owner')
  expect(await helloCode(world.relay.url, eve.token)).toBe(0)
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
  expect(await helloCode(world.relay.url, eve.token)).toBe(0)
  await provesHarmless(world)
})
