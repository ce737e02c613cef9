// A device's replica of a segment, and the pieces that its bytes are made of.
import { expect, test } from 'vitest'
import { concatBytes, utf8 } from '#shared/base/bytes.ts'
import type { SegmentId } from '#shared/base/ids.ts'
import { createReplica } from '#shared/log/document.ts'
import { hasClock, joinRanges, rangesOf } from '#shared/log/ranges.ts'
import { eraseFromTape, runsFrom, tapeOfElement, walkTape } from '#shared/log/tape.ts'
import { encodeAppend, encodeUpdate, readUpdate, serveSegment } from '#shared/log/update-bytes.ts'
import { createWorld, submit } from './channel-world.ts'

const tapeOf = (...texts: string[]) => concatBytes(...texts.map((text) => tapeOfElement(utf8(text))))

test('[LOG-21] a replica tells what an update added and deleted, and counts deleted elements as held', () => {
  const replica = createReplica()
  expect(replica.apply(encodeUpdate(7, [], []))).toEqual({ ok: true, value: { added: [], deleted: [] } })
  expect([replica.client, replica.next, replica.tail()]).toEqual([0, 0, ''])
  const first = encodeAppend(7, 0, eraseFromTape(tapeOf('a', 'b', 'c'), 0, new Set([1])), [[1, 1]])
  expect(replica.apply(first)).toEqual({
    ok: true,
    value: {
      added: [
        { clock: 0, text: 'a' },
        { clock: 2, text: 'c' },
      ],
      deleted: [],
    },
  })
  expect(replica.apply(encodeUpdate(7, [], [[0, 3]]))).toEqual({ ok: true, value: { added: [], deleted: [0, 2] } })
  expect(replica.apply(encodeUpdate(7, [], [[0, 3]]))).toEqual({ ok: true, value: { added: [], deleted: [] } })
  expect([replica.client, replica.next, [...replica.elements()]]).toEqual([7, 3, []])
  expect(Buffer.from(replica.state()).toString()).not.toMatch(/[abc]/)
  expect(replica.apply(encodeAppend(7, 3, tapeOf('d', 'e'), [[3, 1]]))).toMatchObject({
    value: { added: [{ clock: 4, text: 'e' }], deleted: [] },
  })
  expect([...replica.elements()]).toEqual([{ clock: 4, text: 'e' }])
})

test('[LOG-22] elements that are held already are no matter; missing ones before an update are a gap', () => {
  const replica = createReplica(7)
  const [one, two] = [encodeAppend(7, 0, tapeOf('a', 'b'), []), encodeAppend(7, 2, tapeOf('c'), [])]
  expect(replica.apply(two)).toEqual({ ok: false, code: 'gap' })
  replica.apply(one)
  replica.apply(two)
  for (const again of [one, two, encodeAppend(7, 0, tapeOf('a', 'b', 'c'), [])])
    expect(replica.apply(again)).toEqual({ ok: true, value: { added: [], deleted: [] } })
  expect(replica.apply(encodeAppend(7, 1, tapeOf('b', 'c', 'd'), []))).toMatchObject({
    value: { added: [{ clock: 3, text: 'd' }] },
  })
  expect(replica.apply(encodeUpdate(7, [], [[4, 1]]))).toEqual({ ok: false, code: 'gap' })
  expect(replica.apply(encodeAppend(8, 4, tapeOf('x'), []))).toEqual({ ok: false, code: 'client' })
  expect(replica.apply(encodeUpdate(8, [], [[0, 1]]))).toEqual({ ok: false, code: 'client' })
  expect([...replica.elements()].map((one) => one.text).join('')).toBe('abcd')
})

test('[LOG-23] only what the relay can have written is read: shortest numbers, one author, deleted runs named, nothing behind', () => {
  const good = encodeAppend(300, 1, tapeOf('x'), [[0, 1]])
  expect(readUpdate(good)).toEqual({ client: 300, clock: 1, cells: ['x'], deleted: [[0, 1]] })
  const bad = [
    [],
    [0],
    [2, 0],
    [0, 0, 0],
    [1],
    [1, 1, 0, 0, 8],
    [1, 0, 5, 0, 0],
    [1, 1, 5, 1, 0x88, 5, 0, 0, 0], // no element
    [1, 1, 5, 1, 0x88, 6, 0, 1, 0x77, 0, 0], // another author's element to the left
    [1, 1, 5, 1, 0x88, 5, 1, 1, 0x77, 0, 0], // itself to the left
    [1, 1, 5, 0, 8, 1, 3, 0x6c, 0x6f, 0x78, 1, 0x77, 0, 0], // another root
    [1, 1, 5, 0, 8, 1, 3, 0x6c, 0x6f, 0x67, 1, 0x7d, 0, 0], // a number, not a text
    [1, 1, 5, 0, 8, 1, 3, 0x6c, 0x6f, 0x67, 1, 0x77, 1, 0xff, 0], // no UTF-8
    [1, 1, 5, 0, 1, 1, 3, 0x6c, 0x6f, 0x67, 1, 0], // deleted, and not in the delete set
    [1, 1, 5, 0, 1, 1, 3, 0x6c, 0x6f, 0x67, 0xff, 0xff, 0xff, 0xff, 0x0f, 0], // more than memory
    [0, 1, 5, 0],
    [0, 1, 5, 1, 0, 0],
    [0, 1, 5, 2, 3, 1, 0, 1],
    [0, 1, 5, 2, 0, 1, 1, 1], // delete sets: empty, unsorted, not joined
    [0, 1, 0x85, 0, 1, 0, 1], // 5 in two bytes
    [...good, 0],
    [...good.subarray(0, -1)],
  ]
  for (const bytes of bad) expect(readUpdate(Uint8Array.from(bytes)), bytes.join(' ')).toBeUndefined()
})

