// The timeline, rule by rule.
import { expect, test } from 'vitest'
import type { EntryId, SegmentId } from '#shared/base/ids.ts'
import type { EntryFields } from '#shared/log/entry.ts'
import { type Element, readElement, writeElementPrefix } from '#shared/log/entry-codec.ts'
import type { OutboxRow } from '#shared/log/held-entry.ts'
import { createTimeline } from '#shared/log/timeline.ts'
import { createWorld, type Person, startMs, type Written } from './channel-world.ts'

/** A timeline, and hands to put elements and rows into it. */
function scene() {
  const world = createWorld(5)
  const [ada, bob] = [world.person(), world.person()]
  const timeline = createTimeline()
  const segment = world.id<'segment'>()
  let seq = 0
  const place = (written: Written, at = ++seq, where: SegmentId = segment): Element => {
    const element = readElement(writeElementPrefix(at, startMs + at) + written.sig + written.text)
    if (!element.ok) throw new Error('what was written is read')
    timeline.add(where, at - 1, element.value)
    return element.value
  }
  const say = (person: Person, fields: Partial<EntryFields> = {}) => place(person.write(fields))
  const row = (
    person: Person,
    n: number,
    state: OutboxRow['state'],
    fields: Partial<EntryFields> = {},
    more: Partial<OutboxRow> = {},
  ) => {
    const written = person.write(fields).fields
    const one: OutboxRow = { id: written.id, fields: written, n, state, ...more }
    timeline.putRow(one)
    return one
  }
  const shown = () => timeline.window(100).posts
  const ids = () => shown().map((post) => post.id)
  return { ...world, ada, bob, timeline, segment, place, say, row, shown, ids }
}

test('[LOG-61] posts stand in the order of seq, whatever order their segments come in; pending ones follow in outbox order', () => {
  const { ada, bob, timeline, place, row, ids, id } = scene()
  const late = place(ada.write(), 9, id())
  const second = row(ada, 2, 'unsigned')
  const early = place(bob.write(), 3, id())
  const first = row(ada, 1, 'signed')
  const middle = place(bob.write(), 5, id())
  expect(ids()).toEqual([early.id, middle.id, late.id, first.id, second.id])
  expect(timeline.window(2)).toMatchObject({ posts: [{ id: first.id }, { id: second.id }], hasOlder: true })
  expect(timeline.window(5)).toMatchObject({ hasOlder: false })
  expect(timeline.newestSeq()).toBe(9)
  expect(timeline.newestOf(bob.by)?.id).toBe(middle.id)
  expect(timeline.newestOf(ada.by)?.id).toBe(second.id)
  expect(timeline.countBehind(3, ada.by, 100)).toBe(1)
  expect(timeline.countBehind(0, ada.by, 1)).toBe(1)
})

test('[LOG-62] a row is drawn pending, at its seq once accepted, and once only when its element is there', () => {
  const { ada, bob, timeline, place, say, row, shown, segment } = scene()
  say(bob)
  const mine = ada.write({ body: { t: 'mine' } })
  row(ada, 1, 'signed', mine.fields)
  expect(shown().map((post) => post.state)).toEqual([{ kind: 'accepted' }, { kind: 'pending', signed: true }])
  place(bob.write(), 5)
  row(ada, 1, 'accepted', mine.fields, { seq: 3 })
  expect(shown().map((post) => [post.seq, post.arrived > 0])).toEqual([
    [1, true],
    [3, false],
    [5, true],
  ])
  place(mine, 3)
  expect(shown().map((post) => [post.seq, post.arrived > 0])).toEqual([
    [1, true],
    [3, true],
    [5, true],
  ])
  timeline.dropRow(mine.fields.id)
  expect(shown()).toHaveLength(3)
  timeline.dropSegment(segment)
  expect(shown()).toEqual([])
})

test('[LOG-63] a refused post stays in the list with its reason; a refused op is not applied', () => {
  const { ada, bob, say, row, shown } = scene()
  const post = say(bob)
  row(ada, 1, 'refused', {}, { code: 'notmember' })
  row(ada, 2, 'refused', { op: 'react', ref: post.id }, { code: 'forbidden' })
  row(ada, 3, 'refused', { op: 'redact', ref: post.id }, { code: 'forbidden' })
  expect(shown()).toMatchObject([{ id: post.id, reactions: [] }, { state: { kind: 'refused', code: 'notmember' } }])
})

test('[LOG-64] an edit counts only from the post’s author, and the greatest (at, id) is shown', () => {
  const { ada, bob, say, row, shown } = scene()
  const post = say(ada, { body: { t: 'one' } })
  say(bob, { op: 'edit', ref: post.id, at: startMs + 99, body: { t: 'not mine' } })
  const low = 'AAAAAAAAAAAAAAAAAAAAAA' as EntryId
  const high = 'zzzzzzzzzzzzzzzzzzzzzg' as EntryId
  const shownEdit = say(ada, { id: high, op: 'edit', ref: post.id, at: startMs + 9, body: { t: 'three' } })
  say(ada, { id: low, op: 'edit', ref: post.id, at: startMs + 9, body: { t: 'two' } })
  expect(shown()).toMatchObject([{ body: { t: 'three' }, edited: startMs + 9, element: post, edit: shownEdit }])
  row(ada, 1, 'unsigned', { op: 'edit', ref: post.id, at: startMs + 10, body: { t: 'four' } })
  expect(shown()).toMatchObject([{ body: { t: 'four' }, edited: startMs + 10, edit: undefined }])
})

