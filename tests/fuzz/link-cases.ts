// Cases that travel over links: appends, commands, questions, private messages, all at once, and whoever never said hello.
import type { EntryId } from '#shared/base/ids.ts'
import type { Prng } from '#shared/base/prng.ts'
import { closeCodes } from '#shared/protocol/frames.ts'
import type { Verdict } from '#shared/protocol/records.ts'
import {
  authorIn,
  compareVerdict,
  deliver,
  expectEntry,
  isWaitRight,
  mustBeOpen,
  mustClose,
  noteEntry,
  outcomeOf,
} from './deliver.ts'
import { drawCommand } from './draw-commands.ts'
import { type DrawnEntry, drawEntry } from './draw-entries.ts'
import { drawControl, drawControlFrame, drawStockMessage, type QuestionScene, seal, sealPlain } from './draw-frames.ts'
import { controlsOf, type FuzzLink } from './fuzz-world.ts'
import { type Expected, type Judgement, judgeEntry } from './oracle-entry.ts'
import { judgeFrame } from './oracle-frame.ts'
import { asId, linkOf, lookAtLinks, membersNow, type Name, names, type Round } from './round.ts'

export const writers: readonly Name[] = ['owner', 'owner', 'owner', 'ann', 'ann', 'ann', 'bob', 'bob', 'former', 'outsider']

export async function appendCase(round: Round, random: Prng): Promise<void> {
  const name = random.pick(writers)
  const channel = drawChannel(round, random)
  const entries = drawEntries(round, random, name, channel, random.pick([1, 1, 1, 2, 3, 8]))
  const frame = seal(
    random,
    channel,
    entries.map(({ bytes }) => bytes),
    round.earlierEntry,
    ++round.nr,
  )
  await deliver(
    round,
    name,
    frame.how.length > 0 ? 'append spoiled' : 'entry',
    frame.bytes,
    frame.how.length > 0 ? [frame.how] : entries.map(({ how }) => how),
  )
}

export function drawChannel(round: Round, random: Prng): string {
  const texts = [...round.community.liveChannels].filter(
    ([channel, space]) => space === round.places.arena && round.channels.has(channel),
  )
  if (random.chance(0.5)) return round.places.general
  if (texts.length > 0 && random.chance(0.85)) return random.pick(texts.slice(0, 3))[0]
  return random.pick([...round.channels.keys(), ...round.pool])
}

export function drawEntries(round: Round, random: Prng, name: Name, channel: string, count: number): DrawnEntry[] {
  const other: Name = random.pick(writers)
  const scene = {
    author: round.people[name],
    other: round.people[other],
    space: round.community.liveChannels.get(channel) ?? round.places.home,
    channel,
    model: round.channels.get(channel),
    ids: round.ids.get(channel) ?? [],
    pool: round.pool,
    now: round.world.clock.time,
    earlier: round.earlierEntry,
  }
  return Array.from({ length: count }, () => drawEntry(scene, random))
}

export async function commandCase(round: Round, random: Prng): Promise<void> {
  const { home, arena, elsewhere } = round.places
  const space = random.pick([
    arena,
    arena,
    arena,
    arena,
    home,
    elsewhere,
    elsewhere,
    random.pick([...round.community.spaces.keys()]),
    random.pick(round.pool),
  ])
  // Mostly whoever may: else every command would end at that.
  const owner = names.find((one) => round.people[one].account === round.community.spaces.get(space)?.owner)
  const name: Name =
    owner && owner !== 'honest' && random.chance(0.7) ? owner : random.pick(['owner', 'ann', 'bob', 'former', 'outsider'])
  const drawn = drawCommand(
    {
      author: round.people[name],
      other: round.people[random.pick(writers)],
      space,
      model: round.community.spaces.get(space),
      codes: round.codes,
      pool: round.pool,
      now: round.world.clock.time,
      earlier: round.earlierCommand,
    },
    random,
  )
  round.earlierCommand = drawn
  const { text, sig, secret, how } = drawn
  const frame = drawControlFrame('command', { t: 'command', space, text, sig, secret }, random, round.pool, 0.1)
  await deliver(round, name, 'command', frame.bytes, [[...how, ...frame.how]])
}

export async function questionCase(round: Round, random: Prng): Promise<void> {
  const frame = drawControl(questions(round, 'x'.repeat(43)), random)
  await deliver(round, random.pick(writers), frame.kind, frame.bytes, [frame.how])
}

