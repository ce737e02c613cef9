// A small world for tests of the log: people who sign, and a ledger that keeps one channel in memory as a relay's store would.
import { concatBytes, toBase64Url, utf8 } from '#shared/base/bytes.ts'
import {
  type AccountId,
  type DeviceId,
  type EntryId,
  type Id,
  idFromBytes,
  makeTimeId,
  type SegmentId,
} from '#shared/base/ids.ts'
import { createPrng, type Prng } from '#shared/base/prng.ts'
import { entrySignedBytes } from '#shared/crypto/signed-bytes.ts'
import { type DecisionPorts, decideChannel } from '#shared/log/decision.ts'
import type { EntryFields } from '#shared/log/entry.ts'
import { encodeEntry, receiveEntry, writeEntryText } from '#shared/log/entry-codec.ts'
import type {
  Author,
  ChannelBatch,
  ChannelFacts,
  ChannelState,
  Decision,
  EntryRecord,
  SegmentState,
  Submission,
} from '#shared/log/facts.ts'
import { eraseFromTape } from '#shared/log/tape.ts'
import type { EntryOp, Verdict } from '#shared/protocol/records.ts'
import { createFakeSigner, verifier } from '../../sim/fake-crypto.ts'

export const everyOp: readonly EntryOp[] = ['post', 'edit', 'redact', 'react', 'unreact', 'pin', 'unpin']
export const startMs = 1_790_000_000_000

export interface Person {
  by: AccountId
  dev: DeviceId
  author: Author
  /** A signed entry of this person in the ledger's channel. What is not said is a fresh, plain post. */
  write(fields?: Partial<EntryFields>): Written
}

export interface Written {
  fields: EntryFields
  sig: string
  text: string
  bytes: Uint8Array
}

export const testLimits = {
  clockAheadMs: 120_000,
  segmentPostsMax: 2_000,
  segmentBytesMax: 1_048_576,
  segmentElementsFull: 4_000,
  segmentBytesFull: 2_097_152,
}

export interface World {
  prng: Prng
  ledger: Ledger
  person(rights?: { may?: readonly EntryOp[]; manage?: boolean }): Person
  id<Kind extends string>(): Id<Kind>
}

export interface Ledger {
  channel: ChannelState
  segments: Map<SegmentId, SegmentState>
  tapes: Map<SegmentId, Uint8Array>
  records: Map<EntryId, EntryRecord>
  now: number
  limits: typeof testLimits
  facts(submissions: readonly Submission[]): ChannelFacts
  /** Decides and commits one turn. */
  turn(...submissions: Submission[]): Decision
  /** One entry in a turn of its own. */
  send(person: Person, written: Written): Verdict
  record(id: EntryId): EntryRecord | undefined
}

export function createWorld(seed: number, limits: Partial<typeof testLimits> = {}): World {
  const prng = createPrng(seed)
  const id = <Kind extends string>() => idFromBytes<Kind>(prng.bytes(16))
  const ledger = createLedger(prng, { ...testLimits, ...limits })
  const person: World['person'] = ({ may = everyOp, manage = false } = {}) => {
    const signer = createFakeSigner(prng.bytes(32))
    const by = id<'account'>()
    const dev = id<'device'>()
    const author: Author = { by, dev, key: signer.publicKey, may: new Set(may), manage }
    const write: Person['write'] = (given = {}) => {
      const base = {
        id: makeTimeId<'entry'>(ledger.now, prng.bytes(16)),
        by,
        dev,
        at: ledger.now,
        op: 'post',
        ref: 0,
        ext: 0,
      } as const
      const op = given.op ?? 'post'
      const body = op === 'post' || op === 'edit' ? { t: 'hello' } : op === 'react' || op === 'unreact' ? '👍' : 0
      const fields: EntryFields = { ...base, body, ...given }
      const text = writeEntryText(fields)
      const sig = toBase64Url(signer.sign(entrySignedBytes(ledger.channel.space, ledger.channel.id, utf8(text))))
      return { fields, sig, text, bytes: encodeEntry(sig, text) }
    }
    return { by, dev, author, write }
  }
  return { prng, ledger, person, id }
}

