// A person with a valid session and a program of his own: he sends what no app sends. Forbidden things, malformed things, other people's names,
// validly signed garbage; and, among them, things that are allowed and that the app has no button for yet (reactions, pins).
import { concatBytes, toBase64Url, utf8 } from '#shared/base/bytes.ts'
import { type AccountId, type ChannelId, type EntryId, idFromBytes, makeTimeId, type SpaceId } from '#shared/base/ids.ts'
import type { Prng } from '#shared/base/prng.ts'
import { writeCommandText } from '#shared/community/command-codec.ts'
import { commandSignedBytes, entrySignedBytes } from '#shared/crypto/signed-bytes.ts'
import type { Json } from '#shared/log/entry.ts'
import { encodeEntry } from '#shared/log/entry-codec.ts'
import type { AcceptedEntry, EntryRecord } from '#shared/log/facts.ts'
import { encodeUp } from '#shared/protocol/frame-codec.ts'
import { type ControlUp, privateStream } from '#shared/protocol/frames.ts'
import type { CertifiedDevice, Identity } from './fake-crypto.ts'
import { acceptedIn, type RelayDisk, rightsIn, spaceOfChannel } from './relay-disk.ts'

export interface Liar {
  identity: Identity
  device: CertifiedDevice
}

export interface LiesWorld {
  prng: Prng
  disk: RelayDisk
  now: number
  /** What he overheard: ids of entries that the relay may not have yet. */
  overheard: readonly { id: EntryId; channel: ChannelId; by: AccountId }[]
  /** Words to look for later. */
  word(id: EntryId, channel: ChannelId): string
}

const outlawOps = ['post', 'edit', 'redact', 'react', 'unreact', 'pin', 'unpin', 'shout', '__proto__'] as const
const allowedOps = ['post', 'react', 'react', 'unreact', 'pin', 'unpin', 'edit', 'redact'] as const

/** One frame; `undefined` where there is nothing to lie about yet. */
export function nextLie(liar: Liar, world: LiesWorld): Uint8Array | undefined {
  const { prng, disk } = world
  const channels = [...disk.tables.channels.keys()]
  if (channels.length === 0) return undefined
  const channel = prng.pick(channels)
  const space = spaceOfChannel(disk, channel)
  if (!space) return undefined
  if (prng.chance(0.5)) return allowed(liar, world, space, channel)
  switch (prng.below(8)) {
    case 7:
      return forestalling(liar, world)
    case 0:
      return garbageFrame(prng)
    case 1:
      return prying(world, space, channel)
    case 2:
      return usurping(liar, world, space)
    case 3:
      return encodeUp({ kind: 'append', nr: 1 + prng.below(9), channel, entries: [garbageEntry(liar, world, space, channel)] })
    case 4:
      return encodeUp({ kind: 'append', nr: 1 + prng.below(9), channel, entries: [forgery(liar, world, space, channel)] })
    default:
      return encodeUp({ kind: 'append', nr: 1 + prng.below(9), channel, entries: [outlaw(liar, world, space, channel)] })
  }
}

/** A right entry, if he is a member; some more than once in one frame. */
function allowed(liar: Liar, world: LiesWorld, space: SpaceId, channel: ChannelId): Uint8Array {
  const { prng, disk } = world
  const mine = rightsIn(disk, liar.identity.account, channel)
  const ops = allowedOps.filter((op) => mine?.may.has(op) ?? true)
  const op = prng.pick(ops.length > 0 ? ops : allowedOps)
  const posts = acceptedIn(disk, channel).filter((record) => record.op === 'post' && !record.gone)
  const own = posts.filter((record) => record.by === liar.identity.account)
  const target = op === 'edit' || op === 'redact' ? own : posts
  if (op !== 'post' && target.length === 0) return encodeUp({ kind: 'control', message: { t: 'beat' } })
  const entry = sign(liar, world, space, channel, op, op === 'post' ? 0 : prng.pick(target).id)
  return encodeUp({ kind: 'append', nr: 1 + prng.below(9), channel, entries: prng.chance(0.2) ? [entry, entry] : [entry] })
}

function makeId(world: LiesWorld): EntryId {
  return makeTimeId<'entry'>(world.now, world.prng.bytes(16))
}

