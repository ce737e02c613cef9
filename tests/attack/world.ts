// A real relay with one community: ann owns it and writes, ben reads, cho looks at it afresh, eve is a member and attacks, out is not a member.
// Ann's and ben's links stay open all the while: whatever eve and out do must not touch them.
import { expect } from 'vitest'
import * as Y from 'yjs'
import { toBase64Url } from '#shared/base/bytes.ts'
import { idFromBytes, type SegmentId, type SpaceId } from '#shared/base/ids.ts'
import type { CommandAct } from '#shared/community/command.ts'
import { inviteHash } from '#shared/community/invite-code.ts'
import { loadSodium } from '#shared/crypto/sodium.ts'
import { entryOfElement } from '#shared/log/entry-codec.ts'
import { greetRaw, type RawDevice } from '../fakes/raw-device.ts'
import { entryText, makePerson, type Place, type RawPerson, signCommand, signEntry, someBytes } from '../fakes/raw-person.ts'
import { type RelayProcess, startRelay } from '../fakes/relay-process.ts'
import { type Footprint, footprintOf } from './footprint.ts'

export interface World {
  readonly relay: RelayProcess
  readonly place: Place
  /** Opens the community to whoever has it. */
  readonly code: string
  readonly ann: RawPerson
  readonly ben: RawPerson
  readonly cho: RawPerson
  readonly eve: RawPerson
  readonly out: RawPerson
  readonly writer: RawDevice
  readonly reader: LiveReader
  /** What stands in the channel, by the relay's number: signature and text of each entry. Attacks that change it say so here. */
  readonly standing: Map<number, string>
  readonly before: Footprint
  /** A new link of this person's device, greeted. */
  link(person: RawPerson): Promise<RawDevice>
  /** Ann writes. @param fields of the entry that differ @throws where the relay does not accept it at once */
  write(fields?: Record<string, unknown>): Promise<{ id: string; seq: number }>
  /** An entry of an attacker that was let in. */
  stands(seq: number, entry: Uint8Array): void
  /** Somebody gives a command on a link of his own. @throws where the relay refuses */
  command(person: RawPerson, space: SpaceId, act: CommandAct, secret?: string): Promise<void>
  /** `LIMIT_…` of the relay may make an attack shorter; all else is as it comes. */
  remove(): Promise<void>
}

/** One person's device that holds the channel open in stock Yjs. */
export interface LiveReader {
  readonly device: RawDevice
  readonly docs: ReadonlyMap<SegmentId, Y.Doc>
  /** Resolves when the element of that number is in a document. */
  sees(seq: number): Promise<void>
}

/** Sign-ups are quick, and one attacker may try much before he has to wait; else the relay is as it comes. */
export const quick = {
  // A small heap: garbage is collected soon, and what is held for good would end the relay.
  NODE_OPTIONS: '--max-old-space-size=96 --max-semi-space-size=2',
  LOG_LEVEL: 'error',
  LIMIT_DIGEST_MEMORY_KIB: '64',
  LIMIT_DIGEST_PASSES: '1',
  LIMIT_ENTRY_BURST: '20000',
  LIMIT_COMMAND_BURST: '2000',
}
const beatMs = 500

export async function startWorld(settings: Record<string, string> = {}): Promise<World> {
  const relay = await startRelay({ ...quick, ...settings })
  try {
    return await furnish(relay)
  } catch (error) {
    await relay.remove()
    throw error
  }
}

