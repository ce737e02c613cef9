// Both verifiers are libsodium; this shows that they say the same of what an attacker would send, and that RFC 8032's own vectors hold.
import { describe, expect, test } from 'vitest'
import { loadNativeVerifier, loadVerifier, nodeHasher } from '#relay/crypto.ts'
import { type Bytes, concatBytes, utf8 } from '#shared/base/bytes.ts'
import { createPrng } from '#shared/base/prng.ts'
import type { Verifier } from '#shared/crypto/ports.ts'
import { loadSodium } from '#shared/crypto/sodium.ts'

const hex = (text: string): Bytes => new Uint8Array(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'))

const sodium = await loadSodium()
const verifiers: [string, Verifier][] = [
  ['sodium-native', await loadNativeVerifier()],
  ['libsodium wasm', sodium],
]

// RFC 8032 §7.1, tests 1 to 3: public key, message, signature.
const published = [
  [
    'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    '',
    'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  ],
  [
    '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    '72',
    '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  ],
  [
    'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    'af82',
    '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  ],
].map((row) => row.map(hex))

// All points of order 1, 2, 4 and 8, and their encodings that are not canonical (RFC 7748's curve; the list of libsodium's blocklist).
const smallOrder = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  '13e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
  'b4176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '0000000000000000000000000000000000000000000000000000000000000080',
  '0100000000000000000000000000000000000000000000000000000000000080',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
].map(hex)

// L, the order of the group (RFC 8032 §5.1): a second signature of the same message is S + L.
const order = 2n ** 252n + 27742317777372353535851937790883648493n

describe.each(verifiers)('%s', (_name, verifier) => {
  const signer = sodium.signerFromSeed(utf8('a seed of thirty-two characters.'))
  const message = utf8('hello')
  const signature = signer.sign(message)

  test('[SIG-1, check 41] the published vectors hold', () => {
    for (const [key, text, sig] of published as [Bytes, Bytes, Bytes][]) expect(verifier.verify(sig, text, key)).toBe(true)
  })

  test('[SIG-2] its own signatures hold, also over nothing and over much', () => {
    for (const text of [message, new Uint8Array(0), new Uint8Array(100_000)])
      expect(verifier.verify(signer.sign(text), text, signer.publicKey)).toBe(true)
  })

  test('[SIG-3, check 43] small-order keys are no keys, and no signature fits them', () => {
    for (const key of smallOrder) {
      expect(verifier.isValidKey(key)).toBe(false)
      for (const r of smallOrder) expect(verifier.verify(concatBytes(r, new Uint8Array(32)), message, key)).toBe(false)
    }
  })

  test('[SIG-4, check 43] a key of mixed order is no key', () => {
    // The signer's point plus the point of order 2, (0, -1): (-x, -y), so y becomes p - y and the sign of x flips.
    expect(verifier.isValidKey(signer.publicKey)).toBe(true)
    expect(verifier.isValidKey(addOrderTwo(signer.publicKey))).toBe(false)
  })

  test('[SIG-5] wrong lengths are false, never an exception', () => {
    for (const length of [0, 1, 31, 33, 63, 65, 96]) {
      const bytes = new Uint8Array(length)
      expect(verifier.verify(bytes, message, signer.publicKey)).toBe(false)
      expect(verifier.isValidKey(bytes)).toBe(false)
      expect(verifier.verify(signature, message, bytes)).toBe(false)
    }
  })

  test('[SIG-6] S + L is refused: a signature has one form', () => {
    const s = readLittleEndian(signature.subarray(32)) + order
    const other = concatBytes(signature.subarray(0, 32), writeLittleEndian(s))
    expect(verifier.verify(other, message, signer.publicKey)).toBe(false)
  })

  test('[SIG-7] a view into a greater buffer is read as that view', () => {
    const wide = concatBytes(new Uint8Array(7), signature, signer.publicKey, message, new Uint8Array(9))
    const [sig, key, text] = [wide.subarray(7, 71), wide.subarray(71, 103), wide.subarray(103, 108)]
    expect(verifier.verify(sig, text, key)).toBe(true)
    expect(verifier.isValidKey(key)).toBe(true)
  })
})

test('[SIG-8] both say the same of 2,000 mutated signatures, keys and messages', () => {
  const random = createPrng(20)
  const signer = sodium.signerFromSeed(random.bytes(32))
  for (let i = 0; i < 2000; i++) {
    const parts = { message: random.bytes(random.below(40)), key: signer.publicKey.slice(), sig: new Uint8Array(64) }
    parts.sig = signer.sign(parts.message)
    const target = random.pick([parts.sig, parts.key, parts.message])
    if (target.length > 0) target[random.below(target.length)] = random.below(256)
    const said = verifiers.map(([, v]) => `${v.verify(parts.sig, parts.message, parts.key)} ${v.isValidKey(parts.key)}`)
    expect(said[0], `mutation ${i}`).toBe(said[1])
  }
})

test('[SIG-9] hashes and MACs are the same at the relay and on devices', () => {
  const random = createPrng(21)
  for (const length of [0, 1, 55, 56, 64, 1000]) {
    const [bytes, key] = [random.bytes(length), random.bytes(32)]
    expect(nodeHasher.sha256(bytes)).toEqual(sodium.sha256(bytes))
    expect(nodeHasher.hmacSha256(key, bytes)).toEqual(sodium.hmacSha256(key, bytes))
  }
})

test('[SIG-10] where the addon is not packaged the wasm serves, and any other failure is not hidden', async () => {
  const missing = () => Promise.reject(Object.assign(new Error('no addon'), { code: 'ADDON_NOT_FOUND' }))
  const { verifier, native } = await loadVerifier(missing)
  expect(native).toBe(false)
  const [key, text, sig] = published[1] as [Bytes, Bytes, Bytes]
  expect(verifier.verify(sig, text, key)).toBe(true)
  expect((await loadVerifier()).native).toBe(true)
  await expect(loadVerifier(() => Promise.reject(new Error('a bug')))).rejects.toThrow('a bug')
})

function addOrderTwo(key: Bytes): Bytes {
  const p = 2n ** 255n - 19n
  const encoded = readLittleEndian(key)
  const [y, sign] = [encoded & (2n ** 255n - 1n), encoded >> 255n]
  return writeLittleEndian((p - y) | ((1n - sign) << 255n))
}

function readLittleEndian(bytes: Uint8Array): bigint {
  return [...bytes].reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n)
}

function writeLittleEndian(value: bigint): Bytes {
  return Uint8Array.from({ length: 32 }, (_, i) => Number((value >> BigInt(8 * i)) & 255n))
}
