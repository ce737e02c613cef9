// The timeline of a channel: what its elements and this device's outbox rows say together. Plain data; knows no Yjs and no signatures.
// Every op is kept under its target and a post is drawn from the set of its ops, so that neither the order of arrival nor its chunks
// can matter: folding bit by bit gives what folding the whole gives. An op that this version does not know is kept and skipped.
import type { AccountId, EntryId, SegmentId } from '../base/ids.ts'
import type { Element } from './entry-codec.ts'
import { type HeldEntry, heldEntry, type OutboxRow, type Slot } from './held-entry.ts'
import { createPostOrder } from './post-order.ts'
import { drawPost, isHidden, type TimelinePost } from './post-view.ts'

export interface TimelineWindow {
  /** In order: by seq, then what is pending in the outbox's order. */
  posts: TimelinePost[]
  /** There are older ones here. */
  hasOlder: boolean
}

export interface TimelineChanges {
  /** Posts that may draw differently now; some may be drawn no more, or not yet. */
  posts: ReadonlySet<EntryId>
  /** A post came, went or moved. */
  order: boolean
}

export interface Timeline {
  /** The same clock of a segment again is no matter. */
  add(segment: SegmentId, clock: number, element: Element): void
  /** The element at this clock was deleted. */
  remove(segment: SegmentId, clock: number): void
  dropSegment(segment: SegmentId): void
  /** Adds a row, or replaces the one of its id. */
  putRow(row: OutboxRow): void
  dropRow(id: EntryId): void
  /** What changed since the last call. */
  takeChanges(): TimelineChanges
  /** The newest `limit` posts. */
  window(limit: number): TimelineWindow
  /** `undefined`: not held, hidden, or no post. */
  post(id: EntryId): TimelinePost | undefined
  /** An entry of any op, hidden or not. */
  entry(id: EntryId): HeldEntry | undefined
  /** The newest post of this person that is drawn, pending ones included. */
  newestOf(by: AccountId): TimelinePost | undefined
  /** Greatest seq of a post that is drawn; 0 without one. */
  newestSeq(): number
  /** Accepted posts of others behind `seq` that are drawn, counted to `most`. */
  countBehind(seq: number, me: AccountId, most: number): number
}

export function createTimeline(): Timeline {
  const entries = new Map<EntryId, HeldEntry>()
  /** Ops by the entry that they are about, whether that is held or not. */
  const opsOf = new Map<EntryId, Map<EntryId, HeldEntry>>()
  const segments = new Map<SegmentId, Map<number, Slot>>()
  const order = createPostOrder()
  const drawn = new Map<EntryId, TimelinePost | 'hidden'>()
  let touched = new Set<EntryId>()
  let orderChanged = false

  const touch = ({ id, fields }: HeldEntry) => {
    const post = fields.op === 'post' ? id : fields.ref
    if (post === 0) return
    drawn.delete(post)
    touched.add(post)
  }
  const index = (entry: HeldEntry) => {
    const { op, ref } = entry.fields
    if (op === 'post') order.add(entry)
    else if (ref !== 0) opsOf.set(ref, (opsOf.get(ref) ?? new Map<EntryId, HeldEntry>()).set(entry.id, entry))
    touch(entry)
  }
  const unindex = (entry: HeldEntry) => {
    const { op, ref } = entry.fields
    if (op === 'post') order.remove(entry)
    else if (ref !== 0) {
      const ops = opsOf.get(ref)
      ops?.delete(entry.id)
      if (ops?.size === 0) opsOf.delete(ref)
    }
    touch(entry)
  }
  const put = (id: EntryId, slots: readonly Slot[], row: OutboxRow | undefined) => {
    const before = entries.get(id)
    const after = heldEntry(id, slots, row)
    if (before) unindex(before)
    if (after) {
      entries.set(id, after)
      index(after)
    } else entries.delete(id)
    if (mayReorder(before, after)) orderChanged = true
  }
  const removeSlot = (slot: Slot) => {
    const entry = entries.get(slot.element.id)
    if (entry) {
      const others = entry.slots.filter((one) => one !== slot)
      put(entry.id, others, entry.row)
    }
  }
  const draw = (id: EntryId): TimelinePost | undefined => {
    const entry = entries.get(id)
    if (entry?.fields.op !== 'post') return undefined
    let post = drawn.get(id)
    if (!post) {
      const ops = [...(opsOf.get(id)?.values() ?? [])]
      post = isHidden(entry, ops) ? 'hidden' : drawPost(entry, ops)
      drawn.set(id, post)
    }
    return post === 'hidden' ? undefined : post
  }
  function* newestFirst(): Generator<TimelinePost> {
    for (const { id } of order.newestFirst()) {
      const post = draw(id)
      if (post) yield post
    }
  }

  return {
    add: (segment, clock, element) => {
      const slots = segments.get(segment) ?? new Map<number, Slot>()
      if (slots.has(clock)) return
      const slot: Slot = { segment, clock, element }
      segments.set(segment, slots.set(clock, slot))
      const before = entries.get(element.id)
      put(element.id, [...(before?.slots ?? []), slot], before?.row)
    },
    remove: (segment, clock) => {
      const slot = segments.get(segment)?.get(clock)
      if (!slot) return
      segments.get(segment)?.delete(clock)
      removeSlot(slot)
    },
    dropSegment: (segment) => {
      const slots = [...(segments.get(segment)?.values() ?? [])]
      segments.delete(segment)
      for (const slot of slots) removeSlot(slot)
    },
    putRow: (row) => put(row.id, entries.get(row.id)?.slots ?? [], row),
    dropRow: (id) => {
      const entry = entries.get(id)
      if (entry?.row) put(id, entry.slots, undefined)
    },
    takeChanges: () => {
      const changes: TimelineChanges = { posts: touched, order: orderChanged }
      touched = new Set()
      orderChanged = false
      return changes
    },
    window: (limit) => {
      const posts: TimelinePost[] = []
      for (const post of newestFirst()) {
        if (posts.length === limit) return { posts: posts.reverse(), hasOlder: true }
        posts.push(post)
      }
      return { posts: posts.reverse(), hasOlder: false }
    },
    post: draw,
    entry: (id) => entries.get(id),
    newestOf: (by) => {
      for (const post of newestFirst()) if (post.by === by) return post
      return undefined
    },
    newestSeq: () => {
      for (const post of newestFirst()) if (post.seq > 0) return post.seq
      return 0
    },
    countBehind: (seq, me, most) => {
      let count = 0
      for (const post of newestFirst()) {
        if (post.seq === 0) continue
        if (post.seq <= seq || count === most) break
        if (post.by !== me) count++
      }
      return count
    },
  }
}

/** A post that stands where it stood, or any op but a redact, changes no order. */
function mayReorder(before: HeldEntry | undefined, after: HeldEntry | undefined): boolean {
  const kinds = [before?.fields.op, after?.fields.op]
  if (kinds.includes('redact')) return true
  if (!kinds.includes('post')) return false
  return !before || !after || before.fields.op !== after.fields.op || before.seq !== after.seq || before.n !== after.n
}
