// Well-formed entries that claim what is not theirs: another's name, another's place, another's words, another time.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { concatBytes, utf8 } from '#shared/base/bytes.ts'
import { type EntryId, idFromBytes, makeTimeId } from '#shared/base/ids.ts'
import { commandSignedBytes } from '#shared/crypto/signed-bytes.ts'
import { closeCodes } from '#shared/protocol/frames.ts'
import type { Verdict } from '#shared/protocol/records.ts'
import {
  addDevice,
  entryText,
  newSigner,
  type Place,
  type RawPerson,
  signEntry,
  signInByHand,
  someBytes,
} from '../fakes/raw-person.ts'
import { provesHarmless } from './harmless.ts'
import { joinByHand, startWorld, type World } from './world.ts'

let world: World
/** A second channel of the community, with a post of eve's and one of ann's; and a community that eve is not in. */
let side: Place
let foreign: Place
let posts: { ann: EntryId; eve: EntryId; sideAnn: EntryId; sideEve: EntryId }

const newEntryId = () => makeTimeId<'entry'>(Date.now(), someBytes(16))

beforeAll(async () => {
  world = await startWorld()
  const { ann, eve, place, writer } = world
  const newChannel = () => idFromBytes<'channel'>(someBytes(16))
  side = { space: place.space, channel: newChannel() }
  foreign = { space: idFromBytes<'space'>(someBytes(16)), channel: newChannel() }
  await world.command(ann, place.space, {
    act: 'channel.create',
    args: { channel: side.channel, name: 'side', kind: 'text', position: 'a5' },
    was: 0,
  })
  await world.command(ann, foreign.space, {
    act: 'community.create',
    args: { name: 'Elsewhere', channel: foreign.channel, channelName: 'general' },
    was: 0,
  })
  posts = { ann: newEntryId(), eve: newEntryId(), sideAnn: newEntryId(), sideEve: newEntryId() }
  await world.write({ id: posts.ann })
  await writer.append(side.channel, [signEntry(ann.device, side, entryText(ann, { id: posts.sideAnn }))])
  await writer.append(foreign.channel, [signEntry(ann.device, foreign, entryText(ann))])
  await eveSends({ id: posts.eve }, 'accepted')
  const link = await world.link(eve)
  await link.append(side.channel, [signEntry(eve.device, side, entryText(eve, { id: posts.sideEve }))])
  await link.end()
})
afterAll(() => world?.remove())

/** Eve sends one entry, truly signed, on a link of her own. */
async function eveSends(fields: Record<string, unknown>, answer: string, place: Place = world.place): Promise<Verdict> {
  return sends(world.eve, signEntry(world.eve.device, place, entryText(world.eve, fields)), answer, place)
}

async function sends(person: RawPerson, entry: Uint8Array, answer: string, place: Place = world.place): Promise<Verdict> {
  const link = await world.link(person)
  const verdict = await link.verdict(place.channel, entry)
  await link.end()
  expect(verdict.kind === 'refused' ? verdict.code : verdict.kind).toBe(answer)
  if (verdict.kind === 'accepted' && place === world.place) world.stands(verdict.seq, entry)
  return verdict
}

test('[ATT-30] an entry in the name of another', async () => {
  await eveSends({ by: world.ann.account }, 'session')
  await provesHarmless(world)
})

test('[ATT-30] an entry in the name of another, with his device', async () => {
  await eveSends({ by: world.ann.account, dev: world.ann.dev }, 'session')
  await provesHarmless(world)
})

test('[ATT-30] an entry of another device of one’s own', async () => {
  const { eve, relay } = world
  const other = await addDevice(relay.url, eve, await signInByHand(relay.url, eve.username, eve.authKey))
  await eveSends({ dev: other.dev }, 'session')
  await sends(other, signEntry(other.device, world.place, entryText(eve)), 'session')
  await provesHarmless(world)
})

test('[ATT-30] another’s entry, exactly as he signed it, sent by oneself', async () => {
  const { ann, eve, place } = world
  const verdict = await sends(eve, signEntry(ann.device, place, entryText(ann)), 'session')
  expect(verdict).toMatchObject({ severe: true })
  const [standing] = [...world.standing.values()]
  await sends(eve, utf8(standing ?? ''), 'session')
  await provesHarmless(world)
})

test('[ATT-30] another’s key', async () => {
  const { eve, place, ann } = world
  for (const signer of [ann.device, eve.identity, await newSigner()])
    await sends(eve, signEntry(signer, place, entryText(eve)), 'signature')
  await provesHarmless(world)
})

