// One suite for every log store, and then both side by side through random histories: they give the same facts and the same bytes.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { type Database, openDatabase } from '#relay/store/database.ts'
import type { LogStore } from '#relay/store/log-store.ts'
import { readMeta } from '#relay/store/relay-meta.ts'
import { createSqliteLogStore } from '#relay/store/sqlite-log-store.ts'
import { type AccountId, type EntryId, idFromBytes, type SegmentId } from '#shared/base/ids.ts'
import { createPrng } from '#shared/base/prng.ts'
import { decideChannel } from '#shared/log/decision.ts'
import type { ChannelFacts, Decision } from '#shared/log/facts.ts'
import { serveSegment } from '#shared/log/update-bytes.ts'
import { createMemoryLogStore } from '../fakes/memory-log-store.ts'
import { createMemoryTables, worldOf } from '../fakes/memory-relay-tables.ts'
import { verifier } from '../sim/fake-crypto.ts'
import { createWorld, type Person, submit, type World, type Written } from '../unit/log/channel-world.ts'

interface Subject {
  store: LogStore
  meta(): { commits: number; clock: number }
  makeChannel(world: World): void
  /** The process ends, another opens the same data. */
  reopen(): void
}

const clean: (() => void)[] = []
afterEach(() => {
  for (const end of clean.splice(0)) end()
})

function inMemory(): Subject {
  const tables = createMemoryTables()
  const subject: Subject = {
    store: createMemoryLogStore(tables),
    meta: () => tables.meta,
    makeChannel: ({ ledger: { channel } }) => worldOf(tables).channelMade(channel.space, channel.id),
    reopen() {
      subject.store = createMemoryLogStore(tables)
    },
  }
  return subject
}

function inSqlite(): Subject & { files(): Buffer[]; database(): Database } {
  const folder = mkdtempSync(join(tmpdir(), 'dupecord-log-'))
  let database = openDatabase(join(folder, 'relay.db'))
  clean.push(() => {
    database.close()
    rmSync(folder, { recursive: true })
  })
  const subject = {
    store: createSqliteLogStore(database),
    meta: () => readMeta(database),
    makeChannel({ ledger: { channel } }: World) {
      database.sql.prepare("INSERT INTO channel VALUES (?, ?, 0, 0, '', 0)").run(channel.id, channel.space)
    },
    reopen() {
      database.close()
      database = openDatabase(join(folder, 'relay.db'))
      subject.store = createSqliteLogStore(database)
    },
    files: () => readdirSync(folder).map((name) => readFileSync(join(folder, name))),
    database: () => database,
  }
  return subject
}

async function turn(subjects: readonly Subject[], world: World, person: Person, written: Written[]): Promise<Decision> {
  const ids = written.flatMap(({ fields }) => (fields.ref === 0 ? [fields.id] : [fields.id, fields.ref]))
  const redacts = written.flatMap(({ fields }) => (fields.op === 'redact' && fields.ref !== 0 ? [fields.ref] : []))
  world.ledger.now += 1 + world.prng.below(1_000)
  const facts: ChannelFacts[] = []
  for (const { store } of subjects) {
    const found = await store.facts(world.ledger.channel.id, ids, redacts)
    if (!found) throw new Error('the channel is there')
    facts.push({ ...found, now: world.ledger.now })
  }
  const [first, ...others] = facts
  if (!first) throw new Error('at least one store')
  for (const other of others) expect(inOrder(other)).toEqual(inOrder(first))
  const decision = decideChannel(first, [submit(person, written)], { verifier, random: world.prng, limits: world.ledger.limits })
  for (const { store } of subjects) if (decision.batch) await store.commit([decision.batch], world.ledger.now)
  return decision
}

function inOrder({ entries, segments, ...rest }: ChannelFacts): unknown {
  const byId = (a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : 1)
  return { ...rest, entries: [...entries].sort(byId), segments: [...segments].sort(byId) }
}

async function served(store: LogStore, seg: SegmentId, n: number): Promise<Uint8Array> {
  const state = await store.segment(seg)
  if (!state) throw new Error('the segment is there')
  return serveSegment(state, await store.tape(seg, n), n)
}

