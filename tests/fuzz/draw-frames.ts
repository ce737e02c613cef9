// Frames: control messages by their shapes, appends as number, channel and entries, and y-protocols messages of the private document.
import * as Y from 'yjs'
import { type Bytes, concatBytes, utf8 } from '#shared/base/bytes.ts'
import { idBytes } from '#shared/base/ids.ts'
import type { Prng } from '#shared/base/prng.ts'
import { treeOf, writeTree } from './json-tree.ts'
import { mutateTree, type Pool } from './tree-mutations.ts'
import { mutateBytes, mutateParts, type Part, run, uint, writeParts } from './wire-parts.ts'

export interface DrawnFrame {
  kind: string
  bytes: Bytes
  how: string[]
}

/** An append frame; one in eight of them nearly right. */
export function seal(random: Prng, channel: string, entries: readonly Uint8Array[], other: Uint8Array, nr: number): DrawnFrame {
  return finish('append', appendParts(channel, entries, nr), other, random, 0.12)
}

export function sealPlain(channel: string, entries: readonly Uint8Array[], nr: number): Bytes {
  return writeParts(appendParts(channel, entries, nr))
}

function appendParts(channel: string, entries: readonly Uint8Array[], nr: number): Part[] {
  // reason: a channel's id, or one that stands in for it
  const place = run(idBytes(channel as Parameters<typeof idBytes>[0]))
  return [run([1]), uint(nr), place, uint(entries.length), ...entries.flatMap((entry) => [uint(entry.length), run(entry)])]
}

/** What there is to ask about; `pool` holds ids of every kind. */
export interface QuestionScene {
  pool: Pool
  segments: readonly string[]
  channels: readonly string[]
  spaces: readonly string[]
  devs: readonly string[]
  token: string
}

/** Any message that a device says but a command. */
export function drawControl(scene: QuestionScene, random: Prng): DrawnFrame {
  const { pool, token } = scene
  const of = (right: readonly string[]) => random.pick(right.length > 0 && random.chance(0.85) ? right : pool)
  const [segment, channel, space, dev] = [of(scene.segments), of(scene.channels), of(scene.spaces), of(scene.devs)]
  const most = () => random.pick([0, 0, 1, 2, 5, 100, 2 ** 32, Number.MAX_SAFE_INTEGER])
  const message = random.pick([
    () => ({
      t: 'open',
      req: most(),
      seg: segment,
      n: most(),
      view: random.pick([0, 0, 0, 1]),
      tail: random.pick(['', '-', dev]),
    }),
    () => ({ t: 'open', req: most(), seg: segment, n: 0, view: 0, tail: '' }),
    () => ({ t: 'close', seg: segment }),
    () => ({ t: 'segments', channel, after: random.pick(['', segment]) }),
    () => ({ t: 'chain', space, after: most() }),
    () => ({ t: 'keys', devs: Array.from({ length: random.pick([0, 1, 3, 3, 256, 257]) }, () => of(scene.devs)) }),
    () => ({ t: 'read', incarnation: random.pick(['', 'x']), channel, gen: most(), seq: most() }),
    () => ({ t: 'beat' }),
    () => ({
      t: 'hello',
      v: random.pick([1, 1, 2]),
      token: random.pick([token, '', 'x'.repeat(201)]),
      incarnation: '',
      mark: random.pick(['', 'a.1.b', 'a..', '...']),
    }),
  ])()
  return drawControlFrame(`control ${message.t}`, message, random, pool)
}

/** A control frame around any message; half of them nearly right. */
export function drawControlFrame(kind: string, message: object, random: Prng, pool: Pool, chance = 0.5): DrawnFrame {
  let tree = treeOf(message)
  const how: string[] = []
  if (random.chance(chance)) {
    const mutated = mutateTree(tree, random, pool)
    tree = mutated.tree
    how.push(...mutated.how)
  }
  const bytes = concatBytes(Uint8Array.of(0), utf8(writeTree(tree)))
  if (!random.chance(chance / 6)) return { kind, bytes, how }
  const spoiled = mutateBytes(bytes, random, bytes)
  return { kind, bytes: spoiled.bytes, how: [...how, spoiled.how] }
}

/** A message of the private document's stream: sync steps with true Yjs bytes or others, awareness, and what is none. */
export function drawStockMessage(random: Prng): DrawnFrame {
  const payload = drawPayload(random)
  const step = random.pick([0, 1, 2, 2])
  const body = random.chance(0.15)
    ? [uint(random.pick([1, 2, 3, 4, 127])), uint(payload.length), run(payload)]
    : [uint(0), uint(step), uint(payload.length), run(payload)]
  const stream = random.chance(0.93) ? 1 : random.pick([0, 2, 2 ** 32 - 1])
  return finish('stock', [run([3]), uint(stream), ...body], payload, random, 0.4)
}

function drawPayload(random: Prng): Uint8Array {
  if (random.chance(0.3)) return random.pick([Uint8Array.of(0), Uint8Array.of(0, 0), new Uint8Array(0), random.bytes(40)])
  const doc = new Y.Doc()
  doc.clientID = random.below(2 ** 32)
  const map = doc.getMap('drafts')
  for (let i = 0; i <= random.below(3); i++) map.set(`k${i}`, 'w'.repeat(random.pick([1, 50, 700])))
  const bytes = random.chance(0.1) ? Y.encodeStateVector(doc) : Y.encodeStateAsUpdate(doc)
  doc.destroy()
  return bytes
}

function finish(kind: string, parts: Part[], other: Uint8Array, random: Prng, chance: number): DrawnFrame {
  const mutated = random.chance(chance) ? mutateParts(parts, random) : { parts, how: [] }
  const bytes = writeParts(mutated.parts)
  if (!random.chance(chance / 4)) return { kind, bytes, how: mutated.how }
  const spoiled = mutateBytes(bytes, random, other)
  return { kind, bytes: spoiled.bytes, how: [...mutated.how, spoiled.how] }
}