async function furnish(relay: RelayProcess): Promise<World> {
  const [ann, ben, cho, eve, out] = [
    await makePerson(relay.url, 'ann'),
    await makePerson(relay.url, 'ben'),
    await makePerson(relay.url, 'cho'),
    await makePerson(relay.url, 'eve'),
    await makePerson(relay.url, 'out'),
  ]
  const link = (person: RawPerson) => greetRaw(relay.url, person.token)
  const writer = await link(ann)
  const place: Place = { space: idFromBytes<'space'>(someBytes(16)), channel: idFromBytes<'channel'>(someBytes(16)) }
  const code = toBase64Url(someBytes(16))
  const hash = inviteHash(await loadSodium(), code)
  await giveCommand(writer, ann, place.space, {
    act: 'community.create',
    args: { name: 'Honest People', channel: place.channel, channelName: 'general' },
    was: 0,
  })
  await giveCommand(writer, ann, place.space, { act: 'invite.create', args: { hash, until: 0, uses: 0 }, was: 0 })
  for (const person of [ben, cho, eve]) await joinByHand({ place, code, link }, person)

  const standing = new Map<number, string>()
  const write = async (fields: Record<string, unknown> = {}) => {
    const text = entryText(ann, fields)
    const entry = signEntry(ann.device, place, text)
    const { verdicts, wait } = await writer.append(place.channel, [entry])
    expect({ verdicts, wait }).toMatchObject({ verdicts: [{ kind: 'accepted' }], wait: 0 })
    const [verdict] = verdicts
    if (verdict?.kind !== 'accepted') throw new Error('not accepted')
    standing.set(verdict.seq, new TextDecoder().decode(entry))
    return { id: verdict.id, seq: verdict.seq }
  }
  // Some history, so that the relay has done everything once before its size is taken.
  for (let i = 0; i < 20; i++) await write({ body: { t: `message ${i}` } })
  const reader = await openReader(await link(ben), place)
  const beats = setInterval(() => {
    for (const device of [writer, reader.device]) if (device.isOpen) device.say({ t: 'beat' })
  }, beatMs)

  return {
    ...{ relay, place, code, ann, ben, cho, eve, out, writer, reader, standing, link, write },
    before: await footprintOf(relay),
    stands: (seq, entry) => void standing.set(seq, new TextDecoder().decode(entry)),
    async command(person, space, act, secret = '') {
      if (person === ann) return giveCommand(writer, person, space, act, secret)
      const device = await link(person)
      await giveCommand(device, person, space, act, secret)
      await device.end()
    },
    async remove() {
      clearInterval(beats)
      writer.cut()
      reader.device.cut()
      await relay.remove()
    },
  }
}

/** @throws where the relay refuses */
export async function giveCommand(
  device: RawDevice,
  person: RawPerson,
  space: SpaceId,
  act: CommandAct,
  secret = '',
): Promise<void> {
  const command = signCommand(person, space, act)
  const [id] = JSON.parse(command.text)
  device.say({ ...command, secret })
  const done = await device.heard('done', (message) => message.id === id)
  if ('code' in done) throw new Error(`${act.act} of ${person.username}: ${done.code}`)
}

/** Comes in by the invite, on a link of his own. */
export async function joinByHand(world: Pick<World, 'place' | 'code' | 'link'>, person: RawPerson): Promise<void> {
  const { place, code } = world
  const device = await world.link(person)
  const hash = inviteHash(await loadSodium(), code)
  await giveCommand(device, person, place.space, { act: 'member.join', args: { hash }, was: 0 }, code)
  await device.end()
}

/** Opens all segments of the channel and every one that comes, each as a Y.Doc. */
export async function openReader(device: RawDevice, { channel }: Place): Promise<LiveReader> {
  const docs = new Map<SegmentId, Y.Doc>()
  const waits = new Set<() => void>()
  const docOf = (seg: SegmentId) => {
    const doc = docs.get(seg) ?? new Y.Doc()
    docs.set(seg, doc)
    return doc
  }
  device.onFrame((frame) => {
    if (frame.kind === 'control' && frame.message.t === 'segment') void device.openSegment(frame.message.seg)
    if (frame.kind !== 'update') return
    Y.applyUpdate(docOf(frame.seg), frame.update)
    for (const look of waits) look()
  })
  device.say({ t: 'segments', channel, after: '' })
  const { list } = await device.heard('segments', (message) => message.channel === channel)
  for (const { seg, n } of list) {
    await device.openSegment(seg)
    const came = () => docOf(seg).store.clients.size > 0 || n === 0
    if (!came()) await until(came)
  }

  function until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (!holds()) return
        waits.delete(look)
        resolve()
      }
      waits.add(look)
      look()
    })
  }
  return { device, docs, sees: (seq) => until(() => elementsOf(docs).has(seq)) }
}

/** Number to entry, of all documents. */
export function elementsOf(docs: ReadonlyMap<SegmentId, Y.Doc>): Map<number, string> {
  const elements = [...docs.values()].flatMap((doc) => doc.getArray<string>('log').toArray())
  return new Map(elements.map((element) => [Number.parseInt(element, 36), entryOfElement(element)]))
}
