// Entries: right ones as a device writes them in this place, and nearly right ones. Whatever comes out is signed with a real member's real key,
// unless the signature is what is wrong.
import { type Bytes, concatBytes, toBase64Url, utf8 } from '#shared/base/bytes.ts'
import { idBytes, idFromBytes, makeTimeId } from '#shared/base/ids.ts'
import type { Prng } from '#shared/base/prng.ts'
import type { Signer } from '#shared/crypto/ports.ts'
import { treeOf, writeTree } from './json-tree.ts'
import type { ChannelModel } from './oracle-entry.ts'
import { mutateTree, type Pool } from './tree-mutations.ts'
import { mutateBytes } from './wire-parts.ts'

export interface DrawnEntry {
  bytes: Bytes
  /** Empty where it is right as an honest device writes it. */
  how: string[]
}

export interface EntryScene {
  author: { account: string; dev: string; device: Signer }
  /** Somebody else's key. */
  other: { account: string; dev: string; device: Signer }
  space: string
  channel: string
  model: ChannelModel | undefined
  /** Ids accepted in this channel, and ids that were only ever spoken of. */
  ids: readonly string[]
  pool: Pool
  now: number
  /** Bytes of an earlier entry, for splicing and sending again. */
  earlier: Uint8Array
}

const words = [
  'Hello, world!',
  'ünïcödé 😀 e\u0301',
  '\u0000\u0001',
  '{"t":1}',
  'a'.repeat(3_000),
  '',
  '\u202eabc',
  '"\\',
  '\u2028',
]
const emoji = ['👍', '😀', 'x', 'a'.repeat(64), '👩‍👩‍👧‍👦']

export function drawEntry(scene: EntryScene, random: Prng): DrawnEntry {
  if (scene.earlier.length > 0 && random.chance(0.06)) return { bytes: new Uint8Array(scene.earlier), how: ['sent-again'] }
  const how: string[] = []
  const fields = drawFields(scene, random, how)
  let tree = treeOf(fields)
  if (random.chance(0.5)) {
    const mutated = mutateTree(tree, random, scene.pool)
    tree = mutated.tree
    how.push(...mutated.how)
  }
  let text = utf8(writeTree(tree))
  if (random.chance(0.06)) {
    const mutated = mutateBytes(text, random, scene.earlier.subarray(86))
    text = mutated.bytes
    how.push(`text-${mutated.how}`)
  }
  let bytes = concatBytes(utf8(toBase64Url(drawSignature(scene, text, random, how))), text)
  if (random.chance(0.06)) {
    const mutated = mutateBytes(bytes, random, scene.earlier)
    bytes = mutated.bytes
    how.push(`signed-${mutated.how}`)
  }
  return { bytes, how }
}

function drawFields({ author, other, model, ids, now }: EntryScene, random: Prng, how: string[]): unknown[] {
  const known = ids.length > 0 && random.chance(0.93) ? random.pick(ids.slice(-60)) : idFromBytes(random.bytes(16))
  const posts = ids.slice(-60).filter((id) => model?.accepted.get(id)?.op === 'post')
  const own = posts.filter((id) => model?.accepted.get(id)?.by === author.account)
  const post = posts.length > 0 && random.chance(0.8) ? random.pick(posts) : known
  const fresh = makeTimeId<'entry'>(now, random.bytes(16))
  let [id, by, dev, at]: [string, string, string, number] = [fresh, author.account, author.dev, now - random.below(100_000)]
  if (random.chance(0.07)) {
    id = known
    how.push('id-reused')
  }
  if (random.chance(0.03)) {
    by = other.account
    if (random.chance(0.5)) dev = other.dev
    how.push('session')
  }
  if (random.chance(0.06)) {
    at = random.pick([now + 120_000, now + 120_001, now + 1e12, 0, Number.MAX_SAFE_INTEGER])
    how.push('clock')
  }
  const ext = random.chance(0.8) ? 0 : drawExt(random, how, author.account, other.account)
  switch (random.below(10)) {
    case 0:
      return [
        id,
        by,
        dev,
        at,
        'edit',
        own.length > 0 && random.chance(0.8) ? random.pick(own) : post,
        ext,
        { t: random.pick(words) },
      ]
    case 1:
      if (random.chance(0.25)) return [id, by, dev, at, 'redact', idFromBytes(random.bytes(16)), ext, 0]
      return [id, by, dev, at, 'redact', own.length > 0 && random.chance(0.6) ? random.pick(own) : post, ext, 0]
    case 2:
      return [id, by, dev, at, random.pick(['react', 'unreact']), post, ext, random.pick(emoji)]
    case 3:
      return [id, by, dev, at, random.pick(['pin', 'unpin']), post, ext, 0]
    default: {
      const body = random.chance(0.8) ? { t: `${random.pick(words)} ${random.below(1e6)}` } : drawBody(random)
      return [id, by, dev, at, 'post', random.chance(0.8) ? 0 : known, ext, body]
    }
  }
}