function questions(round: Round, token: string): QuestionScene {
  const { community, people, pool, channels, honest } = round
  const devs = Object.values(people).map(({ dev }) => dev)
  return {
    pool,
    segments: [...honest.documents.keys()],
    channels: [...channels.keys()],
    spaces: [...community.spaces.keys()],
    devs,
    token,
  }
}

export async function privateCase(round: Round, random: Prng): Promise<void> {
  const frame = drawStockMessage(random)
  await deliver(round, random.pick(['ann', 'bob', 'former', 'outsider']), 'private', frame.bytes, [frame.how])
}

/** Somebody who never said hello: the first frame is one, or the link ends. */
export async function strangerCase(round: Round, random: Prng): Promise<void> {
  const before = membersNow(round)
  const { guest, former } = round.people
  const token = random.pick([guest.token, former.token, 'x'.repeat(43), '', 'AAAA'])
  const hello = {
    t: 'hello',
    v: random.chance(0.9) ? 1 : random.pick([0, 2, 2 ** 53 - 1]),
    token,
    incarnation: '',
    mark: random.pick(['', 'a.9.b', '.', 'x'.repeat(200)]),
  }
  const drawn = random.chance(0.6)
    ? drawControlFrame('stranger', hello, random, round.pool, 0.5)
    : random.pick([
        () => drawControl(questions(round, token), random),
        () => drawStockMessage(random),
        () =>
          seal(
            random,
            round.places.general,
            drawEntries(round, random, 'ann', round.places.general, 1).map(({ bytes }) => bytes),
            round.earlierEntry,
            1,
          ),
      ])()
  round.sent.push(`stranger [${drawn.how}] ${Buffer.from(drawn.bytes).toString('base64url')}`)
  const link = round.world.connect()
  const older = round.links.get('former')
  link.handle.receive(drawn.bytes)
  await round.world.relay.hub.idle()
  const judged = judgeFrame(drawn.bytes)
  const isHello = judged.kind === 'control' && judged.message.t === 'hello'
  const outcome = isHello ? judgeHello(judged.message, link) : refuseOther()
  if (outcome === 'welcome') {
    if (older) mustClose(older.link, closeCodes.replaced)
    round.links.set('former', { link, severe: 0 })
  } else if (link.frames.length > 0) throw new Error('who is not greeted is told something')
  round.tally.count('stranger', drawn.how, outcome)
  await lookAtLinks(round, before, [link, ...(older ? [older.link] : [])])

  function refuseOther(): string {
    mustClose(link, closeCodes.malformed)
    return 'no hello'
  }

  function judgeHello(message: { [field: string]: unknown }, wire: FuzzLink): string {
    if (message.v !== 1) mustClose(wire, closeCodes.version)
    else if (message.token === guest.token) mustClose(wire, closeCodes.forbidden)
    else if (message.token !== former.token) mustClose(wire, closeCodes.unauthorized)
    else {
      mustBeOpen(wire)
      if (controlsOf(wire, 'welcome').length !== 1) throw new Error('who is right is welcomed')
      return 'welcome'
    }
    return `closed ${wire.closedWith}`
  }
}

interface Sent {
  name: Name
  nr: number
  entries: DrawnEntry[]
}

/** Several people at once, into one turn. In which order they came is the relay's to say; the numbers tell it. */
export async function crowdCase(round: Round, random: Prng): Promise<void> {
  const before = membersNow(round)
  const channel = random.chance(0.7) ? round.places.general : drawChannel(round, random)
  const space = round.community.liveChannels.get(channel)
  const model = round.channels.get(channel)
  if (space === undefined || !model) return
  const crowd: Sent[] = []
  for (const name of ['owner', 'ann', 'bob', 'outsider'] as const) {
    const { link } = await linkOf(round, name)
    for (let frames = 0; frames <= random.below(3) && link.closedWith === 0; frames++) {
      const entries = drawEntries(round, random, name, channel, 1 + random.below(6))
      // More than a frame may hold ends the link before anything of it is looked at.
      const isFrame = entries.reduce((sum, { bytes }) => sum + bytes.length, 0) < 100_000
      if (isFrame) crowd.push({ name, nr: ++round.nr, entries })
    }
  }
  for (const { name, nr, entries } of crowd) {
    const frame = sealPlain(
      channel,
      entries.map(({ bytes }) => bytes),
      nr,
    )
    round.sent.push(`${name} crowd ${Buffer.from(frame).toString('base64url')}`)
    round.links.get(name)?.link.handle.receive(frame)
  }
  await round.world.relay.hub.idle()
  await judgeCrowd(round, channel, space, crowd)
  await lookAtLinks(
    round,
    before,
    crowd.flatMap(({ name }) => round.links.get(name)?.link ?? []),
  )
}

