// One round: a relay of its own, people in and around three communities, and what the oracle knows of all of it. Here people get their places,
// links are kept open, and what came down them is looked at; what is sent is drawn elsewhere.
import { toBase64Url, utf8 } from '#shared/base/bytes.ts'
import { type Id, idFromBytes, makeTimeId, type SegmentId } from '#shared/base/ids.ts'
import type { Prng } from '#shared/base/prng.ts'
import { encodeUp } from '#shared/protocol/frame-codec.ts'
import type { DrawnCommand } from './draw-commands.ts'
import {
  controlsOf,
  drawSettings,
  type FuzzLink,
  type FuzzWorld,
  openFuzzWorld,
  type Person,
  type Planted,
} from './fuzz-world.ts'
import { createHonest, type Honest } from './honest.ts'
import { type CommunityModel, createCommunityModel, inviteHashOf, judgeCommand, takeCommand } from './oracle-command.ts'
import { type ChannelModel, createChannelModel } from './oracle-entry.ts'
import type { Tally } from './tally.ts'

/** `honest` never sends anything wrong and owns the home; `guest` has a session without a device. */
export const names = ['honest', 'owner', 'ann', 'bob', 'former', 'outsider', 'guest'] as const
export type Name = (typeof names)[number]

export interface Round {
  readonly world: FuzzWorld
  readonly people: { readonly [name in Name]: Person }
  readonly community: CommunityModel
  /** Of channels that there are. */
  readonly channels: Map<string, ChannelModel>
  /** Ids that entries of a channel had or spoke of, oldest first. */
  readonly ids: Map<string, string[]>
  readonly links: Map<Name, { link: FuzzLink; severe: number }>
  readonly honest: Honest
  /** Home: owned by the honest one. Arena: its owner is as hostile as the rest. Elsewhere: the outsider's. */
  readonly places: { home: string; arena: string; elsewhere: string; general: string }
  readonly severeMax: number
  /** People have few tokens in this round: what comes fast has to wait. */
  readonly limited: boolean
  readonly privateMax: number
  readonly tally: Tally
  readonly pool: string[]
  readonly codes: string[]
  earlierEntry: Uint8Array
  earlierCommand: DrawnCommand | undefined
  nr: number
  /** What the case at hand has sent, for a failure's report. */
  sent: string[]
}

export async function openRound(seed: number, random: Prng, tally: Tally, planted: Planted | undefined): Promise<Round> {
  const settings = drawSettings(seed)
  const world = await openFuzzWorld(settings, planted ?? { verifyThreads: seed % 3 === 0 ? 1 : 0 })
  const people: Partial<Record<Name, Person>> = {}
  for (const name of names) people[name] = await world.signUp(name, random, name !== 'guest')
  // reason: the loop above gave every name its person
  const everybody = people as Record<Name, Person>
  const id = () => idFromBytes<'channel'>(random.bytes(16))
  const places = { home: id(), arena: id(), elsewhere: id(), general: id() }
  const round: Round = {
    world,
    people: everybody,
    community: createCommunityModel(),
    channels: new Map(),
    ids: new Map(),
    links: new Map(),
    honest: createHonest(world, everybody.honest),
    places,
    limited: settings.entryBurst !== undefined,
    severeMax: settings.severeRefusalsMax ?? 3,
    privateMax: settings.privateDocumentBytesMax ?? 1_048_576,
    tally,
    pool: [...Object.values(places), ...Object.values(everybody).flatMap(({ account, dev }) => [account, dev])],
    codes: [],
    earlierEntry: new Uint8Array(0),
    earlierCommand: undefined,
    nr: 0,
    sent: [],
  }
  const create = (name: string, channel: string) => ({
    act: 'community.create',
    args: { name, channel, channelName: 'general' },
    was: 0 as const,
  })
  await give(round, random, 'honest', places.home, create('Home', places.general))
  await give(round, random, 'owner', places.arena, create('Arena', id()))
  await give(round, random, 'outsider', places.elsewhere, create('Elsewhere', id()))
  for (const [owner, space] of [
    ['honest', places.home],
    ['owner', places.arena],
  ] as const) {
    await give(round, random, owner, space, {
      act: 'channel.create',
      args: { channel: id(), name: 'voice', kind: 'voice', position: 'a1' },
      was: 0,
    })
    await invite(round, random, owner, 'former', space)
    await give(round, random, owner, space, { act: 'member.remove', args: { account: everybody.former.account }, was: 0 })
  }
  await restorePlaces(round, random)
  return round
}

/** Whoever left or was removed comes back, and the arena has a channel to write in: else a round would soon have nobody in it. */
export async function restorePlaces(round: Round, random: Prng): Promise<void> {
  const { home, arena } = round.places
  for (const [owner, space] of [
    ['honest', home],
    ['owner', arena],
  ] as const) {
    const model = round.community.spaces.get(space)
    for (const name of ['owner', 'ann', 'bob'] as const)
      if (!model?.members.get(round.people[name].account)?.in) await invite(round, random, owner, name, space)
    if (![...(model?.channels.values() ?? [])].some(({ kind }) => kind === 'text')) {
      const args = { channel: idFromBytes(random.bytes(16)), name: `again-${random.below(1e9)}`, kind: 'text', position: 'a2' }
      await give(round, random, owner, space, { act: 'channel.create', args, was: 0 })
    }
  }
  // The relay's time may be a little ahead behind a command; what they were told of it is no case's matter.
  round.world.clock.time += 10
  for (const { link } of round.links.values()) link.frames = []
  await round.honest.take()
}

