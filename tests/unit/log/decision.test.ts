// The relay's decision, rule by rule, over one channel.
import { expect, test } from 'vitest'
import { idFromBytes } from '#shared/base/ids.ts'
import type { EntryFields } from '#shared/log/entry.ts'
import { receiveEntry } from '#shared/log/entry-codec.ts'
import type { Verdict } from '#shared/protocol/records.ts'
import { createWorld, type Person, submit, type World, type Written } from './channel-world.ts'

const codeOf = (verdict: Verdict) => (verdict.kind === 'refused' ? verdict.code : verdict.kind)
const refOf = (written: Written) => written.fields.id

/** A world with a member who writes, another, and one who manages. */
function people(seed = 1, limits: Parameters<typeof createWorld>[1] = {}) {
  const world = createWorld(seed, limits)
  return { ...world, world, ada: world.person(), bob: world.person(), mod: world.person({ manage: true }) }
}

function posted({ ledger }: World, person: Person, fields: Partial<EntryFields> = {}): Written {
  const written = person.write(fields)
  expect(ledger.send(person, written)).toMatchObject({ kind: 'accepted', id: written.fields.id })
  return written
}

test('[LOG-30] accepted entries are numbered without gaps and bear the relay’s time', () => {
  const { world, ledger, ada, bob } = people()
  for (let i = 1; i <= 3; i++)
    expect(ledger.send(ada, ada.write())).toEqual({ kind: 'accepted', id: expect.any(String), seq: i, at: ledger.now })
  expect(codeOf(ledger.send(bob, bob.write({ op: 'edit', ref: refOf(posted(world, ada)) })))).toBe('forbidden')
  expect(ledger.send(ada, ada.write())).toMatchObject({ seq: 5 })
  expect(ledger.channel).toMatchObject({ seq: 5, rev: 5, last: 5 })
})

test('[LOG-31] shape, session and signature are severe, in this order; other refusals are not', () => {
  const { ledger, ada, bob } = people()
  const good = ada.write()
  const wrongSignature = { ...good, bytes: bob.write({ ...good.fields, by: ada.by, dev: ada.dev }).bytes }
  const answers = ledger.turn({
    author: ada.author,
    entries: [good.bytes.subarray(0, -1), bob.write().bytes, ada.write({ dev: bob.dev }).bytes, wrongSignature.bytes].map(
      receiveEntry,
    ),
    allowed: 9,
    waitMs: 0,
  }).answers
  expect(answers[0]?.verdicts).toEqual([
    { kind: 'refused', id: 0, code: 'shape', severe: true },
    { kind: 'refused', id: expect.any(String), code: 'session', severe: true },
    { kind: 'refused', id: expect.any(String), code: 'session', severe: true },
    { kind: 'refused', id: good.fields.id, code: 'signature', severe: true },
  ])
  expect(ledger.send(ada, ada.write({ op: 'react', ref: refOf(good) }))).toMatchObject({ code: 'notarget', severe: false })
})

test('[LOG-32] the same id by the same author again is known; by another it is refused', () => {
  const { world, ledger, ada, bob } = people()
  const post = posted(world, ada)
  expect(ledger.send(ada, post)).toEqual({ kind: 'known', id: refOf(post), seq: 1, gone: false })
  expect(ledger.send(ada, ada.write({ id: refOf(post), body: { t: 'other words' } }))).toMatchObject({ kind: 'known', seq: 1 })
  expect(ledger.send(bob, bob.write({ id: refOf(post) }))).toMatchObject({ code: 'duplicate', severe: false })
  const twice = ada.write()
  const decision = ledger.turn(submit(ada, [twice, twice]), submit(bob, [bob.write({ id: refOf(twice) })]))
  expect(decision.answers.flatMap((one) => one.verdicts.map(codeOf))).toEqual(['accepted', 'known', 'duplicate'])
  expect(ledger.channel.seq).toBe(2)
})

