// The outbox: what a person wrote here and no document holds yet. How rows come, change, and end; sending.ts carries them to the relay.
// Unsigned rows change in place. Signed means that the relay may have it: then only a further entry can change it.
import { utf8 } from '#shared/base/bytes.ts'
import type { ChannelId, EntryId, SpaceId } from '#shared/base/ids.ts'
import { limits } from '#shared/base/limits.ts'
import type { Json } from '#shared/log/entry.ts'
import type { Element } from '#shared/log/entry-codec.ts'
import type { EntryOp } from '#shared/protocol/records.ts'
import type { RefusalCode } from '#shared/protocol/refusals.ts'
import type { OutboxRow } from '../device-store.ts'
import { changed, drop, nextN, put, type World } from './state.ts'
import { overlayRow } from './timelines.ts'

/** Signature, ids, time and punctuation of an entry, rounded up. */
const bytesAroundBody = 300

export interface NewEntry {
  id: EntryId
  space: SpaceId
  channel: ChannelId
  op: EntryOp
  ref: EntryId | 0
  body: Json
  /** Greater than what the author saw, by the relay's clock; 0 where it replaces nothing. */
  after: number
}

/** Saved with this turn; signed and sent by a later step. */
export function writeRow(world: World, entry: NewEntry): OutboxRow {
  const row: OutboxRow = {
    ...entry,
    n: nextN(world),
    at: world.ports.clock.now(),
    clock: 'device',
    ext: 0,
    signed: undefined,
    state: { kind: 'waiting' },
  }
  putRow(world, row)
  return row
}

export function putRow(world: World, row: OutboxRow): void {
  put(world, 'outbox', row)
  overlayRow(world, row.channel, row.id)
  touch(world, row.channel)
}

/** Its element is in a committed document, or the relay says that it is gone for good. */
export function endRow(world: World, row: OutboxRow): void {
  drop(world, 'outbox', row.id)
  overlayRow(world, row.channel, row.id)
  touch(world, row.channel)
  if (row.state.kind === 'refused') world.turn.after.push(() => world.ports.words.settle(row.id))
}

/** The person, or a rule, gives it up: what waits behind it for its sake ends too. */
export function giveUpRow(world: World, row: OutboxRow): void {
  endRow(world, row)
  for (const other of rowsAbout(world, row.id)) giveUpRow(world, other)
}

export function rowsAbout(world: World, target: EntryId): OutboxRow[] {
  return [...world.tables.outbox.values()].filter((row) => row.ref === target && row.state.kind !== 'accepted')
}

/**
 * It will not go: words stay under "Not sent", with the reason; what has no words just ends.
 * @param sure the relay stores nothing of it: it said so itself, or never saw it
 */
export function refuseRow(world: World, row: OutboxRow, code: RefusalCode, sure: boolean): void {
  const about = rowsAbout(world, row.id)
  const wasTakenBack = about.some((other) => other.op === 'redact')
  if ((row.op !== 'post' && row.op !== 'edit') || wasTakenBack) {
    giveUpRow(world, row)
    return
  }
  // The last words count: an edit that waited behind a refused message is what its author wanted to say.
  const newest = about.filter((other) => other.op === 'edit').sort((a, b) => b.n - a.n)[0]
  for (const other of about) giveUpRow(world, other)
  const refused: OutboxRow = {
    ...row,
    body: newest?.body ?? row.body,
    state: { kind: 'refused', code, sure, ...namesOf(world, row) },
  }
  putRow(world, refused)
  keepWords(world, refused)
}

/** Everything of a channel that is not at the relay yet, when the channel is lost to this device. */
export function refuseChannel(world: World, channel: ChannelId, code: RefusalCode): void {
  for (const row of rowsOf(world, channel)) {
    // An earlier refusal in this very loop may have ended it, together with what it was about.
    if (!world.tables.outbox.has(row.id)) continue
    if (row.state.kind === 'accepted') endRow(world, row)
    else if (row.state.kind !== 'refused') refuseRow(world, row, code, row.signed === undefined)
  }
}

