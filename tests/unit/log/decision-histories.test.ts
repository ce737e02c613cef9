// Random histories of one channel through the decision, beside real Yjs documents and replicas: what the relay stores, serves and sends is the same thing.
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import type { EntryId, SegmentId } from '#shared/base/ids.ts'
import { createReplica, type Replica } from '#shared/log/document.ts'
import type { EntryFields } from '#shared/log/entry.ts'
import { readElement } from '#shared/log/entry-codec.ts'
import type { Decision, Submission } from '#shared/log/facts.ts'
import { elementsOfTape, eraseFromTape } from '#shared/log/tape.ts'
import { serveSegment } from '#shared/log/update-bytes.ts'
import type { EntryOp } from '#shared/protocol/records.ts'
import { createWorld, everyOp, type Ledger, type Person, submit, type World, type Written } from './channel-world.ts'

const histories = Number(process.env.HISTORIES ?? 100)

test(`[LOG-50] stored, served and sent are one history, over ${histories} random channels`, () => {
  for (let seed = 1; seed <= histories; seed++) {
    try {
      live(seed)
    } catch (error) {
      throw new Error(`history ${seed} of decision-histories`, { cause: error })
    }
  }
})

interface Witness {
  /** What Yjs itself holds after every update that was sent. */
  docs: Map<SegmentId, Y.Doc>
  replicas: Map<SegmentId, Replica>
  /** What everybody wrote, by id. */
  written: Map<EntryId, Written>
  accepted: EntryId[]
}

function live(seed: number): void {
  const world = createWorld(seed, {
    segmentPostsMax: 2 + (seed % 7),
    segmentElementsFull: 4 + (seed % 11),
    segmentBytesMax: seed % 5 === 0 ? 1_500 : 1_000_000,
  })
  const persons = [world.person(), world.person(), world.person({ manage: true }), world.person({ may: ['post', 'react'] })]
  const witness: Witness = { docs: new Map(), replicas: new Map(), written: new Map(), accepted: [] }
  const unsent: Written[] = []
  for (let turn = 0; turn < 25; turn++) {
    if (world.prng.chance(0.03)) restore(world.ledger)
    const submissions = Array.from({ length: 1 + world.prng.below(3) }, () => {
      const person = world.prng.pick(persons)
      const entries = Array.from({ length: 1 + world.prng.below(6) }, () => compose(world, person, witness, unsent))
      for (const one of entries) witness.written.set(one.fields.id, one)
      return submit(person, entries, world.prng.chance(0.1) ? world.prng.below(4) : 300)
    })
    const before = world.ledger.channel.seq
    const decision = world.ledger.turn(...submissions)
    checkAnswers(world.ledger, decision, submissions, before, witness)
    send(decision, world.ledger, witness)
    if (world.prng.chance(0.1)) checkStored(world, witness)
  }
  checkStored(world, witness)
  for (const one of [...witness.docs.values(), ...witness.replicas.values()]) one.destroy()
}

/** New, sent again, about something known, about something that is not there yet. */
function compose({ prng }: World, person: Person, { accepted, written }: Witness, unsent: Written[]): Written {
  const own = [...written.values()].filter((one) => one.fields.by === person.by)
  if (own.length > 0 && prng.chance(0.1)) return prng.pick(own)
  const waiting = unsent.findIndex((one) => one.fields.by === person.by)
  if (waiting >= 0 && prng.chance(0.5)) return unsent.splice(waiting, 1)[0] ?? person.write()
  const op: EntryOp = prng.chance(0.45) || accepted.length === 0 ? 'post' : prng.pick(everyOp)
  if (op === 'post') return person.write({ body: { t: 'x'.repeat(prng.below(300)) } })
  const later = person.write({ body: { t: 'later' } })
  if (prng.chance(0.1)) unsent.push(later)
  const ref = prng.chance(0.1) ? later.fields.id : prng.pick(accepted)
  const fields: Partial<EntryFields> = { op, ref }
  return person.write(op.endsWith('react') ? { ...fields, body: prng.pick(['👍', '❤️']) } : fields)
}

function restore(ledger: Ledger): void {
  ledger.channel = { ...ledger.channel, head: 0 }
  for (const segment of ledger.segments.values()) ledger.segments.set(segment.id, { ...segment, sealed: 2 })
}