test('[LOG-33] an author’s clock may be 120 s ahead, and any time behind', () => {
  const { ledger, ada } = people()
  expect(codeOf(ledger.send(ada, ada.write({ at: ledger.now + 125_000 })))).toBe('clock')
  expect(codeOf(ledger.send(ada, ada.write({ at: ledger.now + 119_000 })))).toBe('accepted')
  expect(codeOf(ledger.send(ada, ada.write({ at: 0 })))).toBe('accepted')
})

test('[LOG-34] the clock answers before the signature, the signature before the right, the right before the target', () => {
  const { world, ledger, ada, bob } = people()
  const mute = world.person({ may: [] })
  const nowhere = world.id<'entry'>()
  const forged = (fields: Partial<EntryFields>): Written => {
    const real = mute.write(fields)
    return { ...real, bytes: bob.write(real.fields).bytes }
  }
  expect(codeOf(ledger.send(mute, forged({ at: ledger.now + 999_999, op: 'react', ref: nowhere })))).toBe('clock')
  expect(codeOf(ledger.send(mute, forged({ op: 'react', ref: nowhere })))).toBe('signature')
  expect(codeOf(ledger.send(mute, mute.write({ op: 'react', ref: nowhere })))).toBe('forbidden')
  expect(codeOf(ledger.send(ada, ada.write({ op: 'react', ref: nowhere })))).toBe('notarget')
})

test('[LOG-35] each op needs its own right', () => {
  const { world, ledger, ada } = people()
  const post = posted(world, ada)
  const reader = world.person({ may: ['react'] })
  for (const op of ['post', 'edit', 'redact', 'unreact', 'pin', 'unpin'] as const)
    expect(codeOf(ledger.send(reader, reader.write({ op, ref: op === 'post' ? 0 : refOf(post) }))), op).toBe('forbidden')
  expect(codeOf(ledger.send(reader, reader.write({ op: 'react', ref: refOf(post) })))).toBe('accepted')
})

test('[LOG-36] a fact in ext that the relay has no rule for is not let in', () => {
  const { ledger, ada, bob } = people()
  expect(codeOf(ledger.send(ada, ada.write({ ext: { m: [bob.by] } })))).toBe('accepted')
  for (const ext of [{ e: 1 as const }, { r: [bob.by] }, { k: bob.by }, { m: [bob.by], e: 1 as const }])
    expect(codeOf(ledger.send(ada, ada.write({ ext })))).toBe('ext')
})

test('[LOG-37] an entry of one channel does not verify in another', () => {
  const here = createWorld(3)
  const there = createWorld(3)
  const ada = here.person()
  const twin = there.person()
  expect(twin.by).toBe(ada.by)
  there.ledger.channel = { ...there.ledger.channel, id: here.id() }
  expect(ledgerCode(there, twin, ada.write())).toBe('signature')
  there.ledger.channel = { ...there.ledger.channel, id: here.ledger.channel.id, space: here.id() }
  expect(ledgerCode(there, twin, ada.write())).toBe('signature')
})

const ledgerCode = ({ ledger }: World, person: Person, written: Written) => codeOf(ledger.send(person, written))

test('[LOG-38] one edits only one’s own post; others’ are redacted and pinned only by who may manage', () => {
  const { world, ledger, ada, bob, mod } = people()
  const post = posted(world, ada)
  const ref = refOf(post)
  expect(codeOf(ledger.send(bob, bob.write({ op: 'edit', ref })))).toBe('forbidden')
  expect(codeOf(ledger.send(mod, mod.write({ op: 'edit', ref })))).toBe('forbidden')
  for (const op of ['redact', 'pin', 'unpin'] as const) expect(codeOf(ledger.send(bob, bob.write({ op, ref })))).toBe('forbidden')
  for (const op of ['pin', 'unpin', 'redact'] as const) expect(codeOf(ledger.send(mod, mod.write({ op, ref })))).toBe('accepted')
  expect(codeOf(ledger.send(bob, bob.write({ op: 'redact', ref: refOf(posted(world, bob)) })))).toBe('accepted')
})

