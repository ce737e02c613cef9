// Signatures checked on another thread say what the same thread would say, in their places, also when the thread dies.
import { afterEach, expect, test } from 'vitest'
import { loadVerifier } from '#relay/crypto.ts'
import { startVerifyThreads, type VerifyThreads } from '#relay/verify-ahead.ts'
import { createPrng } from '#shared/base/prng.ts'
import type { SignatureClaim } from '#shared/crypto/ports.ts'
import { loadSodium } from '#shared/crypto/sodium.ts'
import { createHubWorld } from './hub-world.ts'

const started: VerifyThreads[] = []
afterEach(async () => {
  for (const threads of started.splice(0)) await threads.close()
})

async function claimsOf(count: number) {
  const prng = createPrng(5)
  const sodium = await loadSodium()
  const signers = [1, 2, 3].map(() => sodium.signerFromSeed(prng.bytes(32)))
  return Array.from({ length: count }, () => {
    const signer = prng.pick(signers)
    const message = prng.bytes(prng.below(400))
    const signature = signer.sign(message)
    const spoilt = prng.below(64)
    if (prng.chance(0.3)) signature[spoilt] = (signature[spoilt] ?? 0) ^ (1 << prng.below(8))
    return { key: signer.publicKey, signature, message }
  })
}

test.each([1, 2, 3])('[AHEAD-1] %i threads answer as the verifier itself, claim by claim', async (count) => {
  const threads = startVerifyThreads(count, () => {})
  started.push(threads)
  const { verifier } = await loadVerifier()
  const claims = await claimsOf(101)
  const expected = claims.map(({ key, signature, message }) => verifier.verify(signature, message, key))
  expect(new Set(expected)).toEqual(new Set([true, false]))
  expect(await threads.verifyAhead(claims)).toEqual(expected)
  const [first, second] = await Promise.all([threads.verifyAhead(claims.slice(0, 50)), threads.verifyAhead(claims.slice(50))])
  expect([...(first ?? []), ...(second ?? [])]).toEqual(expected)
})

test('[AHEAD-2] a few claims are left to whoever asks, and so are those of a thread that is gone', async () => {
  const threads = startVerifyThreads(1, () => {})
  started.push(threads)
  const claims = await claimsOf(20)
  expect(threads.verifyAhead(claims.slice(0, 3))).toBeUndefined()
  const asked = threads.verifyAhead(claims)
  await threads.close()
  const answers = await asked
  expect(answers).toHaveLength(20)
  expect(threads.verifyAhead(claims)).toBeUndefined()
})

test('[AHEAD-3] what a person sends in many frames of one turn is checked ahead as far as there are tokens for all of it', async () => {
  const checked: number[] = []
  const verifyAhead = (claims: readonly SignatureClaim[]) => {
    checked.push(claims.length)
    return Promise.resolve(claims.map(() => true))
  }
  const world = createHubWorld({ settings: { entryBurst: 10, entriesPerMinute: 1 }, verifyAhead })
  const owner = await world.online(await world.person('ann'))
  const { space, channel } = await world.community(owner)
  await world.append(owner, channel, world.entry(owner.person, space, channel))
  await world.open(owner, world.head(channel))
  checked.splice(0)
  for (let nr = 100; nr < 150; nr++)
    owner.up({ kind: 'append', nr, channel, entries: [1, 2, 3, 4].map(() => world.entry(owner.person, space, channel).bytes) })
  await world.hub.idle()
  expect(checked.reduce((sum, count) => sum + count, 0)).toBe(9)
})
