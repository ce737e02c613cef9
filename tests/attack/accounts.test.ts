// Accounts: another's vault, another's private document, devices that nobody certified, keys that sign everything.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { concatBytes, toBase64Url, utf8 } from '#shared/base/bytes.ts'
import { popSignedBytes, statementSignedBytes } from '#shared/crypto/statements.ts'
import { encodeUp } from '#shared/protocol/frame-codec.ts'
import { closeCodes } from '#shared/protocol/frames.ts'
import { connectRaw, helloCode, type RawDevice } from '../fakes/raw-device.ts'
import {
  addDevice,
  certificateOf,
  entryText,
  newSigner,
  postJson,
  signEntry,
  signInByHand,
  someBytes,
} from '../fakes/raw-person.ts'
import { provesHarmless } from './harmless.ts'
import { startWorld, type World } from './world.ts'

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
  expect(await helloCode(world.relay.url, token)).toBe(closeCodes.forbidden)
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
  expect(await helloCode(world.relay.url, token)).toBe(closeCodes.forbidden)
  await provesHarmless(world)
})

test('[ATT-72] a session that speaks for one device does not take another', async () => {
  const { eve } = world
  const device = await newSigner()
  const pop = device.sign(popSignedBytes(eve.identity.publicKey))
  const signed = certificateOf({ account: eve.account, identity: eve.identity, signer: eve.identity, key: device.publicKey, pop })
  expect((await post('/api/devices', signed, eve.token)).json).toEqual({ code: 'device' })
  expect(await helloCode(world.relay.url, eve.token)).toBe(0)
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