test('[LOG-65] a reaction is a flag for each person and emoji: the greatest (at, id) says whether it is up', () => {
  const { ada, bob, say, shown } = scene()
  const post = say(ada)
  const react = (person: Person, op: 'react' | 'unreact', body: string, at: number) =>
    say(person, { op, ref: post.id, body, at: startMs + at })
  react(bob, 'react', '👍', 5)
  react(ada, 'react', '👍', 3)
  react(ada, 'react', '❤️', 1)
  react(ada, 'unreact', '❤️', 2)
  react(bob, 'unreact', '👍', 4)
  react(bob, 'react', '😀', 1)
  expect(shown()[0]?.reactions).toEqual([
    { emoji: '😀', by: [bob.by] },
    { emoji: '👍', by: [ada.by, bob.by] },
  ])
})

test('[LOG-66] a pin goes by the relay’s order, not by anybody’s clock; one that waits comes last', () => {
  const { ada, bob, timeline, say, row, shown } = scene()
  const post = say(ada)
  say(ada, { op: 'pin', ref: post.id, at: startMs + 99 })
  expect(shown()[0]?.pinned).toBe(true)
  say(bob, { op: 'unpin', ref: post.id, at: startMs })
  expect(shown()[0]?.pinned).toBe(false)
  const waiting = row(ada, 1, 'signed', { op: 'pin', ref: post.id, at: 0 })
  expect(shown()[0]?.pinned).toBe(true)
  timeline.dropRow(waiting.id)
  expect(shown()[0]?.pinned).toBe(false)
})

test('[LOG-67] a redaction hides its post at once, before its element is deleted and before the relay has it', () => {
  const { ada, bob, timeline, say, row, ids, segment } = scene()
  const [one, two] = [say(ada), say(ada)]
  const waiting = row(ada, 1, 'unsigned', { op: 'redact', ref: one.id })
  expect(ids()).toEqual([two.id])
  expect(timeline.post(one.id)).toBeUndefined()
  expect(timeline.entry(one.id)?.slots[0]?.element).toBe(one)
  timeline.dropRow(waiting.id)
  expect(ids()).toEqual([one.id, two.id])
  say(bob, { op: 'redact', ref: two.id })
  expect(ids()).toEqual([one.id])
  timeline.remove(segment, 1)
  expect(ids()).toEqual([one.id])
})

test('[LOG-68] a redaction that did not bind hides nothing: it is older than the post that the relay took all the same', () => {
  const { ada, bob, timeline, say, place, row, ids } = scene()
  const post = ada.write()
  const own = ada.write()
  say(bob, { op: 'redact', ref: post.fields.id })
  say(ada, { op: 'redact', ref: own.fields.id })
  row(ada, 1, 'signed', post.fields)
  row(ada, 2, 'signed', own.fields)
  expect(ids()).toEqual([post.fields.id])
  place(post)
  timeline.dropRow(post.fields.id)
  expect(ids()).toEqual([post.fields.id])
})

test('[LOG-69] ops wait under their target until it is there; an op of tomorrow is kept and skipped', () => {
  const { ada, bob, timeline, place, shown, segment } = scene()
  const post = ada.write()
  place(bob.write({ op: 'react', ref: post.fields.id, body: '👍' }), 4)
  place(ada.write({ op: 'edit', ref: post.fields.id, body: { t: 'edited' } }), 5)
  const tomorrow: Element = { ...place(bob.write(), 90), op: 'poll', ref: post.fields.id }
  timeline.remove(segment, 89)
  timeline.add(segment, 89, tomorrow)
  expect(shown()).toEqual([])
  place(post, 1)
  expect(shown()).toMatchObject([{ body: { t: 'edited' }, reactions: [{ emoji: '👍' }] }])
  expect(timeline.entry(tomorrow.id)?.fields.op).toBe('poll')
  place(ada.write({ ref: post.fields.id }), 6)
  expect(shown()).toHaveLength(2)
})

test('[LOG-70] what changed is told once: posts that may draw differently, and whether the order did', () => {
  const { ada, timeline, say, row } = scene()
  const post = say(ada)
  expect(timeline.takeChanges()).toEqual({ posts: new Set([post.id]), order: true })
  expect(timeline.takeChanges()).toEqual({ posts: new Set(), order: false })
  say(ada, { op: 'react', ref: post.id })
  expect(timeline.takeChanges()).toEqual({ posts: new Set([post.id]), order: false })
  const mine = row(ada, 1, 'unsigned')
  expect(timeline.takeChanges()).toEqual({ posts: new Set([mine.id]), order: true })
  timeline.putRow({ ...mine, state: 'signed' })
  expect(timeline.takeChanges()).toEqual({ posts: new Set([mine.id]), order: false })
  say(ada, { op: 'redact', ref: post.id })
  expect(timeline.takeChanges()).toEqual({ posts: new Set([post.id]), order: true })
  const [same, again] = [timeline.post(mine.id), timeline.post(mine.id)]
  expect(same).toBe(again)
})

test('[LOG-71] where one id stands twice, the first accepted counts, whichever came first', () => {
  for (const order of [
    [1, 2],
    [2, 1],
  ]) {
    const { ada, timeline, place, shown, id } = scene()
    const twice = ada.write()
    // The names sort against the seqs: not they decide.
    const segments = [id<'segment'>(), id<'segment'>()].sort().reverse()
    for (const at of order) place(twice, at, segments[at - 1])
    expect(shown()).toMatchObject([{ seq: 1 }])
    const left = segments.map((segment) => {
      timeline.dropSegment(segment)
      return shown().map((post) => post.seq)
    })
    expect(left).toEqual([[2], []])
  }
})
