// The timeline's law: folding bit by bit, in any order and in any chunks, with the outbox laid over, gives what folding the whole gives.
// A naive drawing of the same facts, written apart, says what that is.
import { expect, test } from 'vitest'
import { type AccountId, type EntryId, type Id, idFromBytes, type SegmentId } from '#shared/base/ids.ts'
import { createPrng, type Prng } from '#shared/base/prng.ts'
import type { EntryFields } from '#shared/log/entry.ts'
import type { Element } from '#shared/log/entry-codec.ts'
import type { OutboxRow } from '#shared/log/held-entry.ts'
import type { TimelinePost } from '#shared/log/post-view.ts'
import { createTimeline, type Timeline } from '#shared/log/timeline.ts'
import type { EntryOp } from '#shared/protocol/records.ts'

const histories = Number(process.env.HISTORIES ?? 1_500)
const limit = 1_000

test(`[LOG-60] bit by bit = the whole = the naive drawing, over ${histories} random histories with an outbox`, () => {
  for (let seed = 1; seed <= histories; seed++) {
    try {
      fold(createPrng(seed))
    } catch (error) {
      throw new Error(`history ${seed} of timeline-histories`, { cause: error })
    }
  }
})

interface Cell {
  segment: SegmentId
  clock: number
  element: Element
  /** What the relay deletes together with this redact. */
  deletes: Cell[]
  /** The row of the device that wrote it, if that is ours. */
  row: OutboxRow | undefined
}

interface State {
  held: Set<Cell>
  deleted: Set<Cell>
  rows: Map<EntryId, OutboxRow>
}

function fold(prng: Prng): void {
  const cells = write(prng)
  const timeline = createTimeline()
  const state: State = { held: new Set(), deleted: new Set(), rows: new Map() }
  const queues = Map.groupBy(cells, (cell) => cell.segment)
  let before: TimelinePost[] = []
  for (const { row } of cells) if (row && prng.chance(0.7)) putRow(timeline, state, row)
  while ([...queues.values()].some((queue) => queue.length > 0)) {
    const queue = prng.pick([...queues.values()].filter((one) => one.length > 0))
    for (const cell of queue.splice(0, 1 + prng.below(6))) arrive(timeline, state, cell, prng)
    disturb(timeline, state, cells, prng)
    if (prng.chance(0.5)) before = check(timeline, state, before)
  }
  for (const id of [...state.rows.keys()]) if (prng.chance(0.5)) dropRow(timeline, state, id)
  check(timeline, state, before)
}

/** A log as a relay would have accepted it: two segments and an annex. Times are few, so that they tie. */
function write(prng: Prng): Cell[] {
  const id = <Kind extends string>(): Id<Kind> => idFromBytes<Kind>(prng.bytes(16))
  const people = [id<'account'>(), id<'account'>(), id<'account'>()]
  const dev = id<'device'>()
  const [first, second, annex] = [id<'segment'>(), id<'segment'>(), id<'segment'>()]
  const clocks = new Map<SegmentId, number>()
  const cells: Cell[] = []
  const count = 5 + prng.below(50)
  for (let seq = 1; seq <= count; seq++) {
    const posts = cells.filter((cell) => cell.element.op === 'post')
    const target = posts.length > 0 && prng.chance(0.6) ? prng.pick(posts) : undefined
    const fields = compose(prng, { id: id<'entry'>(), dev, by: prng.pick(people) }, target?.element)
    const segment = target ? prng.pick([target.segment, annex]) : seq < count / 2 ? first : second
    const clock = clocks.get(segment) ?? 0
    clocks.set(segment, clock + 1)
    const element: Element = { ...fields, seq, arrived: 5_000 + seq, sig: '', text: '' }
    const deletes =
      fields.op === 'redact'
        ? cells.filter(({ element: { id, op, ref } }) => id === fields.ref || (op === 'edit' && ref === fields.ref))
        : []
    const state = prng.pick(['unsigned', 'signed', 'accepted', 'refused'] as const)
    const row: OutboxRow = { id: fields.id, fields, n: seq, state, ...(state === 'accepted' ? { seq } : {}), code: 'forbidden' }
    cells.push({ segment, clock, element, deletes, row: prng.chance(0.3) ? row : undefined })
  }
  return cells
}

function compose(prng: Prng, base: Pick<EntryFields, 'id' | 'dev' | 'by'>, target: Element | undefined): EntryFields {
  const at = 1_000 + prng.below(20)
  if (!target) return { ...base, at, op: 'post', ref: 0, ext: 0, body: { t: `post ${base.id}` } }
  const op: EntryOp = prng.pick(['edit', 'edit', 'react', 'react', 'unreact', 'pin', 'unpin', 'redact'] as const)
  const isReaction = op === 'react' || op === 'unreact'
  const body = op === 'edit' ? { t: `edit ${base.id}` } : isReaction ? prng.pick(['x', 'y']) : 0
  return { ...base, by: op === 'edit' && prng.chance(0.8) ? target.by : base.by, at, op, ref: target.id, ext: 0, body }
}

function arrive(timeline: Timeline, state: State, cell: Cell, prng: Prng): void {
  state.held.add(cell)
  if (!state.deleted.has(cell)) timeline.add(cell.segment, cell.clock, cell.element)
  if (prng.chance(0.8)) dropRow(timeline, state, cell.element.id)
  for (const gone of cell.deletes) {
    state.deleted.add(gone)
    timeline.remove(gone.segment, gone.clock)
  }
}

