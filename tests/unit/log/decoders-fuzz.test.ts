// No decoder throws, whatever comes: garbage, true bytes with a few bits changed, and garbage in the right shape.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseUtf8, utf8 } from '#shared/base/bytes.ts'
import { createReplica } from '#shared/log/document.ts'
import { entryOfElement, parseEntry, readElement, receiveEntry, writeElementPrefix } from '#shared/log/entry-codec.ts'
import { tapeOfElement } from '#shared/log/tape.ts'
import { encodeUpdate, readUpdate } from '#shared/log/update-bytes.ts'
import { createWorld, submit } from './channel-world.ts'

const runs = { numRuns: Number(process.env.FUZZ_RUNS ?? 1_500), seed: Number(process.env.FUZZ_SEED ?? 1) }
const world = createWorld(1)
const ada = world.person()
const entry = ada.write({ body: { t: 'hé 😀', list: [1, [2, { a: null }]] }, ext: { m: [ada.by] } })

const garbage = fc.uint8Array({ maxLength: 300 })
/** True bytes, a few of them changed, cut out or doubled. */
const mutated = (bytes: Uint8Array) =>
  fc
    .array(fc.tuple(fc.nat(bytes.length - 1), fc.integer({ min: 0, max: 255 }), fc.constantFrom('set', 'cut', 'add')), {
      minLength: 1,
      maxLength: 6,
    })
    .map((edits) => {
      const list = [...bytes]
      for (const [at, value, kind] of edits) list.splice(at, kind === 'add' ? 0 : 1, ...(kind === 'cut' ? [] : [value]))
      return Uint8Array.from(list)
    })
/** Eight fields, each what it should be or anything at all. */
const shaped = fc
  .tuple(
    ...[entry.fields.id, ada.by, ada.dev, 5, 'post', 0, 0, { t: 'x' }].map((right) =>
      fc.oneof(
        { weight: 6, arbitrary: fc.constant(right) },
        { weight: 1, arbitrary: fc.jsonValue({ noUnicodeString: false }) },
        {
          weight: 1,
          arbitrary: fc.constantFrom(entry.fields.id, 'edit', 'redact', 'poll', 1e21, -0, { k: 1 }, { __proto__: null }, [[[]]]),
        },
      ),
    ),
  )
  .map((fields) => utf8(entry.sig + JSON.stringify(fields)))
/** Deep, repeated, spaced and numeric spellings that JSON takes. */
const spelled = fc
  .constantFrom(
    '['.repeat(9_000),
    `${'['.repeat(7_000)}${']'.repeat(7_000)}`,
    '{"a":'.repeat(3_000),
    `[${'0,'.repeat(7)}1e400]`,
    `[${'0,'.repeat(7)}{"a":1,"a":2}]`,
    '"\\ud800"',
    '\u0000',
    '[,]',
    '[1,]',
    'NaN',
    `[${'"x",'.repeat(8)}0]`,
  )
  .map((text) => utf8(entry.sig + text))

test('[LOG-14] no bytes make parseEntry throw, and what it takes is signed as it stands', () => {
  const property = fc.property(fc.oneof(garbage, mutated(entry.bytes), shaped, spelled), (bytes) => {
    const parsed = parseEntry(bytes)
    if (!parsed.ok) return
    expect(parseUtf8(bytes)).toBe(parsed.value.sig + parsed.value.text)
    expect(JSON.stringify(JSON.parse(parsed.value.text))).toBe(parsed.value.text)
  })
  fc.assert(property, runs)
})

test('[LOG-15] no text makes readElement throw', () => {
  const text = fc.oneof(garbage, mutated(entry.bytes), shaped, spelled).map((bytes) => new TextDecoder().decode(bytes))
  const prefix = fc.oneof(fc.constant(writeElementPrefix(7, 1_790_000_000_000)), fc.string({ maxLength: 12 }))
  const property = fc.property(prefix, text, (before, rest) => {
    const element = readElement(before + rest)
    expect(typeof entryOfElement(before + rest)).toBe('string')
    if (element.ok) expect(element.value.seq).toBeGreaterThan(0)
  })
  fc.assert(property, runs)
})

const texts = fc.array(fc.string({ maxLength: 20 }), { maxLength: 5 })
const runsOfUpdate = fc.array(fc.oneof(texts, fc.nat(5)), { maxLength: 4 })
/** Updates of the right shape: clocks, runs and deletes that need not fit. */
const updates = fc
  .tuple(fc.integer({ min: 1, max: 3 }), fc.nat(4), runsOfUpdate, fc.array(fc.tuple(fc.nat(12), fc.nat(4)), { maxLength: 4 }))
  .map(([client, start, parts, deleted]) => {
    let clock = start
    const list = parts.map((part) => {
      const count = typeof part === 'number' ? part : part.length
      clock += count
      const at = clock - count
      if (typeof part === 'number') return { live: false as const, clock: at, count }
      return {
        live: true as const,
        clock: at,
        count,
        tape: Uint8Array.from(part.flatMap((text) => [...tapeOfElement(utf8(text))])),
      }
    })
    return encodeUpdate(client, list, deleted)
  })

test('[LOG-25] no update makes the hand reader or a replica throw; what a replica refuses leaves it as it was', () => {
  const update = fc.oneof(garbage, updates, updates.chain(mutated))
  const property = fc.property(fc.array(update, { maxLength: 6 }), (list) => {
    const replica = createReplica()
    for (const bytes of list) {
      readUpdate(bytes)
      const [before, next] = [replica.state(), replica.next]
      const applied = replica.apply(bytes)
      if (!applied.ok) expect([replica.state(), replica.next]).toEqual([before, next])
      else
        expect([...replica.elements()].map((one) => one.clock)).toEqual(
          expect.arrayContaining(applied.value.added.map((one) => one.clock)),
        )
      expect(typeof replica.tail()).toBe('string')
    }
    replica.destroy()
  })
  fc.assert(property, runs)
})

test('[LOG-51] no entry makes the decision throw, and nothing is accepted that is not signed as it stands', () => {
  const { ledger } = world
  const property = fc.property(
    fc.array(fc.oneof(garbage, mutated(entry.bytes), shaped, spelled), { minLength: 1, maxLength: 4 }),
    (entries) => {
      const decision = ledger.turn({ ...submit(ada, []), entries: entries.map(receiveEntry) })
      expect(decision.answers[0]?.verdicts).toHaveLength(entries.length)
      for (const verdict of decision.answers[0]?.verdicts ?? [])
        if (verdict.kind === 'accepted') expect(verdict.id).toBe(entry.fields.id)
    },
  )
  fc.assert(property, runs)
})