async function judgeCrowd(round: Round, channel: string, space: string, crowd: readonly Sent[]): Promise<void> {
  const model = round.channels.get(channel)
  if (!model) return
  const now = round.world.clock.time
  const taken = new Set<string>()
  const told: { name: Name; entry: DrawnEntry; verdict: Verdict; judged: Judgement; early: Expected }[] = []
  const expect = (name: Name, judged: Judgement) => expectEntry(round, name, channel, judged, now)
  for (const { name, nr, entries } of crowd) {
    const held = round.links.get(name)
    const result = held && controlsOf(held.link, 'result').find((one) => one.nr === nr)
    // A link that was cut off at its third severe refusal is not answered any more; the rest of its turn is done all the same.
    const isCut = !result && held?.link.closedWith === closeCodes.forbidden
    const verdicts = isCut ? await storedVerdicts(round, channel, name, entries, taken) : (result?.verdicts ?? [])
    if (!isCut && !isWaitRight(round, result?.wait ?? 0, verdicts.length, entries.length))
      throw new Error(`every entry of a crowd has its verdict: ${held?.link.closedWith}`)
    verdicts.forEach((verdict, i) => {
      const entry = entries[i]
      if (!entry || !held || !verdict) return
      const judged = judgeEntry(entry.bytes)
      if (verdict.kind === 'accepted') taken.add(verdict.id)
      told.push({ name, entry, verdict, judged, early: expect(name, judged) })
      if (verdict.kind === 'refused' && verdict.severe) held.severe++
    })
    if (held && held.severe >= round.severeMax) mustClose(held.link, closeCodes.forbidden)
  }
  const accepted = told.filter(({ verdict }) => verdict.kind === 'accepted')
  accepted.sort((a, b) => (a.verdict.kind === 'accepted' && b.verdict.kind === 'accepted' ? a.verdict.seq - b.verdict.seq : 0))
  for (const { name, entry, verdict, judged } of accepted) {
    compareVerdict(verdict, expect(name, judged), now, entry.bytes)
    if (judged.code === 'ok') model.take(authorIn(round, name, space), judged.entry, entry.bytes, now)
    noteEntry(round, channel, judged, entry.bytes)
  }
  for (const { name, entry, verdict, judged, early } of told) {
    round.tally.count('crowd', entry.how, outcomeOf(verdict))
    if (verdict.kind === 'accepted') continue
    const late = expect(name, judged)
    const said = outcomeOf(verdict)
    const outcomes = [early, late].map((one) => (one.kind === 'refused' ? one.code : one.kind))
    // What depends on who was first may be anything that depends on it; all else is the same first and last.
    const depends = ['known', 'duplicate', 'target', 'notarget', 'forbidden', 'accepted']
    const isRight = outcomes.includes(said) || (depends.includes(said) && outcomes.some((one) => depends.includes(one)))
    if (!isRight)
      throw new Error(
        `the relay says ${said}, the oracle ${outcomes.join(' or ')}, of ${Buffer.from(entry.bytes).toString('utf8').slice(0, 900)}`,
      )
  }
}

/** What became of entries whose answer nobody got: those that are stored now and were not before. */
async function storedVerdicts(
  round: Round,
  channel: string,
  name: Name,
  entries: readonly DrawnEntry[],
  taken: Set<string>,
): Promise<(Verdict | undefined)[]> {
  const judged = entries.map(({ bytes }) => judgeEntry(bytes))
  const ids = judged.flatMap((one) => (one.code === 'ok' ? [asId<EntryId>(one.entry.id)] : []))
  const facts = await round.world.relay.channels.facts(asId(channel), ids, [])
  return judged.map((one) => {
    const record = one.code === 'ok' ? facts?.entries.find(({ id }) => id === one.entry.id) : undefined
    const isNew =
      record?.kind === 'accepted' &&
      record.by === round.people[name].account &&
      !round.channels.get(channel)?.accepted.has(record.id)
    if (!isNew || taken.has(record.id)) return undefined
    taken.add(record.id)
    return { kind: 'accepted', id: record.id, seq: record.seq, at: round.world.clock.time }
  })
}