function checkAnswers(ledger: Ledger, decision: Decision, submissions: Submission[], before: number, witness: Witness): void {
  const verdicts = decision.answers.flatMap((answer, i) => {
    const given = submissions[i]
    if (!answer.wait) expect(answer.verdicts).toHaveLength(given?.entries.length ?? 0)
    expect(answer.spent).toBe(answer.verdicts.filter((one) => one.kind !== 'known').length)
    expect(answer.spent).toBeLessThanOrEqual(given?.allowed ?? 0)
    return answer.verdicts
  })
  const accepted = verdicts.filter((one) => one.kind === 'accepted')
  expect(accepted.map((one) => one.seq)).toEqual(accepted.map((_, i) => before + 1 + i))
  expect(ledger.channel.seq).toBe(before + accepted.length)
  for (const { id } of accepted) witness.accepted.push(id)
  expect(new Set(witness.accepted).size).toBe(witness.accepted.length)
}

function send(decision: Decision, ledger: Ledger, { docs, replicas }: Witness): void {
  for (const { segment, update } of decision.updates) {
    const doc = docs.get(segment) ?? new Y.Doc({ guid: segment })
    const replica = replicas.get(segment) ?? createReplica(ledger.segments.get(segment)?.client)
    docs.set(segment, doc)
    replicas.set(segment, replica)
    Y.applyUpdate(doc, update)
    expect(doc.store.pendingStructs).toBeNull()
    expect(replica.apply(update)).toMatchObject({ ok: true })
  }
}

/** The tape, a fresh join, a join from any point, Yjs and the replica hold the same; nothing gone is anywhere. */
function checkStored({ ledger, prng }: World, { docs, replicas, written }: Witness): void {
  const standing: EntryId[] = []
  for (const state of ledger.segments.values()) {
    const tape = ledger.tapes.get(state.id) ?? new Uint8Array()
    const texts = [...elementsOfTape(tape)]
    const doc = docs.get(state.id) ?? new Y.Doc({ guid: state.id })
    const replica = replicas.get(state.id)
    expect(texts.map((one) => one.text)).toEqual(doc.getArray('log').toArray())
    expect([...(replica?.elements() ?? [])]).toEqual(texts)
    expect(replica?.next).toBe(state.next)
    const full = serveSegment(state, { clock: 0, tape }, 0)
    const n = prng.below(state.next + 1)
    expect(Buffer.compare(full, Y.encodeStateAsUpdate(doc))).toBe(0)
    expect(Buffer.compare(full, replica?.state() ?? new Uint8Array())).toBe(0)
    expect(Buffer.compare(serveSegment(state, { clock: 0, tape }, n), Y.diffUpdate(full, vector(state.client, n)))).toBe(0)
    expect(eraseFromTape(tape, 0, new Set())).toEqual(tape)
    for (const { clock, text } of texts) standing.push(checkElement(ledger, state.id, clock, text, written))
  }
  const records = [...ledger.records.values()].filter((one) => one.kind === 'accepted')
  const expected = records.filter((one) => !one.gone)
  expect(standing.sort()).toEqual(expected.map((one) => one.id).sort())
  expect(ledger.channel.last).toBe(Math.max(0, ...expected.filter((one) => one.op === 'post').map((one) => one.seq)))
  for (const one of records) if (one.op === 'edit') expect(one.gone).toBe(records.find((post) => post.id === one.ref)?.gone)
}

function checkElement(ledger: Ledger, segment: SegmentId, clock: number, text: string, written: Witness['written']): EntryId {
  const element = readElement(text)
  if (!element.ok) throw new Error('what is stored can be read')
  const { id, seq, sig } = element.value
  const record = ledger.record(id)
  const isSigned = sig + element.value.text === (written.get(id)?.sig ?? '') + (written.get(id)?.text ?? '')
  const isRecorded = record?.kind === 'accepted' && record.segment === segment && record.clock === clock && record.seq === seq
  if (!isSigned || !isRecorded || record.gone) throw new Error(`element ${clock} of ${segment} is not what was accepted`)
  return id
}

function vector(client: number, n: number): Uint8Array {
  return Y.encodeStateVector(n === 0 ? new Map() : new Map([[client, n]]))
}
