// The small deciding parts of the hub.
import { createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import { isAhead, writeMark } from '#relay/channel/mark.ts'
import { pagesOf } from '#relay/channel/pages.ts'
import { createTokenBuckets } from '#relay/channel/token-bucket.ts'

const mac = {
  hmacSha256: (key: Uint8Array, bytes: Uint8Array) => new Uint8Array(createHmac('sha256', key).update(bytes).digest()),
}
const key = new Uint8Array(32).fill(1)

test('[MARK-1] a mark is ahead only if this relay gave it, in this incarnation, at a commit that it does not have', () => {
  const at = (commits: number, incarnation = 'one') => ({ incarnation, commits, starts: [{ id: 'first', commits: 0 }] })
  const mark = writeMark(mac, key, at(10))
  expect(isAhead(mac, key, mark, at(9))).toBe(true)
  expect(isAhead(mac, key, mark, at(10))).toBe(false)
  expect(isAhead(mac, key, mark, at(9, 'two'))).toBe(false)
  expect(isAhead(mac, new Uint8Array(32), mark, at(9))).toBe(false)
  for (const forged of [
    '',
    '..',
    'one.first.11',
    mark.replace('.10.', '.11.'),
    `${mark}.x`,
    mark.slice(0, -2),
    'one.first.NaN.AAAA',
  ])
    expect(isAhead(mac, key, forged, at(9)), forged).toBe(false)
})

test('[MARK-2] a mark of before the disk was set back is ahead for ever, however many commits were made since', () => {
  const before = { incarnation: 'one', commits: 20, starts: [{ id: 'a', commits: 0 }] }
  const mark = writeMark(mac, key, before)
  const restored = { ...before, commits: 500, starts: [...before.starts, { id: 'b', commits: 12 }] }
  expect(isAhead(mac, key, mark, restored)).toBe(true)
  expect(isAhead(mac, key, writeMark(mac, key, { ...before, commits: 12 }), restored)).toBe(false)
  // Given by a start that the copy does not know.
  const later = writeMark(mac, key, { ...before, commits: 15, starts: [...before.starts, { id: 'c', commits: 12 }] })
  expect(isAhead(mac, key, later, restored)).toBe(true)
  // Older than all starts that are kept.
  const trimmed = { ...before, commits: 500, starts: [{ id: 'z', commits: 400 }] }
  expect(isAhead(mac, key, mark, trimmed)).toBe(false)
  expect(isAhead(mac, key, writeMark(mac, key, restored), { ...restored, commits: 501 })).toBe(false)
})

test('a bucket gives its burst at once, then refills steadily, and never holds more than its burst', () => {
  const buckets = createTokenBuckets<string>(300, 60)
  expect(buckets.left('a', 0)).toBe(300)
  buckets.take('a', 300, 0)
  expect([buckets.left('a', 0), buckets.left('b', 0)]).toEqual([0, 300])
  expect(buckets.waitMs('a', 1, 0)).toBe(1_000)
  expect(buckets.waitMs('a', 10, 500)).toBe(9_500)
  expect(buckets.left('a', 500)).toBe(0)
  expect([999, 1_000, 60_000, 10_000_000].map((now) => buckets.left('a', now))).toEqual([0, 1, 60, 300])
})

test('[LIM-15] 200,000 keys leave no more than so many buckets, cost little, and forget nobody who was there just now', () => {
  const buckets = createTokenBuckets<string>(5, 1)
  for (let i = 0; i < 200_000; i++) {
    buckets.take(`address ${i}`, 1, 0)
    if (i % 40_000 === 0) buckets.take('the one who goes on', 1, 0)
  }
  expect(buckets.size).toBeLessThanOrEqual(100_000)
  expect([buckets.left('the one who goes on', 0), buckets.left('address 199999', 0), buckets.left('address 0', 0)]).toEqual([
    0, 4, 5,
  ])
})

test('[LIM-16] a full bucket is not kept, and a clock that is set back locks nobody out', () => {
  const buckets = createTokenBuckets<string>(2, 60)
  buckets.take('a', 1, 1_000)
  expect(buckets.size).toBe(1)
  buckets.take('a', 0, 60_000)
  expect(buckets.size).toBe(0)
  buckets.take('b', 2, 1_000_000)
  expect(buckets.left('b', 1_000)).toBe(0)
  expect(buckets.left('b', 3_000)).toBe(2)
  buckets.take('b', 2, 3_000)
  buckets.forget('b')
  expect(buckets.left('b', 3_000)).toBe(2)
})

test('long lists are cut, in order, and a page always holds something that there is', () => {
  expect(pagesOf([])).toEqual([[]])
  const items = Array.from({ length: 500 }, (_, i) => ({ i, text: 'ö'.repeat(i % 300) }))
  const pages = pagesOf(items)
  expect(pages.flat()).toEqual(items)
  expect(pages.length).toBeGreaterThan(1)
  for (const page of pages) expect(Buffer.byteLength(JSON.stringify(page))).toBeLessThan(30_000)
  expect(pagesOf(['x'.repeat(40_000), 'y']).map((page) => page.length)).toEqual([1, 1])
})
