// Where new messages begin, while one reads, looks away, answers and comes back.
import { expect, test } from 'vitest'
import { nothingRead, type ReadEvent, stepRead } from '#app/state/unread-line.ts'

const after = (...events: ReadEvent[]) => events.reduce(stepRead, nothingRead)
const arrived = (last: number, isWatched = false, readSeq = 5): ReadEvent => ({ kind: 'arrived', readSeq, last, isWatched })
const watched: ReadEvent = { kind: 'watched' }
const cleared: ReadEvent = { kind: 'cleared' }

test('a channel opens with the line behind the marker, or without one where all is read', () => {
  expect(after(arrived(9))).toMatchObject({ line: { after: 5 }, seen: 5 })
  expect(after(arrived(5)).line).toBeUndefined()
})

test('seeing the end reads it and leaves the line', () => {
  expect(after(arrived(9), watched)).toEqual({ opened: 5, seen: 9, last: 9, line: { after: 5, upTo: 9 } })
})

test('what comes before one’s eyes is read and not new', () => {
  expect(after(arrived(5), watched, arrived(6, true))).toMatchObject({ seen: 6, line: undefined })
  expect(after(arrived(9), watched, arrived(10, true))).toMatchObject({ seen: 10, line: { after: 5, upTo: 9 } })
})

test('what comes while one looks away begins a new line, once', () => {
  const away = after(arrived(9), watched, arrived(10), arrived(11))
  expect(away).toMatchObject({ seen: 9, line: { after: 9, upTo: Number.POSITIVE_INFINITY } })
})

test('the line stays where it was while its messages were not seen', () => {
  expect(after(arrived(9), arrived(12)).line).toMatchObject({ after: 5 })
})

test('marking as read, or answering, takes the line away', () => {
  expect(after(arrived(9), cleared)).toMatchObject({ seen: 9, line: undefined })
})

test('another marker means that the channel was opened again', () => {
  expect(after(arrived(9), watched, arrived(9, false, 9))).toEqual({ opened: 9, seen: 9, last: 9, line: undefined })
})

test('the same again changes nothing', () => {
  const state = after(arrived(9), watched)
  expect(stepRead(state, watched)).toBe(state)
  expect(stepRead(state, arrived(9, true))).toBe(state)
})