test('[LOG-39] only a post can be the target, and only while it stands; a redact may come again', () => {
  const { world, ledger, ada, mod } = people()
  const post = posted(world, ada)
  const reaction = posted(world, ada, { op: 'react', ref: refOf(post) })
  for (const op of ['edit', 'redact', 'react', 'pin'] as const)
    expect(codeOf(ledger.send(mod, mod.write({ op, ref: refOf(reaction) }))), op).toBe('target')
  posted(world, mod, { op: 'redact', ref: refOf(post) })
  for (const op of ['edit', 'react', 'unreact', 'pin', 'unpin'] as const)
    expect(codeOf(ledger.send(ada, ada.write({ op, ref: refOf(post) }))), op).toBe('target')
  expect(codeOf(ledger.send(ada, ada.write({ op: 'redact', ref: refOf(post) })))).toBe('accepted')
  expect(codeOf(ledger.send(ada, ada.write({ ref: refOf(post) })))).toBe('accepted')
})

test('[LOG-40] a redaction deletes the post and all its edits for good, also those of the same turn', () => {
  const { world, ledger, ada } = people()
  const post = posted(world, ada, { body: { t: 'secret one' } })
  posted(world, ada, { op: 'edit', ref: refOf(post), body: { t: 'secret two' } })
  const edit = ada.write({ op: 'edit', ref: refOf(post), body: { t: 'secret three' } })
  const redact = ada.write({ op: 'redact', ref: refOf(post) })
  const late = ada.write({ op: 'edit', ref: refOf(post), body: { t: 'secret four' } })
  const decision = ledger.turn(submit(ada, [edit, redact, late]))
  expect(decision.answers[0]?.verdicts.map(codeOf)).toEqual(['accepted', 'accepted', 'target'])
  const [segment] = [...ledger.segments.values()]
  expect(segment).toMatchObject({ next: 4, posts: 1, deleted: [[0, 3]] })
  expect(decision.batch?.erase).toEqual([{ segment: segment?.id, clocks: [0, 1] }])
  const stored = [...ledger.tapes.values(), ...decision.updates.map((one) => one.update)].map((bytes) =>
    Buffer.from(bytes).toString(),
  )
  expect(stored.join()).not.toContain('secret')
  expect(ledger.send(ada, post)).toMatchObject({ kind: 'known', seq: 1, gone: true })
  expect(ledger.send(ada, edit)).toMatchObject({ kind: 'known', seq: 3, gone: true })
})

test('[LOG-41] `last` is the seq of the newest standing post, whatever is redacted', () => {
  const { world, ledger, ada } = people()
  const [first, second, third] = [posted(world, ada), posted(world, ada), posted(world, ada)]
  posted(world, ada, { op: 'react', ref: refOf(first) })
  expect(ledger.channel.last).toBe(3)
  posted(world, ada, { op: 'redact', ref: refOf(third) })
  expect(ledger.channel.last).toBe(2)
  const fresh = [ada.write(), ada.write()]
  ledger.turn(
    submit(ada, [
      ...fresh,
      ada.write({ op: 'redact', ref: refOf(second) }),
      ...fresh.map((one) => ada.write({ op: 'redact', ref: refOf(one) })),
    ]),
  )
  expect(ledger.channel).toMatchObject({ seq: 10, last: 1 })
  const [a, b] = [ada.write(), ada.write()]
  ledger.turn(submit(ada, [a, b, ada.write({ op: 'redact', ref: refOf(b) }), ada.write({ op: 'redact', ref: refOf(first) })]))
  expect(ledger.channel.last).toBe(11)
  posted(world, ada, { op: 'redact', ref: refOf(a) })
  expect(ledger.channel.last).toBe(0)
})