test('[ATT-31] a signature for another channel', async () => {
  const entry = signEntry(world.eve.device, side, entryText(world.eve))
  await sends(world.eve, entry, 'signature')
  await provesHarmless(world)
})

test('[ATT-31] a signature for another community', async () => {
  const entry = signEntry(world.eve.device, { ...world.place, space: foreign.space }, entryText(world.eve))
  await sends(world.eve, entry, 'signature')
  await provesHarmless(world)
})

test('[ATT-31] a signature for something that is no entry', async () => {
  const { eve, place } = world
  const text = entryText(eve)
  const sig = Buffer.from(eve.device.sign(commandSignedBytes(place.space, text))).toString('base64url')
  await sends(eve, utf8(sig + text), 'signature')
  const bare = Buffer.from(eve.device.sign(utf8(text))).toString('base64url')
  await sends(eve, utf8(bare + text), 'signature')
  await provesHarmless(world)
})

test('[ATT-31] a text that was changed behind its signature', async () => {
  const { eve, place } = world
  const entry = signEntry(eve.device, place, entryText(eve, { body: { t: 'aaaa' } }))
  const changed = new TextDecoder().decode(entry).replace('aaaa', 'bbbb')
  await sends(eve, utf8(changed), 'signature')
  await provesHarmless(world)
})

test('[ATT-32] an id again, with the same content', async () => {
  const { eve, place } = world
  const entry = signEntry(eve.device, place, entryText(eve))
  const first = await sends(eve, entry, 'accepted')
  const again = await sends(eve, entry, 'known')
  expect(again).toMatchObject({ seq: first.kind === 'accepted' && first.seq, gone: false })
  await provesHarmless(world)
})

test('[ATT-32] an id again, with other content', async () => {
  await eveSends({ id: posts.eve, body: { t: 'other words' } }, 'known')
  await eveSends({ id: posts.eve, op: 'react', ref: posts.ann, body: '👍' }, 'known')
  await provesHarmless(world)
})

test('[ATT-32] an id of another', async () => {
  await eveSends({ id: posts.ann }, 'duplicate')
  await provesHarmless(world)
})

test('[ATT-32] an id twice in one frame, with same and with other content', async () => {
  const { eve, place } = world
  const id = newEntryId()
  const [one, other] = ['one', 'other'].map((t) => signEntry(eve.device, place, entryText(eve, { id, body: { t } })))
  if (!one || !other) throw new Error('two entries')
  const link = await world.link(eve)
  const { verdicts } = await link.append(place.channel, [one, one, other])
  expect(verdicts.map(({ kind }) => kind)).toEqual(['accepted', 'known', 'known'])
  const [first] = verdicts
  if (first?.kind === 'accepted') world.stands(first.seq, one)
  await link.end()
  await provesHarmless(world)
})

test('[ATT-32] the id of a post that was deleted', async () => {
  const post = { id: newEntryId() }
  const verdict = await eveSends(post, 'accepted')
  await eveSends({ op: 'redact', ref: post.id, body: 0 }, 'accepted')
  if (verdict.kind === 'accepted') world.standing.delete(verdict.seq)
  expect(await eveSends({ ...post, body: { t: 'again' } }, 'known')).toMatchObject({ gone: true })
  await provesHarmless(world)
})

test('[ATT-33] a clock two minutes ahead, and at the end of time', async () => {
  await eveSends({ at: Date.now() + 121_000 }, 'clock')
  await eveSends({ at: Number.MAX_SAFE_INTEGER }, 'clock')
  await provesHarmless(world)
})

test('[ATT-33] a clock of 1970: the relay’s order and time count', async () => {
  const verdict = await eveSends({ at: 0 }, 'accepted')
  expect(verdict.kind === 'accepted' && Math.abs(verdict.at - Date.now())).toBeLessThan(60_000)
  await provesHarmless(world)
})

test.each([
  ['edit', { t: 'other' }],
  ['react', '👍'],
  ['unreact', '👍'],
] as const)('[ATT-34] %s of nothing', async (op, body) => {
  await eveSends({ op, ref: newEntryId(), body }, 'notarget')
  await provesHarmless(world)
})

test.each([
  ['edit', { t: 'other' }],
  ['react', '👍'],
] as const)('[ATT-34] %s of a post of another channel', async (op, body) => {
  await eveSends({ op, ref: posts.sideEve, body }, 'notarget')
  await provesHarmless(world)
})