/** Rows come, change and go; a copy is dropped and fetched again; what was said already is said again. */
function disturb(timeline: Timeline, state: State, cells: Cell[], prng: Prng): void {
  const cell = prng.pick(cells)
  if (prng.chance(0.2) && cell.row) putRow(timeline, state, { ...cell.row, n: cell.row.n + prng.below(3) })
  if (prng.chance(0.1)) dropRow(timeline, state, cell.element.id)
  if (prng.chance(0.1) && state.held.has(cell) && !state.deleted.has(cell)) timeline.add(cell.segment, cell.clock, cell.element)
  if (!prng.chance(0.05)) return
  timeline.dropSegment(cell.segment)
  for (const one of standing(state)) if (one.segment === cell.segment) timeline.add(one.segment, one.clock, one.element)
}

function putRow(timeline: Timeline, state: State, row: OutboxRow): void {
  state.rows.set(row.id, row)
  timeline.putRow(row)
}

function dropRow(timeline: Timeline, state: State, id: EntryId): void {
  state.rows.delete(id)
  timeline.dropRow(id)
}

const standing = (state: State) => [...state.held].filter((cell) => !state.deleted.has(cell))

function check(timeline: Timeline, state: State, before: readonly TimelinePost[]): TimelinePost[] {
  const { posts } = timeline.window(limit)
  const whole = createTimeline()
  for (const row of state.rows.values()) whole.putRow(row)
  for (const cell of standing(state)) whole.add(cell.segment, cell.clock, cell.element)
  expect(posts).toEqual(whole.window(limit).posts)
  expect(posts.map(essence)).toEqual(drawNaively(state))
  checkChanges(timeline, before, posts)
  return posts
}

/** Every post that draws differently was named, and so was every change of the order. */
function checkChanges(timeline: Timeline, before: readonly TimelinePost[], after: readonly TimelinePost[]): void {
  const { posts, order } = timeline.takeChanges()
  const old = new Map(before.map((post) => [post.id, post]))
  for (const post of after) if (!posts.has(post.id)) expect(old.get(post.id)).toBe(post)
  const ids = (list: readonly TimelinePost[]) => list.map((post) => post.id).join(' ')
  if (ids(before) !== ids(after)) expect(order).toBe(true)
}

// ---- the naive drawing: from a list of facts, with no memory

interface Fact {
  fields: Element | EntryFields
  seq: number
  n: number
  refused: boolean
}

function drawNaively(state: State) {
  const elements = standing(state).map(({ element }): Fact => ({ fields: element, seq: element.seq, n: 0, refused: false }))
  const inDocument = new Set(elements.map((fact) => fact.fields.id))
  const rows = [...state.rows.values()].filter((row) => !inDocument.has(row.id))
  const facts = [
    ...elements,
    ...rows.map((row): Fact => ({ fields: row.fields, seq: row.seq ?? 0, n: row.n, refused: row.state === 'refused' })),
  ]
  const posts = facts.filter((fact) => fact.fields.op === 'post')
  const rank = (fact: Fact) => (fact.seq === 0 ? 1e9 + fact.n : fact.seq)
  posts.sort((a, b) => rank(a) - rank(b) || (a.fields.id < b.fields.id ? -1 : 1))
  return posts.flatMap((post) => {
    const ops = facts.filter((fact) => fact.fields.ref === post.fields.id && !fact.refused)
    const redacts = ops.filter((fact) => fact.fields.op === 'redact')
    const binds = (fact: Fact) => fact.seq === 0 || fact.fields.by === post.fields.by || (post.seq > 0 && fact.seq > post.seq)
    if (redacts.some(binds)) return []
    const byTime = (a: Fact, b: Fact) => a.fields.at - b.fields.at || (a.fields.id < b.fields.id ? -1 : 1)
    const edit = ops
      .filter((fact) => fact.fields.op === 'edit' && fact.fields.by === post.fields.by)
      .sort(byTime)
      .at(-1)
    const flags = new Map<string, boolean>()
    for (const { fields } of ops.filter((fact) => fact.fields.op.endsWith('react')).sort(byTime))
      flags.set(`${fields.body} ${fields.by}`, fields.op === 'react')
    const pin = ops
      .filter((fact) => fact.fields.op.endsWith('pin'))
      .sort((a, b) => rank(a) - rank(b) || (a.fields.id < b.fields.id ? -1 : 1))
    return [
      {
        id: post.fields.id,
        seq: post.seq,
        body: (edit ?? post).fields.body,
        edited: edit?.fields.at ?? 0,
        reactions: [...flags]
          .filter(([, up]) => up)
          .map(([key]) => key)
          .sort(),
        pinned: pin.at(-1)?.fields.op === 'pin',
        refused: post.refused,
      },
    ]
  })
}

function essence({ id, seq, body, edited, reactions, pinned, state }: TimelinePost) {
  const flags = reactions.flatMap(({ emoji, by }) => by.map((one: AccountId) => `${emoji} ${one}`))
  return { id, seq, body, edited, reactions: flags.sort(), pinned, refused: state.kind === 'refused' }
}
