// What the log draws from which messages: days, groups, the new line, one's own strand.
import { expect, test } from 'vitest'
import { buildRows, groupMs, isPrepended, lateMs, type MessageRow, type Row, type RowsInput } from '#app/ui/timeline/rows.ts'
import { accepted, minute, noon, pending, refused } from './messages.ts'

const dayMs = 86_400_000
const dayOf = (ms: number) => Math.floor(ms / dayMs)
const rowsOf = (messages: RowsInput['messages'], more: Partial<RowsInput> = {}): Row[] =>
  buildRows({ messages, above: 'none', line: undefined, isLineAbove: false, offlineSince: 0, waitingBefore: 0, dayOf, ...more })
const shape = (rows: Row[]): string[] =>
  rows.map((row) => (row.kind === 'message' ? `${row.message.id}${row.follows ? ' follows' : ''}` : row.kind))
const messageRows = (rows: Row[]): MessageRow[] => rows.filter((row) => row.kind === 'message')

test('an empty channel has no rows, not even its beginning', () => {
  expect(rowsOf([], { above: 'start' })).toEqual([])
})

test('messages by one person within seven minutes stand under one name', () => {
  const rows = rowsOf([
    accepted(1, 'ann', noon),
    accepted(2, 'ann', noon + groupMs - 1),
    accepted(3, 'ann', noon + 2 * groupMs),
    accepted(4, 'bob', noon + 2 * groupMs + 1),
    accepted(5, 'ann', noon + 2 * groupMs + 2),
  ])
  expect(shape(rows)).toEqual(['day', 'm1', 'm2 follows', 'm3', 'm4', 'm5'])
})

test('a group ends with its day, and days with nothing are not drawn', () => {
  const midnight = noon + dayMs / 2
  const rows = rowsOf([accepted(1, 'ann', midnight - 1), accepted(2, 'ann', midnight + 1), accepted(3, 'ann', noon + 9 * dayMs)])
  expect(shape(rows)).toEqual(['day', 'm1', 'day', 'm2', 'day', 'm3'])
  expect(new Set(rows.map(({ key }) => key)).size).toBe(rows.length)
})

test('the line where new messages begin tells since when, and counts those of others', () => {
  const messages = [
    accepted(1, 'ann', noon),
    accepted(2, 'me', noon + minute),
    accepted(3, 'ann', noon + 2 * minute),
    accepted(4, 'ann', noon + 3 * minute),
  ]
  const rows = rowsOf(messages, { line: { after: 1, upTo: Number.POSITIVE_INFINITY } })
  expect(shape(rows)).toEqual(['day', 'm1', 'm2', 'new', 'm3', 'm4 follows'])
  expect(rows.find(({ kind }) => kind === 'new')).toMatchObject({ since: noon + minute, count: 2 })
  expect(messageRows(rows).map(({ strand }) => strand)).toEqual(['settled', 'settled', 'new', 'new'])
})

test('a line further up leaves its strand, and no knot', () => {
  const rows = rowsOf([accepted(8, 'me', noon), accepted(9, 'ann', noon)], { line: { after: 1, upTo: 20 }, isLineAbove: true })
  expect(shape(rows)).toEqual(['day', 'm8', 'm9'])
  expect(messageRows(rows).map(({ strand }) => strand)).toEqual(['new', 'new'])
})

test('what came before one’s eyes is not new, and own messages alone make no line', () => {
  const messages = [accepted(1, 'ann', noon), accepted(2, 'ann', noon), accepted(3, 'ann', noon)]
  const seen = rowsOf(messages, { line: { after: 1, upTo: 2 } })
  expect(messageRows(seen).map(({ strand }) => strand)).toEqual(['settled', 'new', 'settled'])
  expect(shape(rowsOf([accepted(1, 'ann', noon), accepted(2, 'me', noon)], { line: { after: 1, upTo: 9 } }))).toEqual([
    'day',
    'm1',
    'm2',
  ])
})

test('written and arrived more than two minutes apart is late; only what is true for both is said once', () => {
  const late = (seq: number, at: number, arrived: number) => accepted(seq, 'ann', at, { arrived })
  const rows = rowsOf([
    late(1, noon, noon + lateMs),
    late(2, noon, noon + lateMs + 1),
    late(3, noon + 1, noon + lateMs + 2),
    late(4, noon + minute, noon + lateMs + 3),
  ])
  expect(messageRows(rows).map(({ late: isLate }) => isLate)).toEqual([false, true, true, false])
  expect(shape(rows)).toEqual(['day', 'm1', 'm2', 'm3 follows', 'm4'])
})

test('a moment’s wait changes nothing; a longer one steps aside', () => {
  const messages = [accepted(1, 'me', noon), pending(2, noon + 1000)]
  expect(shape(rowsOf(messages, { waitingBefore: noon }))).toEqual(['day', 'm1', 'm2 follows'])
  const rows = messageRows(rowsOf(messages, { waitingBefore: noon + 1001 }))
  expect(rows[1]).toMatchObject({ follows: false, strand: 'own', forks: true, waiting: 0 })
})

test('offline: a knot, then one’s own strand, and how many wait under the last', () => {
  const rows = rowsOf([accepted(1, 'ann', noon), pending(2, noon), pending(3, noon)], { offlineSince: noon })
  expect(shape(rows)).toEqual(['day', 'm1', 'offline', 'm2', 'm3 follows'])
  expect(messageRows(rows).map(({ forks, waiting }) => [forks, waiting])).toEqual([
    [false, 0],
    [true, 0],
    [false, 2],
  ])
})

test('offline with nothing of one’s own has no knot', () => {
  expect(shape(rowsOf([accepted(1, 'ann', noon)], { offlineSince: noon }))).toEqual(['day', 'm1'])
})

test('refused ones stand before the gap, each by itself', () => {
  const messages = [accepted(1, 'me', noon), pending(2, noon), refused(3, noon), refused(4, noon)]
  const rows = rowsOf(messages, { offlineSince: noon })
  expect(shape(rows)).toEqual(['day', 'm1', 'm3', 'm4', 'offline', 'm2'])
  expect(messageRows(rows).map(({ strand }) => strand)).toEqual(['settled', 'cut', 'cut', 'own'])
})

test('a message that waits since yesterday makes no new yesterday below today', () => {
  expect(shape(rowsOf([accepted(1, 'ann', noon + dayMs), pending(2, noon)], { offlineSince: noon }))).toEqual([
    'day',
    'm1',
    'offline',
    'm2',
  ])
})

test('rows put in front are told from rows that came at the end', () => {
  const all = Array.from({ length: 6 }, (_, at) => accepted(at + 1, at % 2 ? 'ann' : 'bob', noon + at * minute))
  const rows = (from: number, to: number) => rowsOf(all.slice(from, to))
  expect(isPrepended(rows(3, 5), rows(0, 5))).toBe(true)
  expect(isPrepended(rows(0, 5), rows(3, 5))).toBe(true)
  expect(isPrepended(rows(0, 5), rows(0, 6))).toBe(false)
  expect(isPrepended([], rows(0, 5))).toBe(false)
})