describe.each([
  ['in memory', inMemory],
  ['in SQLite', inSqlite],
] as const)('log store %s', (_, make) => {
  const setUp = () => {
    const world = createWorld(1, { segmentPostsMax: 2, segmentElementsFull: 3 })
    const subject = make()
    subject.makeChannel(world)
    return { world, subject, channel: world.ledger.channel, person: world.person({ manage: true }) }
  }

  test('knows no channel that was not made, and an empty one has no head', async () => {
    const { world, subject, channel } = setUp()
    expect(await subject.store.facts(world.id<'channel'>(), [], [])).toBeUndefined()
    expect(await subject.store.facts(channel.id, [], [])).toEqual({ channel, segments: [], entries: [], newestPosts: [] })
    expect(await subject.store.channels(channel.space)).toEqual([channel])
    expect(await subject.store.channels(world.id<'space'>())).toEqual([])
  })

  test('a commit counts one, keeps the greatest time, and is all there after a restart', async () => {
    const { world, subject, channel, person } = setUp()
    const post = person.write()
    const { batch } = await turn([subject], world, person, [post])
    expect(subject.meta()).toMatchObject({ commits: 1, clock: world.ledger.now })
    await subject.store.commit([], world.ledger.now - 500)
    expect(subject.meta()).toMatchObject({ commits: 2, clock: world.ledger.now })
    subject.reopen()
    const facts = await subject.store.facts(channel.id, [post.fields.id], [])
    expect(facts?.channel).toEqual(batch?.channel)
    expect(facts?.entries).toEqual(batch?.entries)
    expect(facts?.segments).toEqual(batch?.segments)
    const head = batch?.channel.head
    if (!head) throw new Error('a post opens a segment')
    expect(await subject.store.entry(channel.id, post.fields.id)).toMatchObject({ segment: head, clock: 0, gone: false })
    expect(await subject.store.entry(channel.id, world.id<'entry'>())).toBeUndefined()
  })

  test('a batch that cannot be written writes nothing', async () => {
    const { world, subject, channel, person } = setUp()
    const { batch } = await turn([subject], world, person, [person.write()])
    if (!batch) throw new Error('accepted')
    const other = { ...batch, channel: { ...channel, id: world.id<'channel'>() } }
    await expect(subject.store.commit([other], world.ledger.now + 1)).rejects.toThrow()
    expect(subject.meta().commits).toBe(1)
  })

  test('lists the chain oldest first, then annexes, page by page', async () => {
    const { world, subject, channel, person } = setUp()
    const posts: EntryId[] = []
    for (let i = 0; i < 7; i++) {
      const post = person.write()
      posts.push(post.fields.id)
      await turn([subject], world, person, [post])
    }
    const [oldest = 0] = posts
    for (let i = 0; i < 5; i++) await turn([subject], world, person, [person.write({ op: 'react', ref: oldest, body: `${i}` })])
    const all = await subject.store.segments(channel.id, '', 100)
    expect(all.more).toBe(false)
    expect(all.list.map(({ of }) => of === '')).toEqual([true, true, true, true, false, false])
    expect(all.list.slice(0, 4).map(({ n }) => n)).toEqual([3, 2, 2, 1])
    const paged: typeof all.list = []
    for (let more = true, after: SegmentId | '' = ''; more; after = paged.at(-1)?.seg ?? '') {
      const page: typeof all = await subject.store.segments(channel.id, after, 2)
      paged.push(...page.list)
      more = page.more
    }
    expect(paged).toEqual(all.list)
  })

  test('counts what others wrote and what still stands, up to a bound', async () => {
    const { world, subject, channel, person } = setUp()
    const reader: AccountId = world.id()
    const posts = [person.write(), person.write(), person.write()]
    await turn([subject], world, person, posts)
    const unread = async (account: AccountId, most = 100) =>
      (await subject.store.heads(channel.space, account, most)).map((head) => head.unread)
    expect([await unread(reader), await unread(reader, 2), await unread(person.by)]).toEqual([[3], [2], [0]])
    await subject.store.markRead([{ account: reader, marker: { channel: channel.id, gen: 0, seq: 1 } }])
    expect(await unread(reader)).toEqual([2])
    await turn([subject], world, person, [person.write({ op: 'redact', ref: posts[2]?.fields.id ?? 0, body: 0 })])
    expect(await unread(reader)).toEqual([1])
    expect(await unread(world.id())).toEqual([2])
    expect((await subject.store.channels(channel.space))[0]?.last).toBe(2)
  })

  test('of read markers the greatest generation wins, then the greatest seq', async () => {
    const { world, subject, channel } = setUp()
    const account: AccountId = world.id()
    const mark = (gen: number, seq: number) => subject.store.markRead([{ account, marker: { channel: channel.id, gen, seq } }])
    expect([await mark(0, 5), await mark(0, 5), await mark(0, 4), await mark(1, 2), await mark(0, 9)]).toEqual([
      [true],
      [false],
      [false],
      [true],
      [false],
    ])
    expect(await subject.store.readMarkers(account)).toEqual([{ channel: channel.id, gen: 1, seq: 2 }])
    expect(await subject.store.readMarkers(world.id())).toEqual([])
  })

  test('[ERA-7] tells what stands of an account’s words and reactions, page by page, and forgets its read markers', async () => {
    const { world, subject, channel, person } = setUp()
    const [other, reader] = [world.person(), world.person()]
    const first = other.write()
    await turn([subject], world, other, [first, other.write()])
    const posts = [person.write(), person.write(), person.write()]
    await turn([subject], world, person, posts)
    const acts = (['edit', 'react', 'pin', 'redact'] as const).map((op, i) =>
      person.write({ op, ref: posts[i % 3]?.fields.id ?? 0, body: op === 'edit' ? { t: 'anew' } : op === 'react' ? '👍' : 0 }),
    )
    await turn([subject], world, person, acts)
    // The first post is gone with its edit; what stands is two posts and a reaction.
    const stands = [posts[1], posts[2], acts[1]].map((one) => one?.fields.id)
    for (const most of [1, 2, 3, 100]) {
      const told: EntryId[] = []
      for (let after: EntryId | '' | undefined = ''; after !== undefined; ) {
        const page: Awaited<ReturnType<LogStore['wordsOf']>> = await subject.store.wordsOf(channel.id, person.by, after, most)
        expect(page.ids.length).toBeLessThanOrEqual(most)
        told.push(...page.ids)
        after = page.next || undefined
      }
      expect([...told].sort(), `pages of ${most}`).toEqual([...stands].sort())
    }
    expect(await subject.store.wordsOf(channel.id, reader.by, '', 100)).toEqual({ ids: [], next: '' })
    expect(await subject.store.wordsOf(world.id<'channel'>(), person.by, '', 100)).toEqual({ ids: [], next: '' })

    for (const by of [person.by, other.by])
      await subject.store.markRead([{ account: by, marker: { channel: channel.id, gen: 0, seq: 1 } }])
    await subject.store.eraseMarkers(person.by)
    expect(await subject.store.readMarkers(person.by)).toEqual([])
    expect(await subject.store.readMarkers(other.by)).toHaveLength(1)
  })

  test('rows behind the snapshot are counted, and compaction changes nothing that is served', async () => {
    const { world, subject } = setUp()
    const wide = createWorld(2)
    subject.makeChannel(wide)
    const author = wide.person()
    for (let i = 0; i < 5; i++) await turn([subject], wide, author, [author.write(), author.write()])
    const head = (await subject.store.channels(wide.ledger.channel.space))[0]?.head
    if (!head) throw new Error('there is a head')
    const before = await Promise.all([0, 1, 5, 9, 10].map((n) => served(subject.store, head, n)))
    await subject.store.compact(head)
    expect(await subject.store.rows(head)).toBe(0)
    await turn([subject], wide, author, [author.write()])
    expect(await subject.store.rows(head)).toBe(1)
    const state = await subject.store.segment(head)
    if (!state) throw new Error('the segment is there')
    const shorter = { ...state, next: 10 }
    for (const [i, n] of [0, 1, 5, 9].entries()) {
      const { clock, tape } = await subject.store.tape(head, n)
      const newest = (await subject.store.tape(head, 10)).tape
      expect(serveSegment(shorter, { clock, tape: tape.subarray(0, tape.length - newest.length) }, n)).toEqual(before[i])
    }
    await subject.store.compact(world.id<'segment'>())
  })
})

