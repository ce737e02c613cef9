// Deleting without an entry, beside real Yjs documents that delete the same.
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { concatBytes } from '#shared/base/bytes.ts'
import type { EntryId, SegmentId } from '#shared/base/ids.ts'
import { decideErasure } from '#shared/log/erasure.ts'
import type { AcceptedEntry, ChannelBatch, ChannelFacts, Decision } from '#shared/log/facts.ts'
import { elementsOfTape, eraseFromTape } from '#shared/log/tape.ts'
import { createWorld, everyOp, type Ledger, type Person, submit, type World, type Written } from './channel-world.ts'

const refOf = (written: Written) => written.fields.id

function posted({ ledger }: World, person: Person, fields: Parameters<Person['write']>[0] = {}): Written {
  const written = person.write(fields)
  expect(ledger.send(person, written)).toMatchObject({ kind: 'accepted' })
  return written
}

/** As the relay does it: what a store would say of these ids, decided and committed. */
function erase(world: World, ids: readonly EntryId[]): Omit<Decision, 'answers'> {
  const erasure = decideErasure(factsOf(world.ledger, ids), ids, { random: world.prng, limits: world.ledger.limits })
  if (erasure.batch) keep(world.ledger, erasure.batch)
  return erasure
}

function factsOf(ledger: Ledger, ids: readonly EntryId[]): ChannelFacts {
  const records = [...ledger.records.values()].filter(
    (one) => ids.includes(one.id) || (one.kind === 'accepted' && one.op === 'edit' && one.ref !== 0 && ids.includes(one.ref)),
  )
  const newestPosts = standing(ledger).flatMap((one) => (one.op === 'post' ? [one.seq] : []))
  return {
    channel: ledger.channel,
    segments: [...ledger.segments.values()],
    entries: records,
    newestPosts: newestPosts.sort((a, b) => b - a).slice(0, ids.length + 1),
    now: ledger.now,
  }
}

function standing(ledger: Ledger): AcceptedEntry[] {
  return [...ledger.records.values()].flatMap((one) => (one.kind === 'accepted' && !one.gone ? [one] : []))
}

function keep(ledger: Ledger, batch: ChannelBatch): void {
  expect(batch.rows).toEqual([])
  ledger.channel = batch.channel
  for (const segment of batch.segments) ledger.segments.set(segment.id, segment)
  for (const { segment, clocks } of batch.erase)
    ledger.tapes.set(segment, eraseFromTape(ledger.tapes.get(segment) ?? new Uint8Array(), 0, new Set(clocks)))
  for (const record of batch.entries) ledger.records.set(record.id, record)
}

function storedText(ledger: Ledger): string {
  return Buffer.from(concatBytes(...ledger.tapes.values())).toString()
}

test('[ERA-1] an erased post goes with all its edits, without an entry; the ids stay taken, and the newest post is counted anew', () => {
  const world = createWorld(1)
  const { ledger } = world
  const [ada, bob] = [world.person(), world.person()]
  const stays = posted(world, bob, { body: { t: 'stays' } })
  const post = posted(world, ada, { body: { t: 'secret' } })
  const edits = ['secret too', 'secret again'].map((t) => posted(world, ada, { op: 'edit', ref: refOf(post), body: { t } }))
  posted(world, bob, { op: 'react', ref: refOf(post) })
  expect(ledger.channel).toMatchObject({ seq: 5, rev: 5, last: 2 })

  const { batch, updates, opened } = erase(world, [refOf(post)])
  expect(batch?.channel).toMatchObject({ seq: 5, rev: 6, last: 1 })
  expect(batch?.segments).toMatchObject([{ next: 5, deleted: [[1, 3]], rev: 6 }])
  expect(opened).toEqual([])
  expect(updates).toHaveLength(1)
  expect(storedText(ledger)).not.toContain('secret')
  expect(storedText(ledger)).toContain('stays')
  for (const one of [post, ...edits]) expect(ledger.send(ada, one)).toMatchObject({ kind: 'known', gone: true })
  expect(ledger.send(bob, stays)).toMatchObject({ kind: 'known', gone: false })
})

