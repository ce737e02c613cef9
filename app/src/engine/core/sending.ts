// Carries outbox rows to the relay: in order per channel, one frame in flight, signed and saved before they are sent.
import { toBase64Url, utf8 } from '#shared/base/bytes.ts'
import type { ChannelId } from '#shared/base/ids.ts'
import { limits } from '#shared/base/limits.ts'
import { entrySignedBytes } from '#shared/crypto/signed-bytes.ts'
import { encodeEntry, writeEntryText } from '#shared/log/entry-codec.ts'
import type { Verdict } from '#shared/protocol/records.ts'
import type { RefusalCode } from '#shared/protocol/refusals.ts'
import type { OutboxRow, SignedText } from '../device-store.ts'
import { signAgainMs, signatureOf } from './keys-at-hand.ts'
import { endRow, giveUpRow, putRow, refuseRow, rowsOf, wasDeleted } from './outbox.ts'
import { holdsElement } from './replicas.ts'
import { heardOfRoom, isReady, type Link, lasts, pauseFor, relayNow, send, type World } from './state.ts'

/** The relay found our clock ahead: by then it has told its own again. */
const clockPauseMs = 5_000
/** A relay that has no room is asked at most this often, whatever it says. */
const roomPauseLeastMs = 1_000
/** A target that never came is not coming. */
const targetWaitMs = 7 * 24 * 3_600_000

/** Sends what may go now. Called at the end of every turn: rows that are signed here are saved with the turn, before the frame leaves. */
export async function sendOutbox(world: World): Promise<void> {
  if (!isReady(world)) return
  const { link } = world
  const busy = new Set([...link.appends.values()].map((flight) => flight.channel))
  const channels = new Set<ChannelId>()
  for (const row of world.tables.outbox.values()) if (maySend(link, row)) channels.add(row.channel)
  for (const channel of channels) {
    if (busy.has(channel) || !world.tables.channel.has(channel)) continue
    if (!lasts(world, link.paused.get(channel))) await sendChannel(world, link, channel, 'all')
    // A relay without room still deletes: somebody may be about to make some.
    else if (link.noRoom && !lasts(world, link.redactsPaused.get(channel))) await sendChannel(world, link, channel, 'redacts')
  }
}

/** @param why the relay processed nothing behind the verdicts, and that is its own trouble: rows stay as they are */
export function onResult(
  world: World,
  link: Link,
  nr: number,
  verdicts: readonly Verdict[],
  waitMs: number,
  why?: RefusalCode,
): Promise<void> {
  const flight = link.appends.get(nr)
  link.appends.delete(nr)
  if (!flight) return Promise.resolve()
  const { channel, onlyRedacts } = flight
  const pauseMs = why ? Math.max(waitMs, roomPauseLeastMs) : waitMs
  if (pauseMs > 0) link.paused.set(channel, pauseFor(world, pauseMs))
  if (pauseMs > 0 && onlyRedacts) link.redactsPaused.set(channel, pauseFor(world, pauseMs))
  if (why === 'disk_full') heardOfRoom(world, link, true)
  else if (!why && !onlyRedacts) heardOfRoom(world, link, false)
  return settle(world, link, channel, flight.ids, verdicts)
}

/** Rows that have waited a week for an entry that this device does not know. */
export async function dropHopeless(world: World): Promise<void> {
  const before = world.ports.clock.now() - targetWaitMs
  for (const row of [...world.tables.outbox.values()]) {
    if (row.state.kind !== 'notarget' || row.state.since > before || row.ref === 0) continue
    if (world.tables.outbox.has(row.ref) || (await holdsElement(world, row.channel, row.ref))) continue
    giveUpRow(world, row)
  }
}

function maySend(link: Link, row: OutboxRow): boolean {
  return row.state.kind === 'waiting' || (row.state.kind === 'notarget' && !link.targetsTried.has(row.id))
}

/** Deletes what the relay has, as far as this device knows: nothing that waits here has to go first. */
function mayGoAhead(world: World, row: OutboxRow): boolean {
  if (row.op !== 'redact' || row.ref === 0) return false
  const target = world.tables.outbox.get(row.ref)
  return target === undefined || target.state.kind === 'accepted'
}