/** In the order in which they were written. */
export function rowsOf(world: World, channel: ChannelId): OutboxRow[] {
  return [...world.tables.outbox.values()].filter((row) => row.channel === channel).sort((a, b) => a.n - b.n)
}

/** New elements stand in a document that this turn commits. An id is an entry's only within its channel, and by its author. */
export function elementsCame(world: World, channel: ChannelId, elements: readonly Element[]): void {
  const { outbox } = world.tables
  if (outbox.size === 0) return
  const ids = new Set<EntryId>()
  for (const element of elements) {
    ids.add(element.id)
    const own = outbox.get(element.id)
    if (own?.channel === channel && element.by === world.ports.me.account) endRow(world, own)
    if (element.op === 'redact' && element.ref !== 0) redactCame(world, channel, element.ref, element.seq)
  }
  for (const row of outbox.values()) {
    if (row.channel === channel && row.state.kind === 'notarget' && row.ref !== 0 && ids.has(row.ref))
      putRow(world, { ...row, state: { kind: 'waiting' } })
  }
}

/**
 * The relay deleted a post, and its edits with it: what of this it had accepted before will never come as an element.
 * What is still under way is noted, since its verdict may say `accepted` and yet be older than the redact.
 */
function redactCame(world: World, channel: ChannelId, target: EntryId, seq: number): void {
  for (const row of [...world.tables.outbox.values()]) {
    if (row.channel !== channel || postOf(row) !== target) continue
    if (row.state.kind === 'accepted' && row.state.seq < seq) endRow(world, row)
    else world.link?.redacted.set(target, seq)
  }
}

/** A row that the relay has just accepted: was it deleted since? */
export function wasDeleted(world: World, row: OutboxRow, seq: number): boolean {
  const post = postOf(row)
  return post !== 0 && (world.link?.redacted.get(post) ?? 0) > seq
}

/** What a redact must name to delete this row's entry; 0 = nothing deletes it. */
function postOf(row: OutboxRow): EntryId | 0 {
  if (row.op === 'post') return row.id
  return row.op === 'edit' ? row.ref : 0
}

/** An accepted entry whose copy is dropped is not proved to be anywhere any more: it is sent again, under the same id. */
export function waitAgain(world: World, channel: ChannelId): void {
  for (const row of rowsOf(world, channel)) {
    if (row.state.kind === 'accepted') putRow(world, { ...row, state: { kind: 'waiting' } })
  }
}

export function textOf(body: Json): string | undefined {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return undefined
  return typeof body.t === 'string' ? body.t : undefined
}

/** @returns why these words cannot be an entry, before anything is stored */
export function faultOf(text: string): RefusalCode | undefined {
  if (text.trim() === '') return 'shape'
  let characters = 0
  for (const _ of text) characters++
  if (characters > limits.messageCharactersMax) return 'size'
  const body = utf8(JSON.stringify({ t: text.toWellFormed() })).length
  return body + bytesAroundBody > limits.entryBytesMax ? 'size' : undefined
}

export function namesOf(
  world: World,
  row: { space: SpaceId; channel: ChannelId },
): { communityName: string; channelName: string } {
  const state = world.tables.space.get(row.space)?.state
  return { communityName: state?.name ?? '', channelName: state?.channels[row.channel]?.name ?? '' }
}

export function keepWords(world: World, row: OutboxRow): void {
  const { state } = row
  if (state.kind !== 'refused') return
  const { code, communityName, channelName } = state
  const words = {
    id: row.id,
    space: row.space,
    channel: row.channel,
    communityName,
    channelName,
    text: textOf(row.body) ?? '',
    at: row.at,
    code,
  }
  world.turn.after.push(() => world.ports.words.keep(words))
}

function touch(world: World, channel: ChannelId): void {
  changed(world, `timeline ${channel}`)
  changed(world, 'link')
  changed(world, 'unsent')
}
