// Bytes that left a device once must be read for ever. What is frozen was checked by another implementation when it was made: node:crypto
// (OpenSSL) for Argon2id, HMAC, SHA-256 and Ed25519.
import { argon2Sync, createHash, createHmac, createPrivateKey, sign } from 'node:crypto'
import { expect, test } from 'vitest'
import { nodeHasher } from '#relay/crypto.ts'
import { parseBase64Url, toBase64Url } from '#shared/base/bytes.ts'
import { parseAccountId, parseDeviceId } from '#shared/base/ids.ts'
import { deriveKey, masterKey, passwordKeys, stretchLeast } from '#shared/crypto/key-derivation.ts'
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
import { openVault, sealVault } from '#shared/crypto/vault.ts'
import vectors from './vectors.json' with { type: 'json' }

const sodium = await loadSodium()
const bytes = (text: string) => {
  const read = parseBase64Url(text)
  if (!read) throw new Error(`not base64url: ${text}`)
  return read
}
const text = toBase64Url

test('[KEY-1, check 4, check 14, check 41] a password gives the frozen keys; NFKC, and nothing is cut off', () => {
  for (const row of vectors.passwords) {
    const mk = masterKey(sodium, row.password, bytes(row.salt), stretchLeast)
    const { authKey, kek } = passwordKeys(sodium, mk)
    expect({ mk: text(mk), authKey: text(authKey), kek: text(kek) }).toEqual({ mk: row.mk, authKey: row.authKey, kek: row.kek })
    // the same by OpenSSL
    const message = Buffer.from(row.password.normalize('NFKC'))
    const other = { message, nonce: bytes(row.salt), parallelism: 1, tagLength: 32, memory: 65_536, passes: 3 }
    expect(text(argon2Sync('argon2id', other))).toBe(row.mk)
    const hmac = (label: string) => createHmac('sha256', mk).update(`dupecord/${label}/1\0\x01`).digest()
    expect(text(hmac('auth-key'))).toBe(row.authKey)
    expect(text(hmac('kek'))).toBe(row.kek)
    expect(text(passwordKeys(nodeHasher, mk).authKey)).toBe(row.authKey)
  }
  const [composed, decomposed, long, longer] = vectors.passwords
  expect(composed?.password).not.toBe(decomposed?.password)
  expect(composed?.mk).toBe(decomposed?.mk)
  expect(long?.password.slice(0, 255)).toBe(longer?.password.slice(0, 255))
  expect(long?.mk).not.toBe(longer?.mk)
}, 120_000)

test('[KEY-2] a key of a key, with and without context', () => {
  const { key, context, plain, withContext } = vectors.derived
  expect(text(deriveKey(sodium, bytes(key), 'golden'))).toBe(plain)
  expect(text(deriveKey(sodium, bytes(key), 'golden', bytes(context)))).toBe(withContext)
})

test('[KEY-3] the frozen vault opens, and sealing with its nonce gives the same bytes', () => {
  const { kek, seed, nonce, vault } = vectors.vault
  expect(text(openVault(sodium, bytes(kek), bytes(vault)) ?? new Uint8Array(0))).toBe(seed)
  expect(text(sealVault(sodium, { bytes: () => bytes(nonce) }, bytes(kek), bytes(seed)))).toBe(vault)
})

test('[KEY-4] ids of account and device follow from their keys', () => {
  const { identity, device, account, dev } = vectors.ids
  const id = (label: string, key: string) =>
    createHash('sha256').update(`dupecord/${label}/1\0`).update(bytes(key)).digest().subarray(0, 16)
  expect([accountIdOf(sodium, bytes(identity)), text(id('account', identity))]).toEqual([account, account])
  expect([deviceIdOf(nodeHasher, bytes(device)), text(id('device', device))]).toEqual([dev, dev])
})

test('[KEY-5] the frozen statements verify, and are written byte for byte', () => {
  const { identitySeed, deviceSeed, add, revoke } = vectors.statements
  const [identity, device] = [sodium.signerFromSeed(bytes(identitySeed)), sodium.signerFromSeed(bytes(deviceSeed))]
  const account = accountIdOf(sodium, identity.publicKey)
  const expected = { account, identity: identity.publicKey }
  for (const row of [add, revoke]) {
    expect(verifyStatement(sodium, row.text, row.sig, expected)).toEqual({ ok: true, value: JSON.parse(row.text) })
    expect(text(identity.sign(statementSignedBytes(row.text)))).toBe(row.sig)
    // Ed25519 by OpenSSL, from the seed in PKCS #8 (RFC 8410)
    const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), bytes(identitySeed)])
    const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
    expect(text(sign(null, Buffer.concat([Buffer.from('dupecord/keys/1\0'), Buffer.from(row.text)]), key))).toBe(row.sig)
  }
  const pop = device.sign(popSignedBytes(identity.publicKey))
  const at = 1_800_000_000_000
  expect(writeDevAdd({ account, identity: identity.publicKey, key: device.publicKey, at, pop })).toBe(add.text)
  const dev = deviceIdOf(sodium, device.publicKey)
  expect(writeDevRevoke({ account, identity: identity.publicKey, dev, at, why: 'lost' })).toBe(revoke.text)
  expect(parseStatement(add.text)).toMatchObject({ account: parseAccountId(account) })
  expect(parseStatement(revoke.text)).toMatchObject({ dev: parseDeviceId(dev) })
})