async function invite(round: Round, random: Prng, owner: Name, guest: Name, space: string): Promise<void> {
  const code = idFromBytes(random.bytes(16))
  round.codes.push(code)
  const hash = inviteHashOf(code)
  await give(round, random, owner, space, { act: 'invite.create', args: { hash, until: 0, uses: 0 }, was: 0 })
  await give(round, random, guest, space, { act: 'member.join', args: { hash }, was: 0 }, code)
}

/** A command that is right: whatever came before, the relay must do it. */
async function give(
  round: Round,
  random: Prng,
  name: Name,
  space: string,
  act: { act: string; args: object; was: string | 0 },
  secret = '',
): Promise<void> {
  const { world, people } = round
  const { account, dev, device } = people[name]
  const id = makeTimeId<'command'>(++world.clock.time, random.bytes(16))
  const text = JSON.stringify([id, account, dev, world.clock.time, act.act, act.args, act.was])
  const message = Buffer.concat([utf8('dupecord/command/1\0'), Buffer.from(space, 'base64url'), utf8(text)])
  const { link } = await linkOf(round, name)
  link.handle.receive(
    encodeUp({
      kind: 'control',
      message: { t: 'command', space: asId(space), text, sig: toBase64Url(device.sign(message)), secret },
    }),
  )
  await world.relay.hub.idle()
  const done = controlsOf(link, 'done').find((one) => one.id === id)
  const judged = judgeCommand(text, 'A'.repeat(86))
  if (!done || !('n' in done) || judged.code !== 'ok')
    throw new Error(`${act.act} of ${name}: ${JSON.stringify(done)} ${link.closedWith}`)
  takeCommand(round.community, space, judged.command, done.n)
  followChannels(round)
}

/** Models of channels come and go with the channels. */
export function followChannels({ community, channels, ids }: Round): void {
  for (const [channel, space] of community.liveChannels) {
    const info = community.spaces.get(space)?.channels.get(channel)
    if (!channels.has(channel)) channels.set(channel, createChannelModel(info?.kind === 'voice' ? 'voice' : 'text'))
  }
  for (const channel of [...channels.keys()])
    if (!community.liveChannels.has(channel)) {
      channels.delete(channel)
      ids.delete(channel)
    }
}

/** The open link of a person; a closed one is made anew. The guest's cannot be greeted and is none. */
export async function linkOf(round: Round, name: Name): Promise<{ link: FuzzLink; severe: number }> {
  const held = name === 'honest' ? round.honest.held : round.links.get(name)
  if (held && held.link.closedWith === 0) return held
  const fresh = { link: await round.world.greet(round.people[name]), severe: 0 }
  const greeted = [...new Set(controlsOf(fresh.link, 'space').map(({ id }) => id))].sort().join()
  const { account } = round.people[name]
  const own = [...round.community.spaces.keys()].filter((space) => isMember(round, space, account))
  if (greeted !== own.sort().join()) throw new Error(`${name} is greeted with ${greeted}, and is a member of ${own}`)
  fresh.link.frames = []
  if (name === 'honest') round.honest.hold(fresh)
  else round.links.set(name, fresh)
  return fresh
}

export function isMember({ community }: Round, space: string, account: string): boolean {
  return community.spaces.get(space)?.members.get(account)?.in ?? false
}

/** Is one, or was one. */
export function wasMember({ community }: Round, space: string, account: string): boolean {
  return community.spaces.get(space)?.members.has(account) ?? false
}

/** A snapshot of who is in what, to judge what reached whom: who was in before or behind the case may have been told. */
export function membersNow({ community }: Round): ReadonlySet<string> {
  return new Set(
    [...community.spaces].flatMap(([space, { members }]) =>
      [...members].filter(([, row]) => row.in).map(([account]) => `${space} ${account}`),
    ),
  )
}

/** Empties all links. @throws where one was told what it may not know, or was closed though the case was another's */
export async function lookAtLinks(round: Round, before: ReadonlySet<string>, mine: readonly FuzzLink[]): Promise<void> {
  const after = membersNow(round)
  const may = (space: string, account: string) => before.has(`${space} ${account}`) || after.has(`${space} ${account}`)
  for (const [name, { link }] of [...round.links]) {
    const { account } = round.people[name]
    for (const frame of link.frames) {
      const space = await spaceOfFrame(round, frame)
      if (space !== '' && !may(space, account))
        throw new Error(`${name} is told of a community that is not his: ${JSON.stringify(frame)}`)
    }
    if (link.closedWith !== 0 && !mine.includes(link))
      throw new Error(`the link of ${name}, who sent nothing, was closed with ${link.closedWith}`)
    link.frames = []
    if (link.closedWith !== 0) round.links.delete(name)
  }
  await round.honest.take()
  const [trouble] = round.world.troubles
  if (trouble !== undefined) throw new Error(trouble)
}

/** The community that a frame speaks of, '' for none. */
async function spaceOfFrame(round: Round, frame: FuzzLink['frames'][number]): Promise<string> {
  if (frame.kind === 'stock') return ''
  if (frame.kind === 'update') return spaceOfSegment(round, frame.seg)
  const { message } = frame
  switch (message.t) {
    case 'record':
    case 'members':
      return message.space
    case 'space':
      return message.id
    case 'segment':
      return spaceOfSegment(round, message.seg)
    case 'segments':
      return round.community.liveChannels.get(message.channel) ?? ''
    default:
      return ''
  }
}

async function spaceOfSegment(round: Round, segment: SegmentId): Promise<string> {
  const found = await round.world.relay.channels.segment(segment)
  return found ? (round.community.liveChannels.get(found.channel) ?? '') : ''
}

/** For ids that the fuzzer drew itself, or took from a frame that was judged. */
export function asId<Kind extends Id>(id: string): Kind {
  // reason: sixteen bytes in base64url, of the kind that its place says
  return id as Kind
}
