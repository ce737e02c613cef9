// Signatures checked on another thread say what the same thread would say, in their places, also when the thread dies.
import { afterEach, expect, test } from 'vitest'
import { loadVerifier } from '#relay/crypto.ts'
import { startVerifyThreads, type VerifyThreads } from '#relay/verify-ahead.ts'
import { createPrng } from '#shared/base/prng.ts'
import { loadSodium } from '#shared/crypto/sodium.ts'

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