function bodyOf(world: LiesWorld, op: string, id: EntryId, channel: ChannelId): Json {
  if (op === 'post' || op === 'edit') return { t: world.word(id, channel) }
  return op === 'react' || op === 'unreact' ? world.prng.pick(['👍', '🎉']) : 0
}

function sign(
  liar: Liar,
  world: LiesWorld,
  space: SpaceId,
  channel: ChannelId,
  op: string,
  ref: EntryId | 0,
  change: Record<number, unknown> = {},
): Uint8Array {
  const id = makeId(world)
  const fields: unknown[] = [id, liar.identity.account, liar.device.dev, world.now, op, ref, 0, bodyOf(world, op, id, channel)]
  for (const [at, value] of Object.entries(change)) fields[Number(at)] = value
  return signText(liar, space, channel, JSON.stringify(fields))
}

function signText(liar: Liar, space: SpaceId, channel: ChannelId, text: string): Uint8Array {
  return encodeEntry(toBase64Url(liar.device.signer.sign(entrySignedBytes(space, channel, utf8(text)))), text)
}

/** Signed as it should be, and against the rules: in channels of others, on messages of others, under ids of others. */
function outlaw(liar: Liar, world: LiesWorld, space: SpaceId, channel: ChannelId): Uint8Array {
  const { prng, disk, overheard, now } = world
  const records: EntryRecord[] = [...(disk.tables.entries.get(channel)?.values() ?? [])]
  const heard = overheard.map((one) => one.id)
  const ids = [...records.map((record) => record.id), ...heard]
  const ref = prng.chance(0.8) && ids.length > 0 ? prng.pick(ids) : makeId(world)
  const op = prng.pick(outlawOps)
  const taken = records.filter((record): record is AcceptedEntry => record.kind === 'accepted')
  const change = prng.pick<Record<number, unknown>>([
    {},
    {},
    {},
    { 3: now + 10_000_000 },
    { 6: { r: ['x'] } },
    { 6: { e: 1 } },
    taken.length > 0 ? { 0: prng.pick(taken).id } : {},
    heard.length > 0 ? { 0: prng.pick(heard) } : {},
  ])
  return sign(liar, world, space, channel, op, op === 'post' ? 0 : ref, change)
}

/** Takes back what his other device, or somebody else, has written and not sent yet. */
function forestalling(liar: Liar, world: LiesWorld): Uint8Array | undefined {
  const { prng, disk, overheard } = world
  const own = overheard.filter((one) => one.by === liar.identity.account)
  const list = own.length > 0 && prng.chance(0.7) ? own : overheard
  if (list.length === 0) return undefined
  const { id, channel } = prng.pick(list)
  const space = spaceOfChannel(disk, channel)
  return (
    space &&
    encodeUp({ kind: 'append', nr: 1 + prng.below(9), channel, entries: [sign(liar, world, space, channel, 'redact', id)] })
  )
}

/** Under somebody else's name, or with a signature of something else. */
function forgery(liar: Liar, world: LiesWorld, space: SpaceId, channel: ChannelId): Uint8Array {
  const { prng, disk } = world
  const others = acceptedIn(disk, channel).filter((record) => record.by !== liar.identity.account)
  const elsewhere = prng.pick([...disk.tables.channels.keys()])
  switch (prng.below(3)) {
    case 0:
      return sign(liar, world, space, channel, 'post', 0, others.length > 0 ? { 1: prng.pick(others).by } : { 2: makeId(world) })
    case 1:
      // Signed for another channel.
      return sign(liar, world, space, elsewhere === channel ? idFromBytes(prng.bytes(16)) : elsewhere, 'post', 0)
    default: {
      const entry = sign(liar, world, space, channel, 'post', 0)
      entry[prng.below(80)] = 65 + prng.below(26)
      return entry
    }
  }
}