test('memory and SQLite say the same through random histories, restarts and compactions', { timeout: 120_000 }, async () => {
  for (let seed = 1; seed <= 40; seed++) {
    const prng = createPrng(seed)
    const world = createWorld(seed, { segmentPostsMax: 2 + prng.below(5), segmentElementsFull: 4 + prng.below(8) })
    const subjects = [inMemory(), inSqlite()]
    for (const subject of subjects) subject.makeChannel(world)
    const people = [world.person({ manage: true }), world.person(), world.person()]
    const written: Written[] = []
    for (let step = 0; step < 30; step++) {
      const person = prng.pick(people)
      const fresh = Array.from({ length: 1 + prng.below(3) }, () => randomEntry(person, written, prng.below(10), prng))
      written.push(...fresh)
      await turn(subjects, world, person, prng.chance(0.1) ? [...fresh, ...fresh] : fresh)
      if (prng.chance(0.1)) for (const subject of subjects) subject.reopen()
      await compare(subjects, world, `seed ${seed} step ${step}`, prng.chance(0.2))
    }
    for (const end of clean.splice(0)) end()
  }
})

function randomEntry(person: Person, written: readonly Written[], kind: number, prng: ReturnType<typeof createPrng>): Written {
  const ref = written.length > 0 ? prng.pick(written).fields.id : 0
  if (ref === 0 || kind < 5) return person.write()
  if (kind === 5) return person.write({ op: 'edit', ref, body: { t: 'changed' } })
  if (kind === 6) return person.write({ op: 'redact', ref: prng.chance(0.2) ? idFromBytes(prng.bytes(16)) : ref, body: 0 })
  if (kind === 9) return person.write({ op: 'pin', ref, body: 0 })
  return person.write({ op: prng.pick(['react', 'unreact']), ref, body: prng.pick(['👍', '🎉']) })
}

