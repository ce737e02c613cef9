// One suite for every store of private documents.
import { describe, expect, test } from 'vitest'
import { openDatabase } from '#relay/store/database.ts'
import type { PrivateStore } from '#relay/store/log-store.ts'
import { createSqlitePrivateStore } from '#relay/store/sqlite-private-store.ts'
import { idFromBytes } from '#shared/base/ids.ts'
import { createPrng } from '#shared/base/prng.ts'
import { createMemoryPrivateStore } from '../fakes/memory-private-store.ts'

const random = createPrng(3)
const makeAccount = () => idFromBytes<'account'>(random.bytes(16))
const implementations: [string, () => PrivateStore][] = [
  ['in memory', () => createMemoryPrivateStore()],
  ['in SQLite', () => createSqlitePrivateStore(openDatabase(':memory:'))],
]

describe.each(implementations)('private store %s', (_, make) => {
  test('keeps blobs in the order of their numbers, by account', async () => {
    const store = make()
    const [a, b] = [makeAccount(), makeAccount()]
    const first = await store.put(a, Uint8Array.of(1), [])
    const second = await store.put(a, Uint8Array.of(2, 2), [])
    await store.put(b, Uint8Array.of(9), [])
    expect(second).toBeGreaterThan(first)
    expect(await store.blobs(a)).toEqual([
      { nr: first, bytes: Uint8Array.of(1) },
      { nr: second, bytes: Uint8Array.of(2, 2) },
    ])
    expect(await store.blobs(makeAccount())).toEqual([])
  })

  test('replaces the blobs named and no others, and never gives a number twice while it counts', async () => {
    const store = make()
    const [a, b] = [makeAccount(), makeAccount()]
    const one = await store.put(a, Uint8Array.of(1), [])
    const two = await store.put(a, Uint8Array.of(2), [])
    await store.put(b, Uint8Array.of(9), [])
    const whole = await store.put(a, Uint8Array.of(3), [one])
    expect((await store.blobs(a)).map(({ nr }) => nr)).toEqual([two, whole])
    expect(await store.blobs(b)).toHaveLength(1)
    const last = await store.put(a, Uint8Array.of(4), [two, whole, 77])
    expect(last).toBeGreaterThan(whole)
    expect(await store.blobs(a)).toEqual([{ nr: last, bytes: Uint8Array.of(4) }])
  })

  test('[ERA-8] erases one account’s document and no other', async () => {
    const store = make()
    const [a, b] = [makeAccount(), makeAccount()]
    for (const account of [a, a, b]) await store.put(account, Uint8Array.of(1), [])
    await store.erase(a)
    expect(await store.blobs(a)).toEqual([])
    expect(await store.blobs(b)).toHaveLength(1)
  })

  test('what a caller does with the bytes does not reach the store', async () => {
    const store = make()
    const account = makeAccount()
    const bytes = Uint8Array.of(5)
    await store.put(account, bytes, [])
    bytes[0] = 6
    const [blob] = await store.blobs(account)
    blob?.bytes.fill(7)
    expect((await store.blobs(account))[0]?.bytes).toEqual(Uint8Array.of(5))
  })
})
