// The proof that our hand-written updates are byte for byte what Yjs itself emits. If it fails after a new Yjs, do not take that Yjs.
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { type Bytes, concatBytes, utf8 } from '#shared/base/bytes.ts'
import { createPrng, type Prng } from '#shared/base/prng.ts'
import type { Ranges, SegmentState } from '#shared/log/facts.ts'
import { joinRanges, rangesOf } from '#shared/log/ranges.ts'
import { eraseFromTape, runsFrom, tapeOfElement } from '#shared/log/tape.ts'
import { encodeAppend, encodeStateVector, encodeUpdate, readUpdate, serveSegment } from '#shared/log/update-bytes.ts'

const histories = Number(process.env.HISTORIES ?? 3_000)
const words = ['a', 'hello', 'ß', '漢字', '😀', 'x'.repeat(200), '"q\\"', '', '\u0000', '\ufeff']

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const same = (ours: Uint8Array, theirs: Uint8Array, what: string) => {
  if (Buffer.compare(ours, theirs) !== 0) expect(hex(ours), what).toBe(hex(theirs))
}

test(`[LOG-20] updates are byte for byte those of Yjs, over ${histories} random histories`, () => {
  for (let seed = 1; seed <= histories; seed++) {
    try {
      prove(createPrng(seed), seed)
    } catch (error) {
      throw new Error(`history ${seed} of yjs-proof`, { cause: error })
    }
  }
})

interface Author {
  client: number
  doc: Y.Doc
  log: Y.Array<string>
  /** Clocks that stand, in order. */
  live: number[]
  tape: Bytes
  next: number
  deleted: Ranges
  updates: Bytes[]
}

function prove(prng: Prng, seed: number): void {
  const author = write(prng, seed % 3 ? 1 + prng.below(0xffff_ffff) : 1 + prng.below(127))
  if (author.next === 0) return
  const { client, doc, tape, next, deleted, updates } = author
  const state = stateOf(author)
  const full = serveSegment(state, { clock: 0, tape }, 0)
  same(full, Y.encodeStateAsUpdate(doc), 'everything = the author')
  same(encodeStateVector(client, next), Y.encodeStateVector(doc), 'state vector')
  const readers = [updates, [full], [Y.mergeUpdates(updates)], [...updates, full, ...updates.slice(-2)]]
  for (const reader of readers) same(full, Y.encodeStateAsUpdate(docOf(reader)), 'everything = a reader')

  const n = prng.below(next + 1)
  const rest = serveSegment(state, { clock: 0, tape }, n)
  same(rest, Y.encodeStateAsUpdate(doc, encodeStateVector(client, n)), 'since n')
  same(rest, Y.diffUpdate(full, encodeStateVector(client, n)), 'since n = a diff of the whole')

  const hidden = prng.below(next + 1)
  const runs = runsFrom(eraseFromTape(tape, 0, new Set(Array.from({ length: hidden }, (_, i) => i))), 0, 0)
  const projection = encodeUpdate(client, runs, joinRanges(hidden ? [[0, hidden]] : [], deleted))
  same(projection, Y.encodeStateAsUpdate(docOf([projection])), 'a projection = its reader')

  const read = readUpdate(full)
  expect(read?.cells.filter((cell) => cell !== undefined)).toEqual(author.log.toArray())
  expect(read?.deleted).toEqual(deleted)
}

/** Yjs and we write the same history. */
function write(prng: Prng, client: number): Author {
  const doc = new Y.Doc({ guid: 'proof' })
  doc.clientID = client
  const author: Author = {
    client,
    doc,
    log: doc.getArray('log'),
    live: [],
    tape: new Uint8Array(),
    next: 0,
    deleted: [],
    updates: [],
  }
  const emitted: Uint8Array[] = []
  doc.on('update', (update: Uint8Array) => emitted.push(update))
  for (let steps = 1 + prng.below(14); steps > 0; steps--) {
    const kind = author.next === 0 ? 0 : prng.below(4)
    const count = kind === 1 ? 0 : 1 + prng.below(kind === 3 ? 200 : 4)
    const texts = Array.from({ length: count }, () => prng.pick(words) + prng.below(1_000))
    const update = step(author, texts, kind === 1 || kind === 2 ? 1 + prng.below(3) : 0, prng)
    if (!update) continue
    same(update, emitted.at(-1) ?? new Uint8Array(), 'the update that Yjs emits')
    author.updates.push(update)
  }
  return author
}

/** One turn of the relay: appends, then deletes, of what it has just appended too. */
function step(author: Author, texts: readonly string[], deletes: number, prng: Prng): Bytes | undefined {
  const { client, doc, log, next } = author
  const live = [...author.live, ...texts.map((_, i) => next + i)]
  const gone: number[] = []
  for (let i = 0; i < deletes && live.length > 0; i++) gone.push(...live.splice(prng.below(live.length), 1))
  if (texts.length + gone.length === 0) return undefined
  doc.transact(() => {
    const clocks = [...author.live, ...texts.map((_, i) => next + i)]
    if (texts.length > 0) log.push([...texts])
    for (const clock of gone) {
      const at = clocks.indexOf(clock)
      log.delete(at, 1)
      clocks.splice(at, 1)
    }
  })
  const set = new Set(gone)
  const tape = eraseFromTape(concatBytes(...texts.map((text) => tapeOfElement(utf8(text)))), next, set)
  author.tape = concatBytes(eraseFromTape(author.tape, 0, set), tape)
  author.live = live
  author.next += texts.length
  author.deleted = joinRanges(author.deleted, rangesOf(gone))
  return encodeAppend(client, next, tape, rangesOf(gone))
}

function stateOf({ client, next, deleted }: Author): Pick<SegmentState, 'client' | 'next' | 'deleted'> {
  return { client, next, deleted }
}

function docOf(updates: readonly Uint8Array[]): Y.Doc {
  const doc = new Y.Doc({ guid: 'proof' })
  for (const update of updates) Y.applyUpdate(doc, update)
  expect(doc.store.pendingStructs).toBeNull()
  return doc
}
