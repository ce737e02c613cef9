import { IDBFactory } from 'fake-indexeddb'
import { expect, test } from 'vitest'
import { type DeviceKeyPorts, makeDeviceKey, openDeviceKey } from '#app/platform/device-key.ts'
import { createKeyProbe, type KeyStorage, keepsKey } from '#app/platform/key-storage.ts'
import { utf8 } from '#shared/base/bytes.ts'
import { createPrng } from '#shared/base/prng.ts'
import { loadSodium } from '#shared/crypto/sodium.ts'

const sodium = await loadSodium()
const message = utf8('hello')

function ports(changed: Partial<DeviceKeyPorts> = {}): DeviceKeyPorts {
  const { subtle } = globalThis.crypto
  return { subtle, random: createPrng(5), sodium: async () => sodium, keeps: async () => true, ...changed }
}

test('[DKY-1] where the browser can, the key is WebCrypto’s and cannot be taken out', async () => {
  const pair = await makeDeviceKey(ports())
  expect(pair.stored.kind).toBe('webcrypto')
  if (pair.stored.kind !== 'webcrypto') return
  expect(pair.stored.key.extractable).toBe(false)
  await expect(globalThis.crypto.subtle.exportKey('pkcs8', pair.stored.key)).rejects.toThrow()
  expect(pair.publicKey).toHaveLength(32)
  expect(sodium.verify(await pair.sign(message), message, pair.publicKey)).toBe(true)
  const again = openDeviceKey(structuredClone(pair.stored), ports())
  expect(sodium.verify(await again.sign(message), message, pair.publicKey)).toBe(true)
})

const failing = (method: 'generateKey' | 'exportKey' | 'sign') =>
  new Proxy(globalThis.crypto.subtle, {
    get: (target, name) =>
      name === method ? () => Promise.reject(new Error('not supported')) : Reflect.get(target, name).bind(target),
  })
const lying = new Proxy(globalThis.crypto.subtle, {
  get: (target, name) => (name === 'sign' ? async () => new ArrayBuffer(64) : Reflect.get(target, name).bind(target)),
})

test.each<[string, Partial<DeviceKeyPorts>]>([
  ['no secure context', { subtle: undefined }],
  ['no Ed25519', { subtle: failing('generateKey') }],
  ['no raw export', { subtle: failing('exportKey') }],
  ['no signing', { subtle: failing('sign') }],
  ['a signature that libsodium does not accept', { subtle: lying }],
  ['a storage that does not keep the key', { keeps: async () => false }],
  ['a storage that throws', { keeps: () => Promise.reject(new Error('DataCloneError')) }],
])('[DKY-2] %s: a seed for libsodium serves', async (_what, changed) => {
  const pair = await makeDeviceKey(ports(changed))
  expect(pair.stored.kind).toBe('seed')
  expect(sodium.verify(await pair.sign(message), message, pair.publicKey)).toBe(true)
  const again = openDeviceKey(structuredClone(pair.stored), ports(changed))
  expect(sodium.verify(await again.sign(message), message, pair.publicKey)).toBe(true)
})

test('[DKY-3] storage is tried by putting the key there and using what comes out; nothing stays behind', async () => {
  // reason: the same methods and events; only the typing of listeners differs between a browser and its imitation
  const storage = new IDBFactory() as unknown as KeyStorage & { databases(): Promise<unknown[]> }
  const key = { kind: 'a key' }
  const kept: unknown[] = []
  const works = async (value: unknown) => kept.push(value) === 1
  expect(await keepsKey(storage, 'probe', key, works)).toBe(true)
  expect(kept).toEqual([key])
  expect(kept[0]).not.toBe(key)
  expect(await keepsKey(storage, 'probe', key, async () => false)).toBe(false)
  expect(await keepsKey(storage, 'probe', () => 'functions cannot be cloned', works)).toBe(false)
  await expect.poll(() => storage.databases()).toEqual([])
})

test('[DKY-4] a browser that keeps the key is relied on, and the key that comes out signs', async () => {
  // reason: the same methods and events; only the typing of listeners differs between a browser and its imitation
  const storage = new IDBFactory() as unknown as KeyStorage
  const keeps = createKeyProbe(storage, globalThis.crypto.subtle)
  expect((await makeDeviceKey(ports({ keeps }))).stored.kind).toBe('webcrypto')
  const { publicKey } = sodium.signerFromSeed(new Uint8Array(32))
  const notSigning = await globalThis.crypto.subtle.importKey('raw', publicKey, 'Ed25519', false, ['verify'])
  expect(await keeps(notSigning)).toBe(false)
})