test('[LOG-42] a redact of a post that is not there yet keeps it out, if its author or a manager redacted', () => {
  for (const by of ['ada', 'mod'] as const) {
    const { ledger, ada, ...rest } = people()
    const post = ada.write()
    const redactor = by === 'ada' ? ada : rest.mod
    expect(codeOf(ledger.send(redactor, redactor.write({ op: 'redact', ref: refOf(post) })))).toBe('accepted')
    expect(ledger.send(ada, post)).toEqual({ kind: 'known', id: refOf(post), seq: 0, gone: true })
    expect(ledger.channel).toMatchObject({ seq: 1, last: 0 })
  }
})

test('[LOG-43] another member’s redact of a post that is not there yet does not bind, and nobody’s overwrites another’s', () => {
  const { world, ledger, ada, bob, mod } = people()
  const [one, two, three] = [ada.write(), ada.write(), ada.write()]
  posted(world, bob, { op: 'redact', ref: refOf(one) })
  expect(codeOf(ledger.send(ada, ada.write({ op: 'edit', ref: refOf(one) })))).toBe('notarget')
  expect(codeOf(ledger.send(bob, bob.write({ op: 'react', ref: refOf(one) })))).toBe('notarget')
  expect(ledger.send(ada, one)).toMatchObject({ kind: 'accepted', seq: 2 })
  expect(codeOf(ledger.send(bob, bob.write({ op: 'react', ref: refOf(one) })))).toBe('accepted')
  for (const who of [ada, bob]) posted(world, who, { op: 'redact', ref: refOf(two) })
  expect(ledger.send(ada, two)).toMatchObject({ kind: 'known', gone: true })
  expect(codeOf(ledger.send(ada, ada.write({ op: 'edit', ref: refOf(two) })))).toBe('target')
  for (const who of [mod, bob]) posted(world, who, { op: 'redact', ref: refOf(three) })
  expect(ledger.send(ada, three)).toMatchObject({ kind: 'known', gone: true })
  expect(codeOf(ledger.send(bob, bob.write({ op: 'react', ref: refOf(three) })))).toBe('target')
})

test('[LOG-44] behind the last token an entry waits and nothing is processed; what is known costs nothing', () => {
  const { world, ledger, ada } = people()
  const known = posted(world, ada)
  const entries = [known, ada.write(), known, ada.write({ op: 'react', ref: ada.write().fields.id }), known, ada.write(), known]
  const [answer] = ledger.turn(submit(ada, entries, 2)).answers
  expect(answer?.verdicts.map(codeOf)).toEqual(['known', 'accepted', 'known', 'notarget', 'known'])
  expect(answer).toMatchObject({ spent: 2, wait: { ms: 1_000 } })
  const none = ledger.turn(submit(ada, [ada.write()], 0))
  expect(none).toEqual({ answers: [{ verdicts: [], spent: 0, wait: { ms: 1_000 } }], batch: undefined, updates: [], opened: [] })
})

test('[LOG-45] a segment is sealed at its number of posts or bytes, and the next opens with the next post', () => {
  const { world, ledger, ada } = people(7, { segmentPostsMax: 3 })
  const first = posted(world, ada)
  posted(world, ada)
  posted(world, ada)
  posted(world, ada, { op: 'react', ref: refOf(first) })
  expect([...ledger.segments.values()]).toMatchObject([{ posts: 3, next: 4, sealed: 0 }])
  const decision = ledger.turn(submit(ada, [ada.write()]))
  expect(decision.opened).toMatchObject([{ of: 0, posts: 1, next: 1, sealed: 0, channel: ledger.channel.id }])
  expect(ledger.channel.head).toBe(decision.opened[0]?.id)
  expect([...ledger.segments.values()]).toMatchObject([
    { posts: 3, sealed: 1, rev: 5 },
    { posts: 1, sealed: 0, rev: 1 },
  ])
  expect(decision.updates.map((one) => one.segment)).toEqual([decision.opened[0]?.id])
  posted(world, ada, { op: 'react', ref: refOf(first) })
  expect([...ledger.segments.values()][0]).toMatchObject({ next: 5, sealed: 1 })

  const bytes = people(8, { segmentBytesMax: 600 })
  for (let i = 0; i < 5; i++) posted(bytes.world, bytes.ada)
  expect([...bytes.ledger.segments.values()].map((one) => one.posts)).toEqual([3, 2])
})