test('[LOG-24] the tail names the newest element: its id, or that it is deleted here', () => {
  const { ledger, person } = createWorld(1)
  const ada = person()
  const [one, two] = [ada.write(), ada.write()]
  const replica = createReplica()
  const take = (written: typeof one) => {
    for (const { update } of ledger.turn(submit(ada, [written])).updates) replica.apply(update)
  }
  take(one)
  expect(replica.tail()).toBe(one.fields.id)
  take(two)
  expect(replica.tail()).toBe(two.fields.id)
  const redact = ada.write({ op: 'redact', ref: two.fields.id })
  take(redact)
  expect(replica.tail()).toBe(redact.fields.id)
  replica.apply(encodeUpdate(replica.client, [], [[2, 1]]))
  expect(replica.tail()).toBe('-')
})

test('[LOG-26] a replica loaded from its own state is the same replica', () => {
  const { ledger, person } = createWorld(2)
  const ada = person()
  const replica = createReplica()
  const posts = Array.from({ length: 5 }, () => ada.write())
  const redact = ada.write({ op: 'redact', ref: posts[1]?.fields.id ?? 0 })
  for (const written of [...posts, redact])
    for (const { update } of ledger.turn(submit(ada, [written])).updates) replica.apply(update)
  const loaded = createReplica(replica.client)
  expect(loaded.apply(replica.state())).toMatchObject({ ok: true, value: { added: [...replica.elements()], deleted: [] } })
  expect([loaded.next, loaded.tail(), loaded.state()]).toEqual([replica.next, replica.tail(), replica.state()])
})

test('[LOG-27] a tape is cut, erased and joined without a header', () => {
  const tape = tapeOf('a', 'b', 'c', 'd')
  const erased = eraseFromTape(eraseFromTape(tape, 0, new Set([1])), 0, new Set([2, 9]))
  expect([...walkTape(erased)].map(({ live, clock, count }) => [live, clock, count])).toEqual([
    [true, 0, 1],
    [false, 1, 2],
    [true, 3, 1],
  ])
  expect(runsFrom(erased, 0, 2)).toEqual([
    { live: false, clock: 2, count: 1 },
    { live: true, clock: 3, count: 1, tape: tapeOf('d') },
  ])
  expect(runsFrom(concatBytes(erased, erased), 0, 4).map((run) => [run.clock, run.count])).toEqual([
    [4, 1],
    [5, 2],
    [7, 1],
  ])
  for (const torn of [tape.subarray(0, -1), Uint8Array.of(0x77), Uint8Array.of(0, 0), Uint8Array.of(5, 1)])
    expect(() => [...walkTape(torn)]).toThrow('must hold: a tape holds whole cells')
})

test('[LOG-28] ranges stay sorted, disjoint and maximal', () => {
  expect(rangesOf([5, 1, 2, 9, 1, 6])).toEqual([
    [1, 2],
    [5, 2],
    [9, 1],
  ])
  expect(
    joinRanges(
      [
        [1, 2],
        [9, 1],
      ],
      [
        [0, 1],
        [3, 4],
        [20, 1],
      ],
    ),
  ).toEqual([
    [0, 7],
    [9, 1],
    [20, 1],
  ])
  expect(joinRanges([[0, 10]], [[2, 3]])).toEqual([[0, 10]])
  expect(joinRanges([], [[2, 3]])).toEqual([[2, 3]])
  const set = rangesOf([1, 2, 5, 6, 9])
  expect(
    Array.from({ length: 11 }, (_, clock) => hasClock(set, clock))
      .map(Number)
      .join(''),
  ).toBe('01100110010')
})

test('[LOG-29] a device that holds n elements is served the rest and the whole delete set', () => {
  const state = { id: 's' as SegmentId, client: 9, next: 3, deleted: rangesOf([0]) }
  const tape = eraseFromTape(tapeOf('a', 'b', 'c'), 0, new Set([0]))
  expect(readUpdate(serveSegment(state, { clock: 0, tape }, 2))).toEqual({ client: 9, clock: 2, cells: ['c'], deleted: [[0, 1]] })
  expect(readUpdate(serveSegment(state, { clock: 2, tape: tapeOf('c') }, 2))).toMatchObject({ clock: 2, cells: ['c'] })
  expect(readUpdate(serveSegment(state, { clock: 0, tape: new Uint8Array() }, 3))).toMatchObject({ cells: [], deleted: [[0, 1]] })
  expect(() => serveSegment(state, { clock: 0, tape }, 4)).toThrow('must hold')
})
