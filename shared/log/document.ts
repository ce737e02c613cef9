// The door of Yjs for channels: a device's replica of one segment, a Y.Doc whose one root is the array `log` of strings.
// Only what the relay can have written is let in: it is read by hand first, so a torn or foreign update changes nothing,
// and nothing is ever left pending inside Yjs. Not for the main thread.
import * as Y from 'yjs'
import { assert } from '../base/assert.ts'
import type { Bytes } from '../base/bytes.ts'
import { ok, type Result, refuse } from '../base/result.ts'
import { readElement } from './entry-codec.ts'
import type { Ranges } from './facts.ts'
import { endOf, hasClock, joinRanges } from './ranges.ts'
import { readUpdate, type SegmentContent } from './update-bytes.ts'

export interface PlacedText {
  clock: number
  text: string
}

export interface ReplicaChange {
  /** New here and standing, in the order of their clocks. */
  added: PlacedText[]
  /** Clocks that stood here before this update and do not now, ascending. Not empty: what is stored must be written anew as `state()`. */
  deleted: number[]
}

/** `malformed`: not an update of a segment · `client`: of another document · `gap`: elements before it are missing here. */
export type ReplicaRefusal = 'malformed' | 'client' | 'gap'

export interface Replica {
  /** All or nothing; elements held already are no matter. */
  apply(update: Uint8Array): Result<ReplicaChange, ReplicaRefusal>
  /** The whole replica as one update; no text of a deleted element is in it. */
  state(): Bytes
  /** The Yjs clientID of the segment; 0 until the first update. */
  readonly client: number
  /** Elements held, deleted ones counted: what the device says in `open`. */
  readonly next: number
  /** Id of the newest element held; '-' where it is deleted here, '' where none is held. */
  tail(): string
  /** What stands, in the order of the clocks. */
  elements(): Iterable<PlacedText>
  destroy(): void
}

/** @param expected the client that `opened` named; 0 = the first update's */
export function createReplica(expected = 0): Replica {
  const doc = new Y.Doc({ gc: true })
  const log = doc.getArray<string>('log')
  let client = expected
  let next = 0
  let deleted: Ranges = []
  const refusalOf = (content: SegmentContent): ReplicaRefusal | undefined => {
    if (content.client !== 0 && client !== 0 && content.client !== client) return 'client'
    if (content.cells.length > 0 && content.clock > next) return 'gap'
    return endOf(content.deleted) > Math.max(next, content.clock + content.cells.length) ? 'gap' : undefined
  }
  return {
    apply: (update) => {
      const content = readUpdate(update)
      if (!content) return refuse('malformed')
      const refusal = refusalOf(content)
      if (refusal) return refuse(refusal)
      const change = changeOf(content, next, deleted)
      Y.applyUpdate(doc, update)
      if (content.client !== 0) client = content.client
      next = Math.max(next, content.clock + content.cells.length)
      deleted = joinRanges(deleted, content.deleted)
      assert(!doc.store.pendingStructs && !doc.store.pendingDs, 'an update that was read by hand leaves nothing pending')
      assert(Y.getState(doc.store, client) === next, 'Yjs counts the elements as we do')
      return ok(change)
    },
    state: () => new Uint8Array(Y.encodeStateAsUpdate(doc)),
    get client() {
      return client
    },
    get next() {
      return next
    },
    tail: () => {
      if (next === 0) return ''
      const last = lastOf(log)
      const element = last?.clock === next - 1 ? readElement(last.text) : undefined
      return element?.ok ? element.value.id : '-'
    },
    elements: () => walk(log),
    destroy: () => doc.destroy(),
  }
}

/** What an update will change, before it does. */
function changeOf(content: SegmentContent, next: number, gone: Ranges): ReplicaChange {
  const change: ReplicaChange = { added: [], deleted: [] }
  content.cells.forEach((text, i) => {
    const clock = content.clock + i
    if (clock >= next && text !== undefined && !hasClock(content.deleted, clock)) change.added.push({ clock, text })
  })
  for (const [clock, length] of content.deleted)
    for (let at = clock; at < Math.min(clock + length, next); at++) if (!hasClock(gone, at)) change.deleted.push(at)
  return change
}

/** Every item of the array is one run of clocks, live or deleted; with one author that appends they stand in clock order. */
function* walk(log: Y.Array<string>): Generator<PlacedText> {
  for (let item = log._start; item; item = item.right) {
    if (item.deleted) continue
    let clock = item.id.clock
    for (const text of item.content.getContent()) yield { clock: clock++, text }
  }
}

function lastOf(log: Y.Array<string>): PlacedText | undefined {
  let last = log._start
  while (last?.right) last = last.right
  if (!last || last.deleted) return undefined
  return { clock: last.id.clock + last.length - 1, text: last.content.getContent().at(-1) }
}
