// The proof behind every attack: what stands is whole and loads in stock Yjs, honest people go on at once, and the relay did not grow.
import { expect } from 'vitest'
import * as Y from 'yjs'
import { footprintOf, loadOf } from './footprint.ts'
import { elementsOf, openReader, type World } from './world.ts'

const MB = 1024 * 1024
/**
 * Over all attacks of one file together, so that nothing may add up. The memory of a process breathes: garbage of a flood is collected when
 * room is needed, and the allocator keeps some of it. The log is SQLite's: it is written over from 4 MB on.
 */
const growthMax = { memory: 48 * MB, files: 1 * MB, log: 8 * MB }
/** An honest message takes a few milliseconds; the machine may be busy, but nobody may have to wait for an attack to wear off. */
const atOnceMs = 2_000

/** `links` and `files`: what the attacker may have by right: links that go on, bytes of files that are his */
export async function provesHarmless(world: World, { links = 0, files = 0 } = {}): Promise<void> {
  const start = performance.now()
  const { seq } = await world.write({ body: { t: `still here at ${start}` } })
  await world.reader.sees(seq)
  expect(performance.now() - start, 'an honest message arrives at once').toBeLessThan(atOnceMs)

  const cho = await world.link(world.cho)
  const { docs } = await openReader(cho, world.place)
  const fresh = [...elementsOf(docs)].sort(([a], [b]) => a - b)
  expect(fresh, 'what stands is what honest people wrote').toEqual([...world.standing].sort(([a], [b]) => a - b))
  for (const [seg, doc] of docs) {
    expect(doc.store.pendingStructs, 'nothing pends').toBeNull()
    expect(doc.store.pendingDs, 'nothing pends').toBeNull()
    expect([...doc.share.keys()]).toEqual(['log'])
    const live = world.reader.docs.get(seg)
    expect(live && stateOf(live), 'who was there all the while holds the same bytes').toEqual(stateOf(doc))
  }
  await cho.end()

  await expect.poll(() => loadOf(world.relay), { timeout: 10_000 }).toMatchObject({ links: 2 + links, waiting: 0 })
  const [now, { before }] = [await footprintOf(world.relay), world]
  expect(now.memory - before.memory, 'memory').toBeLessThan(growthMax.memory)
  expect(now.files - before.files, 'files').toBeLessThan(growthMax.files + files)
  expect(now.log, 'write-ahead log').toBeLessThan(growthMax.log)
  if (process.env.ATTACK_FIGURES)
    console.log(expect.getState().currentTestName, (now.memory - before.memory) / MB, now.files - before.files, now.log)
}

function stateOf(doc: Y.Doc): string {
  return Buffer.from(Y.encodeStateAsUpdate(doc)).toString('base64')
}