/** Any JSON may be a body: what it means is the readers' matter. */
function drawBody(random: Prng): unknown {
  const bodies: readonly unknown[] = [
    null,
    true,
    0,
    1e21,
    0.1,
    '',
    [],
    {},
    { '1': 1, '2': 2, a: 3 },
    { t: 'x', toString: 1, constructor: 2 },
    [[[[[[[[]]]]]]]],
    Array.from({ length: 200 }, (_, i) => i),
  ]
  return random.pick(bodies)
}

function drawExt(random: Prng, how: string[], one: string, other: string): object {
  if (random.chance(0.5)) return { m: random.pick([[one], [one, other].sort()]) }
  how.push('ext')
  return random.pick([
    { e: 1 },
    { r: [one] },
    { k: one },
    { b: ['A'.repeat(43)] },
    { zz: 1 },
    { m: [] },
    {},
    { m: [one, one] },
    { m: [one, other].sort().reverse() },
    { e: 2 },
  ])
}

const order = 2n ** 252n + 27742317777372353535851937790883648493n

function drawSignature({ author, other, space, channel, pool }: EntryScene, text: Bytes, random: Prng, how: string[]): Bytes {
  const message = (label: string, first: string, second: string) =>
    concatBytes(utf8(`dupecord/${label}/1`), Uint8Array.of(0), idOf(first), idOf(second), text)
  const right = () => author.device.sign(message('entry', space, channel))
  if (!random.chance(0.1)) return right()
  const kind = random.below(8)
  how.push(`signature-${kind}`)
  switch (kind) {
    case 0:
      return other.device.sign(message('entry', space, channel))
    case 1:
      return author.device.sign(message('entry', space, random.pick(pool)))
    case 2:
      return author.device.sign(message('entry', channel, space))
    case 3:
      return author.device.sign(message('command', space, channel))
    case 4:
      return author.device.sign(text)
    case 5:
      return addOrder(right())
    case 6:
      return random.pick([new Uint8Array(64), new Uint8Array(64).fill(255), concatBytes(Uint8Array.of(1), new Uint8Array(63))])
    default:
      return mutateBit(right(), random)
  }
}

/** S + L: the same equation holds, the spelling is another one. RFC 8032 §5.1.7 wants it refused. */
export function addOrder(signature: Bytes): Bytes {
  const changed = new Uint8Array(signature)
  let sum = order
  for (let i = 0; i < 32; i++) sum += BigInt(signature[32 + i] ?? 0) << BigInt(8 * i)
  for (let i = 0; i < 32; i++) changed[32 + i] = Number((sum >> BigInt(8 * i)) & 255n)
  return changed
}

function mutateBit(signature: Bytes, random: Prng): Bytes {
  const changed = new Uint8Array(signature)
  const at = random.below(64)
  changed[at] = (changed[at] ?? 0) ^ (1 << random.below(8))
  return changed
}

function idOf(id: string): Bytes {
  // reason: whatever kind of id it is, its sixteen bytes are what is signed
  return idBytes(id as Parameters<typeof idBytes>[0])
}
