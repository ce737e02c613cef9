// The judge of histories, judged: bad ones made by hand, each with the one fault that it must find, and the causes that excuse it.
import { describe, expect, test } from 'vitest'
import type { AccountId, ChannelId, EntryId } from '#shared/base/ids.ts'
import type { Operation, Outcome } from './history.ts'
import { checkHistory } from './history-check.ts'

// reason: the checker compares ids and never reads them
const channel = 'general' as ChannelId
// reason: the same
const [ann, ben] = ['ann', 'ben'] as [AccountId, AccountId]
// reason: the same
const [a, b, c] = ['a', 'b', 'c'] as [EntryId, EntryId, EntryId]

const saved = (id: EntryId, device = 'ann-1'): Operation => ({ kind: 'saved', device, by: ann, channel, id })
const accepted = (id: EntryId, seq: number, device = 'ann-1', era = 'one'): Operation => ({
  kind: 'accepted',
  device,
  era,
  channel,
  id,
  seq,
})
const read = (ids: readonly (readonly [EntryId, number])[], device = 'ben-1', era = 'one'): Operation => ({
  kind: 'read',
  device,
  era,
  channel,
  posts: ids.map(([id, seq]) => ({ id, seq })),
  others: [],
})
const ends = (ids: readonly EntryId[], more: Partial<Outcome> = {}): Outcome => ({
  era: 'two',
  accepted: new Map([[channel, ids.map((id, i) => ({ id, seq: i + 1, text: `text of ${id}` }))]]),
  unsent: new Set(),
  wereOut: new Set(),
  ...more,
})

const good = [
  saved(a),
  accepted(a, 1),
  saved(b),
  read([[a, 1]]),
  accepted(b, 2),
  read([
    [a, 1],
    [b, 2],
  ]),
]

test('a good history has no fault', () => {
  expect(checkHistory(good, ends([a, b]))).toEqual([])
})

describe('a write that was accepted', () => {
  test('is lost', () => {
    expect(checkHistory(good, ends([a]))).toEqual(['b of general was accepted, as ben-1 saw, and is lost'])
  })

  test('is lost although nobody saw it but its author', () => {
    expect(checkHistory([saved(a), accepted(a, 1)], ends([]))).toHaveLength(1)
  })

  test('went with its channel', () => {
    expect(checkHistory([...good, { kind: 'channel-deleted', channel }], { ...ends([]), accepted: new Map() })).toEqual([])
  })

  test('was rolled back, and its author’s device did not put it back', () => {
    const restored: Operation[] = [...good, { kind: 'relay-set-back', era: 'one', to: 'one', noticed: true, tellers: [] }]
    expect(checkHistory(restored, ends([a]))).toEqual(['b of general was accepted, as ben-1 saw, and is lost'])
    expect(checkHistory(restored, ends([a], { unsent: new Set([b]) }))).toEqual([])
    expect(checkHistory(restored, ends([a], { wereOut: new Set([ann]) }))).toEqual([])
    expect(checkHistory(restored, ends([a], { wereOut: new Set([ben]) }))).toHaveLength(1)
    expect(checkHistory([...restored, { kind: 'device-set-back', device: 'ann-1' }], ends([a]))).toEqual([])
    expect(checkHistory([...restored, { kind: 'taken-back', id: b }], ends([a]))).toEqual([])
  })

  test('was accepted after the restore and is lost all the same', () => {
    const later: Operation[] = [
      { kind: 'relay-set-back', era: 'one', to: 'one', noticed: true, tellers: [] },
      saved(a),
      accepted(a, 1, 'ann-1', 'two'),
    ]
    expect(checkHistory(later, ends([], { unsent: new Set([a]) }))).toHaveLength(1)
  })

  test('is there twice, under two ids or two numbers', () => {
    const twice = ends([a, b])
    const list = [
      { id: a, seq: 1, text: 'hello' },
      { id: b, seq: 2, text: 'hello' },
    ]
    expect(checkHistory(good, { ...twice, accepted: new Map([[channel, list]]) })).toEqual([
      'a text of general is there twice: hello',
    ])
    const again = [
      { id: a, seq: 1, text: '' },
      { id: a, seq: 2, text: '' },
      { id: b, seq: 3, text: '' },
    ]
    expect(checkHistory(good, { ...twice, accepted: new Map([[channel, again]]) })).toContain(
      'an id of general is there twice: a',
    )
  })
})

