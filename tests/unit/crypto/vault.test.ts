import { expect, test } from 'vitest'
import { concatBytes, utf8 } from '#shared/base/bytes.ts'
import { createPrng } from '#shared/base/prng.ts'
import { deriveKey, isAcceptableStretch, stretchLeast } from '#shared/crypto/key-derivation.ts'
import { tag } from '#shared/crypto/signed-bytes.ts'
import { loadSodium } from '#shared/crypto/sodium.ts'
import { openVault, sealVault } from '#shared/crypto/vault.ts'

const sodium = await loadSodium()
const random = createPrng(2)
const [kek, seed] = [random.bytes(32), random.bytes(32)]
const vault = sealVault(sodium, random, kek, seed)

test('[VLT-1] what was sealed opens under its key, and each sealing differs', () => {
  expect(openVault(sodium, kek, vault)).toEqual(seed)
  expect(sealVault(sodium, random, kek, seed)).not.toEqual(vault)
})

test('[VLT-2, check 42] one answer for another key, for each changed bit, each shorter and each longer vault', () => {
  expect(openVault(sodium, random.bytes(32), vault)).toBeUndefined()
  for (let i = 0; i < vault.length; i++) {
    const changed = vault.slice()
    changed[i] = (changed[i] ?? 0) ^ (1 << (i % 8))
    expect(openVault(sodium, kek, changed)).toBeUndefined()
    expect(openVault(sodium, kek, vault.slice(0, i))).toBeUndefined()
  }
  expect(openVault(sodium, kek, concatBytes(vault, Uint8Array.of(0)))).toBeUndefined()
})

test('[VLT-3, check 50] what was sealed rightly and is no vault is refused', () => {
  const key = deriveKey(sodium, kek, 'vault')
  const seal = (plain: Uint8Array, context = tag('vault')) => {
    const nonce = random.bytes(24)
    return concatBytes(nonce, sodium.encrypt(key, nonce, context, plain))
  }
  for (const plain of [utf8(''), utf8('null'), utf8('{"v":2,"seed":"A"}'), utf8('{"v":1,"seed":"AAAA"}'), Uint8Array.of(0xff)])
    expect(openVault(sodium, kek, seal(plain))).toBeUndefined()
  const good = utf8(`{"v":1,"seed":"${'A'.repeat(43)}"}`)
  expect(openVault(sodium, kek, seal(good))).toEqual(new Uint8Array(32))
  expect(openVault(sodium, kek, seal(good, tag('other')))).toBeUndefined() // sealed for something else
})

test('[VLT-4] wiping overwrites', () => {
  const [secret, signer] = [random.bytes(32), sodium.signerFromSeed(seed)]
  const before = signer.sign(utf8('x'))
  sodium.wipe(secret)
  signer.wipe()
  expect(secret).toEqual(new Uint8Array(32))
  expect(signer.sign(utf8('x'))).not.toEqual(before)
})

test('[KEY-6, check 14] weaker parameters than 3 passes and 64 MiB are refused, and ones without end', () => {
  expect(isAcceptableStretch(stretchLeast)).toBe(true)
  expect(isAcceptableStretch({ passes: 4, memoryKiB: 131_072 })).toBe(true)
  const asked = [
    { passes: 2, memoryKiB: 65_536 },
    { passes: 3, memoryKiB: 65_535 },
    { passes: 3.5, memoryKiB: 65_536 },
    { passes: Number.NaN, memoryKiB: 65_536 },
    { passes: 3, memoryKiB: Number.POSITIVE_INFINITY },
    { passes: 1000, memoryKiB: 65_536 },
    { passes: 3, memoryKiB: 8_388_608 },
  ]
  for (const settings of asked) expect(isAcceptableStretch(settings)).toBe(false)
})