export function submit(person: Person, written: readonly Written[], allowed = 300): Submission {
  return { author: person.author, entries: written.map((one) => receiveEntry(one.bytes)), allowed, waitMs: 1_000 }
}

function createLedger(prng: Prng, limits: typeof testLimits): Ledger {
  const id = <Kind extends string>() => idFromBytes<Kind>(prng.bytes(16))
  const ports: DecisionPorts = { verifier, random: prng, limits }
  const ledger: Ledger = {
    channel: { id: id<'channel'>(), space: id<'space'>(), seq: 0, rev: 0, head: 0, last: 0 },
    segments: new Map(),
    tapes: new Map(),
    records: new Map(),
    now: startMs,
    limits,
    facts: (submissions) => gather(ledger, submissions),
    turn: (...submissions) => {
      ledger.now += 1 + prng.below(1_000)
      const facts = freeze(ledger.facts(submissions))
      const decision = decideChannel(facts, submissions, ports)
      if (decision.batch) store(ledger, decision.batch)
      return decision
    },
    send: (person, written) => {
      const verdict = ledger.turn(submit(person, [written])).answers[0]?.verdicts[0]
      if (!verdict) throw new Error('an entry gets a verdict')
      return verdict
    },
    record: (wanted) => ledger.records.get(wanted),
  }
  return ledger
}

/** As a store does: records of all ids and refs, edits of redacted posts, and the segments that these concern. Nothing more. */
function gather(ledger: Ledger, submissions: readonly Submission[]): ChannelFacts {
  const ids = new Set<unknown>()
  const redacts = new Set<unknown>()
  for (const { bytes } of submissions.flatMap((one) => one.entries)) {
    const fields = parseLoosely(bytes)
    ids.add(fields[0]).add(fields[5])
    if (fields[4] === 'redact') redacts.add(fields[5])
  }
  const isWanted = (record: EntryRecord) =>
    ids.has(record.id) || (record.kind === 'accepted' && record.op === 'edit' && redacts.has(record.ref))
  const entries = [...ledger.records.values()].filter(isWanted)
  const segments = new Set<SegmentState | undefined>(
    [...ledger.segments.values()].filter((one) => one.id === ledger.channel.head),
  )
  for (const record of entries) {
    const own = record.kind === 'accepted' ? ledger.segments.get(record.segment) : undefined
    const root = own && own.of !== 0 ? ledger.segments.get(own.of) : own
    segments.add(own).add(root)
    if (root) segments.add([...ledger.segments.values()].findLast((one) => one.of === root.id))
  }
  const posts = [...ledger.records.values()].flatMap((one) =>
    one.kind === 'accepted' && one.op === 'post' && !one.gone ? [one.seq] : [],
  )
  return {
    channel: ledger.channel,
    segments: [...segments].filter((one) => one !== undefined),
    entries,
    newestPosts: posts.sort((a, b) => b - a).slice(0, redacts.size + 1),
    now: ledger.now,
  }
}

function parseLoosely(bytes: Uint8Array): unknown[] {
  try {
    return JSON.parse(new TextDecoder().decode(bytes).slice(86))
  } catch {
    return ['', '', '', '', '', '']
  }
}

function store(ledger: Ledger, batch: ChannelBatch): void {
  ledger.channel = batch.channel
  for (const segment of batch.segments) ledger.segments.set(segment.id, segment)
  for (const { segment, tape } of batch.rows)
    ledger.tapes.set(segment, concatBytes(ledger.tapes.get(segment) ?? new Uint8Array(), tape))
  for (const { segment, clocks } of batch.erase)
    ledger.tapes.set(segment, eraseFromTape(ledger.tapes.get(segment) ?? new Uint8Array(), 0, new Set(clocks)))
  for (const record of batch.entries) ledger.records.set(record.id, record)
}

/** Facts may never be changed by a decision: here that throws. */
function freeze<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || value instanceof Set) return value
  for (const inner of Object.values(value)) freeze(inner)
  return Object.freeze(value)
}
