// One entry as a device holds it: out of a document, out of its outbox, or both. Values; a change is a new one.
import type { EntryId, SegmentId } from '../base/ids.ts'
import type { RefusalCode } from '../protocol/refusals.ts'
import type { EntryFields } from './entry.ts'
import type { Element } from './entry-codec.ts'
import type { ReadFields } from './entry-grammar.ts'

/** What this device has written and no document holds yet, as far as drawing needs it. */
export interface OutboxRow {
  id: EntryId
  fields: EntryFields
  /** The outbox's own order. */
  n: number
  /** `signed`: the relay may have it. `accepted`: it has; drawn at its `seq` until the element comes. `refused`: drawn, if a post, but not applied. */
  state: 'unsigned' | 'signed' | 'accepted' | 'refused'
  code?: RefusalCode
  seq?: number
}

/** An element and where it stands. */
export interface Slot {
  segment: SegmentId
  clock: number
  element: Element
}

export interface HeldEntry {
  id: EntryId
  /** First the one that counts. More than one only if a relay gave one id out twice; then everybody still sees the same. */
  slots: readonly Slot[]
  row: OutboxRow | undefined
  /** Those of the element, where there is one: everybody sees these. */
  fields: ReadFields
  /** By which it is ordered; 0 while it is pending. */
  seq: number
  /** By which pending ones are ordered; 0 once accepted. */
  n: number
  /** A refused row is not applied. */
  refused: boolean
}

/** @returns `undefined` where neither a document nor the outbox holds it */
export function heldEntry(id: EntryId, slots: readonly Slot[], row: OutboxRow | undefined): HeldEntry | undefined {
  const sorted = slots.length > 1 ? slots.toSorted(compareSlots) : slots
  const element = sorted[0]?.element
  const fields = element ?? row?.fields
  if (!fields) return undefined
  const seq = element?.seq ?? (row?.state === 'accepted' ? (row.seq ?? 0) : 0)
  return { id, slots: sorted, row, fields, seq, n: seq === 0 && row ? row.n : 0, refused: !element && row?.state === 'refused' }
}

/** The order of a timeline: by seq, then what is pending in the outbox's order. The id only decides where a relay or an outbox is broken. */
export function compareHeld(a: HeldEntry, b: HeldEntry): number {
  return (a.seq || Number.POSITIVE_INFINITY) - (b.seq || Number.POSITIVE_INFINITY) || a.n - b.n || compareText(a.id, b.id)
}

/** By UTF-16 units, the same on every device. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function compareSlots(a: Slot, b: Slot): number {
  return a.element.seq - b.element.seq || compareText(a.segment, b.segment) || a.clock - b.clock
}
