import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseBase64Url, toBase64Url } from '#shared/base/bytes.ts'
import { createPrng } from '#shared/base/prng.ts'
import { loadSodium } from '#shared/crypto/sodium.ts'
import {
  accountIdOf,
  deviceIdOf,
  parseStatement,
  popSignedBytes,
  statementSignedBytes,
  verifyStatement,
  writeDevAdd,
  writeDevRevoke,
} from '#shared/crypto/statements.ts'

const sodium = await loadSodium()
const random = createPrng(1)
const identity = sodium.signerFromSeed(random.bytes(32))
const device = sodium.signerFromSeed(random.bytes(32))
const account = accountIdOf(sodium, identity.publicKey)
const dev = deviceIdOf(sodium, device.publicKey)
const expected = { account, identity: identity.publicKey }
const pop = device.sign(popSignedBytes(identity.publicKey))
const add = writeDevAdd({ account, identity: identity.publicKey, key: device.publicKey, at: 5, pop })
const revoke = writeDevRevoke({ account, identity: identity.publicKey, dev, at: 5, why: 'lost' })
const signed = (text: string) => toBase64Url(identity.sign(statementSignedBytes(text)))
const verdict = (text: string, sig = signed(text)) => {
  const result = verifyStatement(sodium, text, sig, expected)
  return result.ok ? 'ok' : result.code
}

test('[STM-1] what was written is read, and its signature holds', () => {
  expect([verdict(add), verdict(revoke)]).toEqual(['ok', 'ok'])
  expect(parseStatement(add)).toMatchObject({ t: 'dev.add', account, at: 5, key: toBase64Url(device.publicKey) })
  expect(parseStatement(revoke)).toMatchObject({ t: 'dev.revoke', dev, why: 'lost' })
})

test('[STM-2, check 50] validly signed garbage is refused by what is wrong with it, never an exception', () => {
  const other = accountIdOf(sodium, device.publicKey)
  const cases: [string, string][] = [
    [add.replace('"v":1', '"v":2'), 'shape'],
    [add.replace('dev.add', 'dev.take'), 'shape'],
    [add.replace('"at":5', '"at":"5"'), 'shape'],
    [add.replace('"at":5', '"at":-5'), 'shape'],
    [add.replace('"at":5', '"at":5.5'), 'shape'],
    [add.replace('"at":5', '"at":5e0'), 'shape'],
    [add.replace('"at":5', '"at":9007199254740992'), 'shape'],
    [add.replace('"at":5', '"at":5,"more":1'), 'shape'],
    [add.replace('"at":5', '"at":4,"at":5'), 'shape'],
    [add.replace('{', '{ '), 'shape'],
    [add.replace('{', '{"__proto__":null,'), 'shape'],
    [`${add} `, 'shape'],
    [`[${add}]`, 'shape'],
    [revoke.replace('lost', 'l'.repeat(201)), 'shape'],
    [revoke.replace(dev, 'x'), 'shape'],
    ['', 'shape'],
    ['null', 'shape'],
    ['1', 'shape'],
    [`"${'x'.repeat(5000)}"`, 'shape'],
    [add.replace(account, other), 'account'],
    [add.replace(toBase64Url(identity.publicKey), toBase64Url(device.publicKey)), 'account'],
    [add.replace(toBase64Url(device.publicKey), toBase64Url(new Uint8Array(32))), 'key'],
    [add.replace(toBase64Url(pop), toBase64Url(new Uint8Array(64))), 'pop'],
    [add.replace(toBase64Url(pop), toBase64Url(identity.sign(popSignedBytes(identity.publicKey)))), 'pop'],
  ]
  for (const [text, code] of cases) expect([text.slice(0, 60), verdict(text)]).toEqual([text.slice(0, 60), code])
})

test('[STM-3] without the identity’s signature nothing counts', () => {
  const sig = parseBase64Url(signed(add)) ?? new Uint8Array(0)
  expect(verdict(add, toBase64Url(sig.slice(1)))).toBe('shape')
  expect(verdict(add, `${signed(add)}=`)).toBe('shape')
  expect(verdict(add, signed(revoke))).toBe('signature')
  expect(verdict(add, toBase64Url(device.sign(statementSignedBytes(add))))).toBe('signature')
  expect(verdict(add, toBase64Url(identity.sign(new TextEncoder().encode(add))))).toBe('signature') // signed, but not as a statement
})

test('[STM-4, check 50] no text at all makes the parser throw, and what it takes it writes back as it was', () => {
  const like = fc.record(
    { v: fc.constant(1), t: fc.constantFrom('dev.add', 'dev.revoke', 'x'), account: fc.constant(account), at: fc.nat() },
    { noNullPrototype: true },
  )
  const texts = fc.oneof(
    fc.string(),
    fc.json(),
    like.map((value) => JSON.stringify(value)),
  )
  fc.assert(
    fc.property(texts, (text) => {
      const statement = parseStatement(text)
      expect(statement === undefined || JSON.stringify(statement) === text).toBe(true)
      expect(['ok', 'shape', 'account', 'signature', 'key', 'pop']).toContain(verdict(text, signed('x')))
    }),
    { seed: 4, numRuns: 500 },
  )
})
