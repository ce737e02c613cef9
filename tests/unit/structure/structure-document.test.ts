import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import fc from 'fast-check'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createStructureAuthor } from '#relay/community/structure-author.ts'
import type { Bytes } from '#shared/base/bytes.ts'
import { idFromBytes, type SpaceId } from '#shared/base/ids.ts'
import { createPrng } from '#shared/base/prng.ts'
import type { CommunityState } from '#shared/community/state.ts'
import {
  createStructure,
  loadStructureEngine,
  openStructure,
  type StructureDocument,
} from '#shared/structure/structure-document.ts'

beforeAll(() => loadStructureEngine(readFileSync(createRequire(import.meta.url).resolve('@automerge/automerge/automerge.wasm'))))

const held: StructureDocument[] = []
afterEach(() => {
  for (const document of held.splice(0)) document.free()
})

function keep(document: StructureDocument): StructureDocument {
  held.push(document)
  return document
}

const actor = new Uint8Array(16).fill(9)
const id = <Kind extends string>(n: number) => idFromBytes<Kind>(new Uint8Array(16).fill(n))
const general = id<'channel'>(1)
const first: CommunityState = {
  v: 1,
  name: 'Sample Server',
  owner: id<'account'>(7),
  channels: { [general]: { name: 'general', kind: 'text', topic: '', position: 'a0' } },
}
const withTopic = (state: CommunityState, topic: string): CommunityState => ({
  ...state,
  channels: { ...state.channels, [general]: { name: 'general', kind: 'text', topic, position: 'a0' } },
})

const word = fc.oneof(
  fc.constantFrom('', 'a', 'b', '__proto__', '😀', 'e\u0301'),
  fc.string({ unit: 'binary-ascii', maxLength: 8 }),
)
const states = fc.array(
  fc.record<CommunityState>({
    v: fc.constant(1),
    name: word,
    owner: fc.constantFrom(id<'account'>(7), id<'account'>(8)),
    channels: fc
      .array(
        fc.tuple(
          fc.integer({ min: 1, max: 6 }).map((n) => id<'channel'>(n)),
          fc.record({ name: word, kind: fc.constantFrom('text' as const, 'voice' as const), topic: word, position: word }),
        ),
        { maxLength: 6 },
      )
      .map((list) => Object.fromEntries(list)),
  }),
  { minLength: 1, maxLength: 12 },
)

describe('the structure document', () => {
  test('[STR-1] it equals the state after every change, also when it is loaded from what was stored, at any point', () => {
    fc.assert(
      fc.property(states, fc.nat(), (history, cut) => {
        const stored: Bytes[] = []
        let document = createStructure(actor)
        for (const [i, state] of history.entries()) {
          const change = document.change(state, i + 1, i * 1_000)
          if (change) stored.push(change)
          expect(document.state()).toEqual(state)
          expect(document.count).toBe(stored.length)
          if (i === cut % history.length) {
            document.free()
            document = openStructure(stored)
            expect(document.state()).toEqual(state)
          }
        }
        const loaded = openStructure(stored)
        expect(loaded.state()).toEqual(history.at(-1))
        expect(loaded.count).toBe(stored.length)
        loaded.free()
        document.free()
      }),
      { numRuns: 150, seed: 8 },
    )
  })

  test('[STR-2] a command makes one change, of what differs and nothing else; none where nothing does', () => {
    const document = keep(createStructure(actor))
    expect(document.change(first, 1, 1_000)).toBeDefined()
    expect(document.change(structuredClone(first), 2, 2_000)).toBeUndefined()
    const change = document.change(withTopic(first, 'Hi'), 3, 3_500)
    expect(change?.length).toBeLessThan(200)
    const [before, after] = document.versions()
    if (!before || !after) throw new Error('two versions')
    expect(document.diff(before.hash, after.hash)).toEqual([{ action: 'put', path: ['channels', general, 'topic'], value: 'Hi' }])
  })

  test('[STR-3] history: every version says which command made it and when, and can be seen as it was', () => {
    const document = keep(createStructure(actor))
    const history = [first, withTopic(first, 'One'), withTopic(first, 'Two'), { ...first, channels: {} }]
    for (const [i, state] of history.entries()) document.change(state, i + 1, (i + 1) * 1_000)
    const versions = document.versions()
    expect(versions.map(({ n, atS }) => [n, atS])).toEqual([
      [1, 1],
      [2, 2],
      [3, 3],
      [4, 4],
    ])
    expect(versions.map(({ hash }) => document.stateAt(hash))).toEqual(history)
    const [, second, , last] = versions
    if (!second || !last) throw new Error('four versions')
    expect(document.diff(second.hash, last.hash)).toEqual([{ action: 'del', path: ['channels', general], value: undefined }])
    expect(document.state()).toEqual(history.at(-1))
  })

  test('[STR-4] the same commands make the same bytes: its author has one name, through loading too', () => {
    const run = (reload: boolean) => {
      const stored: Bytes[] = []
      let document = createStructure(actor)
      for (const [i, topic] of ['', 'a', 'b'].entries()) {
        const change = document.change(withTopic(first, topic), i + 1, i * 1_000)
        if (change) stored.push(change)
        if (!reload) continue
        document.free()
        document = openStructure(stored)
      }
      document.free()
      return stored
    }
    expect(run(true)).toEqual(run(false))
  })

  test('[STR-5] a change that is missing is noticed when it is loaded', () => {
    const document = keep(createStructure(actor))
    const stored = ['', 'a', 'b']
      .map((topic, i) => document.change(withTopic(first, topic), i + 1, 0))
      .filter((change) => change !== undefined)
    expect(() => openStructure(stored.toSpliced(1, 1))).toThrow()
    expect(() => openStructure([])).toThrow()
  })
})