describe('the order', () => {
  test('has two entries under one number', () => {
    expect(
      checkHistory(
        [
          ...good,
          read(
            [
              [a, 1],
              [c, 2],
            ],
            'cho-1',
          ),
        ],
        ends([a, b, c]),
      ),
    ).toContain('number 2 of general is b for one and c for another')
  })

  test('has one entry under two numbers', () => {
    expect(checkHistory([...good, accepted(b, 3)], ends([a, b]))).toContain('b in general is number 2 for one and 3 for another')
  })

  test('may differ between two eras, and where the relay was set back without noticing', () => {
    expect(checkHistory([...good, accepted(b, 7, 'ann-1', 'two')], ends([a, b]))).toEqual([])
    const unnoticed: Operation = { kind: 'relay-set-back', era: 'one', to: 'one', noticed: false, tellers: [] }
    expect(checkHistory([...good, unnoticed, accepted(b, 7)], ends([a, b]))).toEqual([])
  })

  test('is not the order of writing', () => {
    expect(checkHistory(good, ends([b, a]))).toEqual(['ann-1 wrote a before b, and it stands behind it in general'])
    expect(checkHistory([...good, { kind: 'refused', device: 'ann-1', id: a }], ends([b, a]))).toEqual([])
  })

  test('is not kept by what a device draws', () => {
    expect(
      checkHistory(
        [
          read([
            [b, 2],
            [a, 1],
          ]),
        ],
        ends([a, b]),
      ),
    ).toEqual(['ben-1 shows general out of order'])
    expect(
      checkHistory(
        [
          read([
            [a, 1],
            [a, 2],
          ]),
        ],
        ends([a]),
      ),
    ).toContain('ben-1 shows a post of general twice')
  })
})

describe('what was drawn', () => {
  const vanished = [...good, read([[b, 2]]), read([[a, 1]])]

  test('vanishes', () => {
    expect(checkHistory(vanished, ends([a, b]))).toEqual(['b, number 2 of general, vanished from ben-1'])
  })

  test('is only scrolled past, taken back, forgotten with its channel, or drawn from an older disk', () => {
    expect(checkHistory([...good, read([[b, 2]])], ends([a, b]))).toEqual([])
    expect(checkHistory([...vanished, { kind: 'taken-back', id: b }], ends([a, b]))).toEqual([])
    const forgot: Operation = { kind: 'forgot', device: 'ben-1', channel }
    expect(checkHistory([...good, forgot, read([[a, 1]])], ends([a, b]))).toEqual([])
    const setBack: Operation = { kind: 'device-set-back', device: 'ben-1' }
    expect(checkHistory([...good, setBack, read([[a, 1]])], ends([a, b]))).toEqual([])
  })
})

test('a relay that was set back, and is told so, may not go on in its era', () => {
  const silently: Operation = { kind: 'relay-set-back', era: 'one', to: 'one', noticed: false, tellers: ['ben-1'] }
  expect(checkHistory([silently], ends([]))).toEqual([])
  const goesOn = ends([], { era: 'one' })
  expect(checkHistory([silently], goesOn)).toEqual([
    'ben-1 can tell that the relay was set back, and it goes on as if it had not been',
  ])
  expect(checkHistory([silently, { kind: 'device-set-back', device: 'ben-1' }], goesOn)).toEqual([])
  const between: Operation = { kind: 'met', device: 'ben-1', era: 'between' }
  for (const history of [
    [silently, between],
    [between, silently],
  ])
    expect(checkHistory(history, goesOn)).toEqual([])
})