test('[LOG-46] an op goes to its post’s segment while there is room, then into annexes of it, one after another', () => {
  const { world, ledger, ada } = people(9, { segmentPostsMax: 2, segmentElementsFull: 3 })
  const first = posted(world, ada)
  posted(world, ada)
  posted(world, ada)
  const [root, head] = [...ledger.segments.keys()]
  const opened = Array.from({ length: 8 }, () => ledger.turn(submit(ada, [ada.write({ op: 'react', ref: refOf(first) })])).opened)
  expect(opened.map((one) => one.map((annex) => annex.of))).toEqual([[], [root], [], [], [root], [], [], [root]])
  expect([...ledger.segments.values()].map(({ of, next }) => [of, next])).toEqual([
    [0, 3],
    [0, 1],
    [root, 3],
    [root, 3],
    [root, 1],
  ])
  expect(ledger.channel.head).toBe(head)
  posted(world, ada, { op: 'redact', ref: refOf(first) })
  expect([...ledger.segments.values()].at(-1)).toMatchObject({ next: 2 })
})

test('[LOG-47] what a restored relay closed for ever takes nothing: posts go to a new head, ops to an annex', () => {
  const { world, ledger, ada } = people()
  const post = posted(world, ada)
  const [old] = [...ledger.segments.values()]
  if (!old) throw new Error('a post opens a segment')
  ledger.segments.set(old.id, { ...old, sealed: 2 })
  for (const head of [0, old.id] as const) {
    ledger.channel = { ...ledger.channel, head }
    expect(ledger.turn(submit(ada, [ada.write()])).opened).toMatchObject([{ of: 0 }])
  }
  expect(ledger.turn(submit(ada, [ada.write({ op: 'react', ref: refOf(post) })])).opened).toMatchObject([{ of: old.id }])
  posted(world, ada, { op: 'redact', ref: refOf(post) })
  expect(ledger.segments.get(old.id)).toMatchObject({ next: 1, sealed: 2, deleted: [[0, 1]] })
})

test('[LOG-48] a segment has a random id and a random clientID that is never 0', () => {
  const { ledger, ada } = people(11, { segmentPostsMax: 1 })
  for (let i = 0; i < 20; i++) ledger.send(ada, ada.write())
  const segments = [...ledger.segments.values()]
  expect(new Set(segments.map((one) => one.client)).size).toBe(20)
  expect(segments.every((one) => Number.isInteger(one.client) && one.client > 0 && one.client < 2 ** 32)).toBe(true)
  expect(segments.every((one) => idFromBytes(Buffer.from(one.id, 'base64url')) === one.id)).toBe(true)
})

test('[LOG-49] one turn makes one update a segment, one rev and one row, from all submissions together', () => {
  const { ledger, ada, bob } = people()
  const decision = ledger.turn(submit(ada, [ada.write(), ada.write()]), submit(bob, [bob.write()]), submit(ada, [ada.write()]))
  expect(decision.updates).toHaveLength(1)
  expect(decision.batch?.rows).toMatchObject([{ clock: 0, count: 4 }])
  expect(decision.batch?.channel).toMatchObject({ seq: 4, rev: 1 })
  expect(decision.batch?.segments).toMatchObject([{ rev: 1, next: 4 }])
  expect(decision.answers.map((one) => one.spent)).toEqual([2, 1, 1])
})