async function compare(subjects: readonly Subject[], world: World, where: string, compacts: boolean): Promise<void> {
  const { space, id } = world.ledger.channel
  const [a, b] = subjects.map(({ store }) => store)
  if (!a || !b) throw new Error('two stores')
  expect(await b.channels(space), where).toEqual(await a.channels(space))
  const listing = await a.segments(id, '', 100)
  expect(await b.segments(id, '', 100), where).toEqual(listing)
  for (const { seg, n } of listing.list) {
    expect(await b.segment(seg), where).toEqual(await a.segment(seg))
    for (const held of new Set([0, world.prng.below(n + 1), n]))
      expect(await served(b, seg, held), where).toEqual(await served(a, seg, held))
    if (compacts) for (const store of [a, b]) await store.compact(seg)
  }
  for (const entry of [...world.ledger.records.keys()].slice(-3))
    expect(await b.entry(id, entry), where).toEqual(await a.entry(id, entry))
  const reader: AccountId = world.id()
  for (const store of [a, b]) await store.markRead([{ account: reader, marker: { channel: id, gen: 0, seq: 3 } }])
  expect(await b.heads(space, reader, 100), where).toEqual(await a.heads(space, reader, 100))
}

test('of what was redacted no byte is left in database and log, wherever it stood', async () => {
  const world = createWorld(9)
  const subject = inSqlite()
  subject.makeChannel(world)
  const person = world.person({ manage: true })
  const secret = (name: string) => `${name}-7f3a-`.repeat(3)
  const post = (name: string, length = 1) => person.write({ body: { t: secret(name).repeat(length) } })
  const [inSnapshot, edited, long] = [post('snapshot'), post('edited'), post('long', 300)]
  await turn([subject], world, person, [inSnapshot, post('stays')])
  await turn([subject], world, person, [edited])
  await turn([subject], world, person, [person.write({ op: 'edit', ref: edited.fields.id, body: { t: secret('edit') } })])
  const head = (await subject.store.channels(world.ledger.channel.space))[0]?.head
  if (!head) throw new Error('there is a head')
  await subject.store.compact(head)
  const inRow = post('row')
  await turn([subject], world, person, [long])
  await turn([subject], world, person, [inRow, post('stays')])
  const names = ['snapshot', 'edited', 'edit', 'long', 'row']
  const left = () => names.filter((name) => subject.files().some((file) => file.includes(secret(name))))
  expect(left()).toEqual(names)
  for (const { fields } of [inSnapshot, edited, long, inRow])
    await turn([subject], world, person, [person.write({ op: 'redact', ref: fields.id, body: 0 })])
  expect(subject.database().scrub()).toBe(true)
  expect(left()).toEqual([])
  expect(subject.files().some((file) => file.includes(secret('stays')))).toBe(true)
})

test('a relay that ends between an erasing commit and its scrub has scrubbed when it is open again', async () => {
  const world = createWorld(10)
  const subject = inSqlite()
  subject.makeChannel(world)
  const person = world.person()
  const post = person.write({ body: { t: 'erase-me-0815' } })
  await turn([subject], world, person, [post])
  await turn([subject], world, person, [person.write({ op: 'redact', ref: post.fields.id, body: 0 })])
  subject.reopen()
  expect(subject.files().some((file) => file.includes('erase-me-0815'))).toBe(false)
})
