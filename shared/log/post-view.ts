// A post as it is drawn, from the set of its ops; their order of arrival does not matter.
import type { AccountId, DeviceId, EntryId } from '../base/ids.ts'
import type { RefusalCode } from '../protocol/refusals.ts'
import type { Json } from './entry.ts'
import type { Element } from './entry-codec.ts'
import { compareText, type HeldEntry } from './held-entry.ts'

export type PostState = { kind: 'pending'; signed: boolean } | { kind: 'accepted' } | { kind: 'refused'; code: RefusalCode }

export interface TimelinePost {
  id: EntryId
  by: AccountId
  dev: DeviceId
  /** The author's clock. */
  at: number
  /** 0 while pending. */
  seq: number
  /** The relay's clock at acceptance; 0 until the element is here. */
  arrived: number
  /** Of the version that is shown. */
  body: Json
  /** `at` of the edit that is shown, 0 = none. The next edit is written at max(now, at of the shown version + 1). */
  edited: number
  /** In the order in which each came up first. `by` likewise. */
  reactions: { emoji: string; by: AccountId[] }[]
  pinned: boolean
  state: PostState
  /** The elements that are shown, for their signatures; `undefined` where it is the outbox's. */
  element: Element | undefined
  edit: Element | undefined
}

/** @param ops every op about this post that is held */
export function drawPost(post: HeldEntry, ops: readonly HeldEntry[]): TimelinePost {
  const applied = ops.filter((op) => !op.refused)
  const edit = newestEdit(post, applied)
  const element = post.slots[0]?.element
  return {
    id: post.id,
    by: post.fields.by,
    dev: post.fields.dev,
    at: post.fields.at,
    seq: post.seq,
    arrived: element?.arrived ?? 0,
    body: (edit ?? post).fields.body,
    edited: edit?.fields.at ?? 0,
    reactions: reactionsOf(applied),
    pinned: isPinned(applied),
    state: stateOf(post),
    element,
    edit: edit?.slots[0]?.element,
  }
}

/**
 * Is the post redacted? What the relay redacts it deletes as well, so this covers the time between, one's own redact that waits, and a post that
 * is not accepted yet. An accepted redact older than the post is one that did not bind: else the relay had not taken the post.
 */
export function isHidden(post: HeldEntry, ops: readonly HeldEntry[]): boolean {
  return ops.some((op) => {
    if (op.fields.op !== 'redact' || op.refused) return false
    if (op.seq === 0 || op.fields.by === post.fields.by) return true
    return post.seq > 0 && op.seq > post.seq
  })
}

/** Greatest (at, id): an edit counts only from the post's author. */
function newestEdit(post: HeldEntry, ops: readonly HeldEntry[]): HeldEntry | undefined {
  return ops.filter(({ fields }) => fields.op === 'edit' && fields.by === post.fields.by).reduce(later, undefined)
}

/** A flag for each (emoji, person): the greatest (at, id) says whether it is up. */
function reactionsOf(ops: readonly HeldEntry[]): TimelinePost['reactions'] {
  const flags = new Map<string, HeldEntry>()
  for (const op of ops) {
    const { op: kind, body, by } = op.fields
    if ((kind !== 'react' && kind !== 'unreact') || typeof body !== 'string') continue
    const key = `${by} ${body}`
    flags.set(key, later(flags.get(key), op))
  }
  const up = [...flags.values()].filter(({ fields }) => fields.op === 'react').sort(compareTime)
  const reactions = new Map<string, AccountId[]>()
  for (const { fields } of up) {
    const emoji = String(fields.body)
    reactions.set(emoji, [...(reactions.get(emoji) ?? []), fields.by])
  }
  return [...reactions].map(([emoji, by]) => ({ emoji, by }))
}

/** The relay's order, not people's clocks: different people pin. Pending ones come last. */
function isPinned(ops: readonly HeldEntry[]): boolean {
  const rank = (op: HeldEntry): [number, number] => [op.seq || Number.POSITIVE_INFINITY, op.n]
  const pins = ops.filter(({ fields }) => fields.op === 'pin' || fields.op === 'unpin')
  const newest = pins.reduce<HeldEntry | undefined>((best, op) => {
    if (!best) return op
    const [[seqA, nA], [seqB, nB]] = [rank(best), rank(op)]
    return seqB > seqA || (seqB === seqA && (nB > nA || (nB === nA && op.id > best.id))) ? op : best
  }, undefined)
  return newest?.fields.op === 'pin'
}

function stateOf({ slots, row }: HeldEntry): PostState {
  if (slots.length > 0 || !row || row.state === 'accepted') return { kind: 'accepted' }
  if (row.state === 'refused') return { kind: 'refused', code: row.code ?? 'internal' }
  return { kind: 'pending', signed: row.state === 'signed' }
}

function compareTime(a: HeldEntry, b: HeldEntry): number {
  return a.fields.at - b.fields.at || compareText(a.id, b.id)
}

function later(a: HeldEntry | undefined, b: HeldEntry): HeldEntry {
  return a && compareTime(a, b) > 0 ? a : b
}