async function sendChannel(world: World, link: Link, channel: ChannelId, which: 'all' | 'redacts'): Promise<void> {
  const entries: Uint8Array[] = []
  const ids: OutboxRow['id'][] = []
  let bytes = 0
  for (const row of rowsOf(world, channel)) {
    if (!maySend(link, row) || (which === 'redacts' && !mayGoAhead(world, row))) continue
    if (entries.length === limits.appendEntriesMax) break
    const signed = await signedBytes(world, row)
    if (!signed) {
      link.paused.set(channel, pauseFor(world, signAgainMs))
      break
    }
    const entry = encodeEntry(signed.sig, signed.text)
    if (bytes + entry.length > limits.appendBytesMax) break
    bytes += entry.length
    entries.push(entry)
    ids.push(row.id)
    if (row.state.kind === 'notarget') link.targetsTried.add(row.id)
  }
  if (entries.length === 0) return
  const nr = link.nextNr++
  link.appends.set(nr, { channel, ids, onlyRedacts: which === 'redacts' })
  send(world, { kind: 'append', nr, channel, entries })
}

/** The bytes as they were saved, or signed now and saved with this turn. Another device's key, or a former one of ours, does not count. */
async function signedBytes(world: World, row: OutboxRow): Promise<SignedText | undefined> {
  const { signer, me } = world.ports
  if (row.signed?.dev === signer.dev) return row.signed
  const text = writeEntryText({
    id: row.id,
    by: me.account,
    dev: signer.dev,
    at: signedTime(world, row),
    op: row.op,
    ref: row.ref,
    ext: row.ext,
    body: row.body,
  })
  const sig = await signatureOf(world, entrySignedBytes(row.space, row.channel, utf8(text)))
  if (!sig) return undefined
  const signed = { dev: signer.dev, sig: toBase64Url(sig), text }
  putRow(world, { ...row, signed })
  return signed
}

/** What the author's clock said, by the relay's clock, never in its future; an edit stays behind what it changes. */
function signedTime(world: World, row: OutboxRow): number {
  const skew = row.clock === 'device' ? (world.link?.skew ?? 0) : 0
  const at = Math.min(row.at + skew, relayNow(world))
  return Math.max(0, Math.floor(at), row.after)
}

async function settle(
  world: World,
  link: Link,
  channel: ChannelId,
  ids: readonly OutboxRow['id'][],
  verdicts: readonly Verdict[],
): Promise<void> {
  for (const [i, verdict] of verdicts.entries()) {
    const id = ids[i]
    const row = id === undefined ? undefined : world.tables.outbox.get(id)
    // A row may have ended meanwhile: its element came first, or its channel was lost.
    if (!row || row.state.kind === 'accepted' || row.state.kind === 'refused') continue
    switch (verdict.kind) {
      case 'accepted':
        if (wasDeleted(world, row, verdict.seq)) endRow(world, row)
        else putRow(world, { ...row, state: { kind: 'accepted', seq: verdict.seq, at: verdict.at } })
        break
      case 'known':
        if (verdict.gone || wasDeleted(world, row, verdict.seq) || (await holdsElement(world, channel, row.id)))
          endRow(world, row)
        else putRow(world, { ...row, state: { kind: 'accepted', seq: verdict.seq, at: row.at } })
        break
      case 'refused':
        refused(world, link, row, verdict)
    }
  }
}

function refused(world: World, link: Link, row: OutboxRow, { code }: Extract<Verdict, { kind: 'refused' }>): void {
  if (code === 'notarget') {
    link.targetsTried.add(row.id)
    const since = row.state.kind === 'notarget' ? row.state.since : world.ports.clock.now()
    putRow(world, { ...row, state: { kind: 'notarget', since } })
  } else if (code === 'clock') {
    link.paused.set(row.channel, pauseFor(world, clockPauseMs))
    // What its author saw is as far ahead, so it is not in the relay's history like that: it goes again itself, and will be signed earlier.
    const after = Math.min(row.after, Math.floor(relayNow(world)) + limits.clockAheadMs / 2)
    putRow(world, { ...row, after, signed: undefined, state: { kind: 'waiting' } })
  } else {
    refuseRow(world, row, code, true)
  }
}