test('[ATT-34] a redact of a post of another channel leaves that post alone', async () => {
  await eveSends({ op: 'redact', ref: posts.sideEve, body: 0 }, 'accepted')
  await eveSends({ op: 'redact', ref: posts.sideAnn, body: 0 }, 'accepted')
  const link = await world.link(world.eve)
  const { verdicts } = await link.append(side.channel, [
    signEntry(world.eve.device, side, entryText(world.eve, { id: posts.sideEve })),
  ])
  expect(verdicts).toMatchObject([{ kind: 'known', gone: false }])
  await link.end()
  await provesHarmless(world)
})

test('[ATT-34] a redact by a stranger before its target came does not stop the target', async () => {
  const id = newEntryId()
  await eveSends({ op: 'redact', ref: id, body: 0 }, 'accepted')
  await world.write({ id, body: { t: 'it comes all the same' } })
  await provesHarmless(world)
})

test.each([
  ['edit', { t: 'other' }],
  ['react', '👍'],
] as const)('[ATT-35] %s of a post that was deleted', async (op, body) => {
  const ref = newEntryId()
  const verdict = await eveSends({ id: ref }, 'accepted')
  await eveSends({ op: 'redact', ref, body: 0 }, 'accepted')
  if (verdict.kind === 'accepted') world.standing.delete(verdict.seq)
  await eveSends({ op, ref, body }, 'target')
  await provesHarmless(world)
})

test.each([
  ['edit', { t: 'other' }],
  ['react', '👍'],
  ['redact', 0],
] as const)('[ATT-35] %s of an op', async (op, body) => {
  const reaction = newEntryId()
  await eveSends({ id: reaction, op: 'react', ref: posts.eve, body: '🙂' }, 'accepted')
  await eveSends({ op, ref: reaction, body }, 'target')
  await provesHarmless(world)
})

test('[ATT-36] an edit of another’s post', async () => {
  await eveSends({ op: 'edit', ref: posts.ann, body: { t: 'ann said this' } }, 'forbidden')
  await provesHarmless(world)
})

test('[ATT-36] an edit of another’s post, even by who manages', async () => {
  const { ann, place, writer } = world
  const edit = signEntry(ann.device, place, entryText(ann, { op: 'edit', ref: posts.eve, body: { t: 'eve said this' } }))
  expect(await writer.verdict(place.channel, edit)).toMatchObject({ kind: 'refused', code: 'forbidden' })
  await provesHarmless(world)
})

test.each(['redact', 'pin', 'unpin'])('[ATT-36] %s of another’s post without the right', async (op) => {
  await eveSends({ op, ref: posts.ann, body: 0 }, 'forbidden')
  await provesHarmless(world)
})

test('[ATT-37] an entry into a channel that there is not', async () => {
  const nowhere = { ...world.place, channel: idFromBytes<'channel'>(someBytes(16)) }
  await eveSends({}, 'nochannel', nowhere)
  await provesHarmless(world)
})

test('[ATT-37] an entry into a community that one never was in: as if there were none', async () => {
  await eveSends({}, 'nochannel', foreign)
  await eveSends({ op: 'edit', ref: newEntryId(), body: {} }, 'nochannel', foreign)
  await provesHarmless(world)
})

test('[ATT-37] an entry of somebody who was removed, also one signed before', async () => {
  const { ann, out, place } = world
  await joinByHand(world, out)
  const [first, second] = [signEntry(out.device, place, entryText(out)), signEntry(out.device, place, entryText(out))]
  await sends(out, first, 'accepted')
  const link = await world.link(out)
  await world.command(ann, place.space, { act: 'member.remove', args: { account: out.account }, was: 0 })
  await link.heard('left')
  expect(await link.verdict(place.channel, second)).toMatchObject({ kind: 'refused', code: 'notmember' })
  await link.end()
  await sends(out, second, 'notmember')
  await provesHarmless(world)
})

test('[ATT-37] three false entries in one frame close the link, and what was good in it stands once', async () => {
  const { eve, place, ann } = world
  const good = signEntry(eve.device, place, entryText(eve))
  const bad = () => signEntry(ann.device, place, entryText(eve))
  const link = await world.link(eve)
  const answer = link.append(place.channel, [good, bad(), bad(), bad()])
  const { verdicts } = await answer
  const [first] = verdicts
  expect(first?.kind).toBe('accepted')
  if (first?.kind === 'accepted') world.stands(first.seq, good)
  expect((await link.closed).code).toBe(closeCodes.forbidden)
  await sends(eve, good, 'known')
  await provesHarmless(world)
})

test('[ATT-37] one entry sent to two channels', async () => {
  const { eve, place } = world
  const entry = signEntry(eve.device, place, entryText(eve))
  await sends(eve, entry, 'accepted')
  await sends(eve, entry, 'signature', side)
  await sends(eve, concatBytes(entry, new Uint8Array([10])), 'shape')
  await provesHarmless(world)
})