describe('its author at the relay', () => {
  const record = (n: number) => ({ n, at: n * 1_000, text: '', sig: '', state: '' })

  function memory() {
    const stored = new Map<SpaceId, Map<number, Bytes[]>>()
    let loads = 0
    return {
      loads: () => loads,
      structure: async (space: SpaceId) => {
        loads++
        const epochs = stored.get(space) ?? new Map<number, Bytes[]>()
        const epoch = Math.max(1, ...epochs.keys())
        return { epoch, changes: epochs.get(epoch) ?? [] }
      },
      put(space: SpaceId, change: { epoch: number; bytes: Bytes } | undefined) {
        if (!change) return
        const epochs = stored.get(space) ?? new Map<number, Bytes[]>()
        stored.set(space, epochs)
        epochs.set(change.epoch, [...(epochs.get(change.epoch) ?? []), change.bytes])
      },
      epochs: (space: SpaceId) => [...(stored.get(space) ?? [])].map(([epoch, changes]) => [epoch, changes.length]),
    }
  }

  test('[STR-6] a full document ends, and a new one begins with the whole state', async () => {
    const store = memory()
    const author = await createStructureAuthor({ store, random: createPrng(1) }, { heldMax: 2, changesMax: 3 })
    const space = id<'space'>(1)
    for (let n = 1; n <= 8; n++) {
      const state = withTopic(first, String(n))
      store.put(space, await author.write(space, state, record(n)))
      const document = openStructure((await store.structure(space)).changes)
      expect(document.state()).toEqual(state)
      document.free()
    }
    expect(store.epochs(space)).toEqual([
      [1, 3],
      [2, 3],
      [3, 2],
    ])
    author.close()
  })

  test('[STR-7] a few documents are held, the others read again; a forgotten one goes on from what is stored', async () => {
    const store = memory()
    const author = await createStructureAuthor({ store, random: createPrng(1) }, { heldMax: 2, changesMax: 100 })
    const spaces = [1, 2, 3].map((n) => id<'space'>(n))
    const writeAll = async (n: number) => {
      for (const space of spaces) store.put(space, await author.write(space, withTopic(first, String(n)), record(n)))
    }
    await writeAll(1)
    expect(store.loads()).toBe(3)
    await writeAll(2)
    // Used in turns, the two that are held are never the one that is wanted.
    expect(store.loads()).toBe(6)
    const [space] = spaces
    if (!space) throw new Error('three spaces')
    await author.write(space, withTopic(first, 'never stored'), record(3))
    author.forget(space)
    store.put(space, await author.write(space, withTopic(first, '3'), record(3)))
    const document = keep(openStructure((await store.structure(space)).changes))
    expect(document.versions().map(({ n }) => n)).toEqual([1, 2, 3])
    expect(document.state()).toEqual(withTopic(first, '3'))
    author.close()
  })
})