/** Validly signed, and not an entry. */
function garbageEntry(liar: Liar, world: LiesWorld, space: SpaceId, channel: ChannelId): Uint8Array {
  const { prng, now } = world
  const head = `"${makeId(world)}","${liar.identity.account}","${liar.device.dev}"`
  const text = prng.pick([
    `[${head},${now},"post",0,0,${'['.repeat(3_000)}${']'.repeat(3_000)}]`,
    `[${head},${now},"post",0,0,{"t":"a","t":"b"}]`,
    `[${head},${now}.5,"post",0,0,{"t":"a"}]`,
    `[${head},${now},"post",0,0,{"t":"a"},0]`,
    ` [${head},${now},"post",0,0,{"t":"a"}]`,
    `[${head},${now},"post",0,0,{"t":"\\u0061"}]`,
    `[${head},${now},"post",0,0,{"t":"\\ud800"}]`,
    `[${head},${now},"post",0,0,{"__proto__":{"t":"a"},"t":1}]`,
    `[${head},${now},"post",0,0,{"t":1e999}]`,
    `[${head},-1,"post",0,0,{"t":"a"}]`,
    `[${head},${now},"post",0,{"x":1},{"t":"a"}]`,
    `[${head},${now},"post",0,0,"${'x'.repeat(17_000)}"]`,
    `[${head},${now},"post",0,0,7]`,
    `[${head},${now},"post",0,0,null]`,
    `[${head},${now},"post",0,0,{"poll":["a","b"]}]`,
    '',
    'null',
    '[]',
  ])
  return signText(liar, space, channel, text)
}

function garbageFrame(prng: Prng): Uint8Array {
  const channel = idFromBytes<'channel'>(prng.bytes(16))
  switch (prng.below(6)) {
    case 0:
      return prng.bytes(prng.below(60))
    case 1:
      return concatBytes(Uint8Array.of(0), utf8('{"t":"sudo"}'))
    case 2:
      return concatBytes(Uint8Array.of(0), utf8('{"t":"open","req":-1,"seg":"x"}'))
    case 3:
      return concatBytes(Uint8Array.of(0), prng.bytes(30))
    case 4:
      // More entries announced than are there.
      return encodeUp({ kind: 'append', nr: 1, channel, entries: [utf8('x')] }).slice(0, 12)
    default:
      return encodeUp({ kind: 'stock', stream: prng.pick([privateStream, 7]), bytes: prng.bytes(20) })
  }
}

/** Asks for what others have. */
function prying({ prng, disk }: LiesWorld, space: SpaceId, channel: ChannelId): Uint8Array {
  const segments = [...disk.tables.segments.values()]
  const seg = segments.length > 0 ? prng.pick(segments).id : idFromBytes<'segment'>(prng.bytes(16))
  const message = prng.pick<ControlUp>([
    { t: 'open', req: 1 + prng.below(50), seg, n: 0, view: 0, tail: '' },
    { t: 'open', req: 1 + prng.below(50), seg, n: 1 + prng.below(30), view: 0, tail: '-' },
    { t: 'segments', channel, after: '' },
    { t: 'chain', space, after: 0 },
    { t: 'chain', space, after: 1_000 },
    { t: 'close', seg },
    { t: 'read', incarnation: disk.tables.meta.incarnation, channel, gen: prng.below(3), seq: prng.below(1_000_000) },
    { t: 'hello', v: 1, token: 'another', incarnation: '', mark: '' },
  ])
  return encodeUp({ kind: 'control', message })
}

/** Commands without the right to them. */
function usurping(liar: Liar, world: LiesWorld, space: SpaceId): Uint8Array {
  const { prng, disk, now } = world
  const held = disk.community.spaces.get(space)
  const state = held?.head.state
  const channel = state ? [...disk.tables.channels.values()].find((one) => one.space === space)?.id : undefined
  if (!held || !state || !channel) return encodeUp({ kind: 'control', message: { t: 'beat' } })
  const base = { id: makeTimeId<'command'>(now, prng.bytes(16)), by: liar.identity.account, dev: liar.device.dev, at: now }
  const text = writeCommandText(
    prng.pick([
      { ...base, act: 'community.rename', args: { name: 'Mine' }, was: state.name },
      { ...base, act: 'channel.delete', args: { channel }, was: 0 },
      { ...base, act: 'member.remove', args: { account: state.owner }, was: 0 },
      { ...base, act: 'member.join', args: { hash: toBase64Url(new Uint8Array(32)) }, was: 0 },
      { ...base, by: state.owner, act: 'community.rename', args: { name: 'Mine' }, was: state.name },
    ]),
  )
  const sig = toBase64Url(liar.device.signer.sign(commandSignedBytes(space, text)))
  return encodeUp({ kind: 'control', message: { t: 'command', space, text, sig, secret: prng.chance(0.5) ? 'guess' : '' } })
}