test('[ERA-2] what is gone, reserved or unknown is no matter; twice is nothing', () => {
  const world = createWorld(2)
  const ada = world.person()
  const [post, never] = [posted(world, ada), ada.write()]
  posted(world, ada, { op: 'redact', ref: refOf(never) })
  const ids = [refOf(post), refOf(never), world.id<'entry'>(), refOf(post)]
  expect(erase(world, ids).updates).toHaveLength(1)
  expect(erase(world, ids)).toEqual({ batch: undefined, updates: [], opened: [] })
  expect(erase(world, [])).toEqual({ batch: undefined, updates: [], opened: [] })
  expect(world.ledger.channel).toMatchObject({ seq: 2, rev: 3, last: 0 })
})

test('[ERA-3] segments that were sealed, annexes, and what was closed by a restore lose it too, and take nothing', () => {
  const world = createWorld(3, { segmentPostsMax: 2, segmentElementsFull: 2 })
  const { ledger } = world
  const ada = world.person()
  const posts = Array.from({ length: 3 }, () => posted(world, ada, { body: { t: 'secret' } }))
  const edit = posted(world, ada, { op: 'edit', ref: refOf(posts[0] ?? ada.write()), body: { t: 'secret' } })
  ledger.channel = { ...ledger.channel, head: 0 }
  for (const segment of ledger.segments.values()) ledger.segments.set(segment.id, { ...segment, sealed: 2 })
  const { batch, updates } = erase(world, posts.map(refOf))
  expect(updates.map((one) => one.segment).sort()).toEqual([...ledger.segments.keys()].sort())
  expect(batch?.entries.map((one) => one.id).sort()).toEqual([...posts, edit].map(refOf).sort())
  expect(batch?.channel).toMatchObject({ head: 0, last: 0 })
  expect(storedText(ledger)).not.toContain('secret')
})

test('[ERA-4] what is sent is byte for byte what Yjs emits for the same deletion, over 200 random channels', () => {
  for (let seed = 1; seed <= 200; seed++) {
    try {
      prove(seed)
    } catch (error) {
      throw new Error(`channel ${seed} of erasure`, { cause: error })
    }
  }
})

function prove(seed: number): void {
  const world = createWorld(seed, { segmentPostsMax: 2 + (seed % 9), segmentElementsFull: 4 + (seed % 7) })
  const { ledger, prng } = world
  const persons = [world.person(), world.person({ manage: true })]
  const docs = new Map<SegmentId, Y.Doc>()
  for (let turn = 0; turn < 12; turn++) {
    const one = prng.pick(persons)
    const targets = standing(ledger).filter((record) => record.op === 'post')
    const op = targets.length === 0 ? 'post' : prng.pick(['post', 'post', ...everyOp] as const)
    for (const { segment, update } of ledger.turn(
      submit(one, [one.write(op === 'post' ? {} : { op, ref: prng.pick(targets).id })]),
    ).updates)
      Y.applyUpdate(docOf(docs, segment), update)
    if (!prng.chance(0.3)) continue
    const doomed = standing(ledger).filter(() => prng.chance(0.3))
    const { updates } = erase(
      world,
      doomed.map((record) => record.id),
    )
    for (const { segment, update } of updates) {
      const doc = docOf(docs, segment)
      const emitted: Uint8Array[] = []
      doc.once('update', (bytes: Uint8Array) => emitted.push(bytes))
      deleteIn(doc, ledger, segment)
      expect(Buffer.from(update).toString('hex')).toBe(Buffer.from(emitted[0] ?? []).toString('hex'))
    }
  }
  for (const [segment, tape] of ledger.tapes)
    expect([...elementsOfTape(tape)].map((element) => element.text)).toEqual(docOf(docs, segment).getArray('log').toArray())
}

function docOf(docs: Map<SegmentId, Y.Doc>, segment: SegmentId): Y.Doc {
  const doc = docs.get(segment) ?? new Y.Doc({ guid: segment })
  docs.set(segment, doc)
  return doc
}

/** Yjs deletes whatever the stored tape holds no more. */
function deleteIn(doc: Y.Doc, ledger: Ledger, segment: SegmentId): void {
  const log = doc.getArray<string>('log')
  const kept = new Set<string>([...elementsOfTape(ledger.tapes.get(segment) ?? new Uint8Array())].map((one) => one.text))
  doc.transact(() => {
    for (let i = log.length - 1; i >= 0; i--) if (!kept.has(log.get(i))) log.delete(i, 1)
  })
}
