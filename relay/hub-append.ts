// A turn of appends: all that came together is decided channel by channel, committed in one transaction, and only then told:
// new segments first, then one update for each segment to everyone who has it open, then a result to each sender.
import { assert } from '#shared/base/assert.ts'
import type { ChannelId, EntryId, SpaceId } from '#shared/base/ids.ts'
import { type DecisionPorts, decideChannel } from '#shared/log/decision.ts'
import type { ReceivedEntry } from '#shared/log/entry-codec.ts'
import type { Author, ChannelBatch, Decision, Submission } from '#shared/log/facts.ts'
import { encodeDown } from '#shared/protocol/frame-codec.ts'
import { closeCodes } from '#shared/protocol/frames.ts'
import type { Verdict } from '#shared/protocol/records.ts'
import { writeMark } from './channel/mark.ts'
import type { TokenBuckets } from './channel/token-bucket.ts'
import { countVerdicts, observe } from './hub-counters.ts'
import type { HubParts } from './hub-hello.ts'
import type { SentAppend } from './hub-inbox.ts'
import type { Link } from './hub-links.ts'
import { onlyRedacts, unlessFull } from './hub-room.ts'

/** An append with its entries read. */
export interface Append extends SentAppend {
  entries: readonly ReceivedEntry[]
}

interface Decided {
  channel: ChannelId
  decision: Decision
}

/** The answer to one append, as it is sent. */
interface Answer {
  append: Append
  verdicts: Verdict[]
  wait: number
  /** Tokens that were taken for it. */
  spent: number
}

export interface EntryBuckets {
  people: TokenBuckets<string>
  channels: TokenBuckets<string>
}

/** When the wait is over, this many entries can go at once: fewer round trips for a long flush. */
const waitForEntries = 10

/** A turn that is decided and handed to the store. */
export interface Untold {
  /** Resolves when it is on the disk. */
  durable: Promise<void>
  /** What everybody hears of it, then and not before. */
  tell(): Promise<void>
  /** The store had no room for it: nothing of it is there, and memory was not touched: it is as if none of it had come. */
  takeBack(): void
}

/** Decides and commits. The next turn of appends may be decided while the disk still works on this one; nothing else may. */
export async function runAppends(hub: HubParts, buckets: EntryBuckets, taken: readonly Append[]): Promise<Untold> {
  const { ports, memory } = hub
  await memory.meta()
  const now = memory.now()
  // A link may have ended since its turn was taken: what its device does not hear of, it sends again.
  const open = taken.filter(({ link }) => !link.closed)
  const appends = hub.room.full ? open.filter(({ entries }) => onlyRedacts(entries)) : open
  if (appends.length < open.length)
    sayNoRoom(
      hub,
      open.filter((append) => !appends.includes(append)),
    )
  const answers: Answer[] = []
  const decided: Decided[] = []
  for (const [channel, ofChannel] of groupByChannel(appends)) {
    const decision = await decide(hub, buckets, channel, ofChannel, now, answers)
    if (decision) decided.push({ channel, decision })
  }
  const batches = decided.map(({ decision }) => decision.batch).filter((batch) => batch !== undefined)
  const durable = batches.length > 0 ? ports.log.commit(batches, now) : Promise.resolve()
  memory.reached(now)
  return {
    durable,
    async tell() {
      if (batches.length > 0) memory.committed(now)
      await tellAll(hub, decided, inOrderOf(appends, answers))
      for (const batch of batches) await compact(hub, batch)
    },
    takeBack() {
      for (const { append, spent } of answers) takeTokens(hub, buckets, append, -spent)
      sayNoRoom(hub, appends)
    },
  }
}

async function tellAll(hub: HubParts, decided: readonly Decided[], answers: readonly Answer[]): Promise<void> {
  const { ports, links, memory, counters } = hub
  for (const { channel, decision } of decided) await tellUpdates(hub, channel, decision)
  // Who has something accepted knows from then on how far the relay was: should it ever be set back, this device tells it.
  const isNew = decided.some(({ decision }) => decision.batch !== undefined)
  const mark = isNew && memory.knownMeta ? writeMark(ports.mac, ports.markKey, memory.knownMeta) : undefined
  for (const { append, verdicts, wait } of answers) {
    links.send(append.link, { t: 'result', nr: append.frame.nr, verdicts, wait, mark })
    if (wait > 0) counters.waits++
    countVerdicts(counters, verdicts)
    countSevere(hub, append.link, verdicts)
  }
  observe(
    counters.turnEntries,
    answers.reduce((sum, { spent }) => sum + spent, 0),
  )
}

/** Nothing of these is processed: they come again after a while. */
function sayNoRoom({ links, ports, counters }: HubParts, appends: readonly Append[]): void {
  for (const { link, frame } of appends) {
    counters.noRoom++
    links.send(link, { t: 'result', nr: frame.nr, verdicts: [], wait: ports.settings.roomWaitMs, why: 'disk_full' })
  }
}

/** @param count negative: given back */
function takeTokens({ ports }: HubParts, { people, channels }: EntryBuckets, { link, frame }: Append, count: number): void {
  const now = ports.clock.now()
  if (link.session) people.take(link.session.account, count, now)
  channels.take(frame.channel, count, now)
}

async function decide(
  hub: HubParts,
  buckets: EntryBuckets,
  channel: ChannelId,
  sent: readonly Append[],
  now: number,
  answers: Answer[],
): Promise<Decision | undefined> {
  const { ports } = hub
  const concerned = idsOf(sent)
  const facts = await ports.log.facts(channel, concerned.ids, concerned.redacts)
  const appends: Append[] = []
  for (const append of sent) {
    if (facts && (await knows(hub, append.link, facts.channel.space))) appends.push(append)
    else answers.push(answerUnplaced(hub, buckets, append))
  }
  if (!facts || appends.length === 0) return undefined
  // The plain clock: the relay's time may stand still for a while, and a wait that was announced must then be over all the same.
  const tokenTime = ports.clock.now()
  const submissions: Submission[] = []
  const authors = new Map<Link, Author>()
  for (const append of appends) {
    const { link, entries } = append
    const author = authors.get(link) ?? (await authorOf(hub, link, facts.channel.space, channel))
    authors.set(link, author)
    const left = [buckets.people.left(author.by, tokenTime), buckets.channels.left(channel, tokenTime)]
    const allowed = Math.min(...left, entries.length)
    // Reserved until the decision says what was used: another append of the same person may be in this turn.
    takeTokens(hub, buckets, append, allowed)
    const rest = Math.min(waitForEntries, entries.length - allowed)
    const waits = () => [buckets.people.waitMs(author.by, rest, tokenTime), buckets.channels.waitMs(channel, rest, tokenTime)]
    submissions.push({ author, entries, allowed, waitMs: rest === 0 ? 0 : Math.max(...waits()) })
  }
  const portsOfDecision: DecisionPorts = { verifier: ports.verifier, random: ports.random, limits: ports.settings }
  const decision = decideChannel({ ...facts, now }, submissions, portsOfDecision)
  appends.forEach((append, i) => {
    const [submission, answer] = [submissions[i], decision.answers[i]]
    if (!submission || !answer) return
    takeTokens(hub, buckets, append, answer.spent - submission.allowed)
    append.link.sentAgain = answer.spent < answer.verdicts.length
    const isMember = append.link.spaces.has(facts.channel.space)
    const verdicts = isMember ? answer.verdicts : answer.verdicts.map(sayNotMember)
    answers.push({ append, verdicts, wait: answer.wait?.ms ?? 0, spent: answer.spent })
  })
  return decision
}

/** Looked at and refused: that costs the person's tokens, also beyond what is left, and without any it waits like everything else. */
function answerUnplaced({ ports }: HubParts, { people }: EntryBuckets, append: Append): Answer {
  const account = append.link.session?.account
  assert(account, 'only a greeted link appends')
  const now = ports.clock.now()
  if (people.left(account, now) < 1) return { append, verdicts: [], wait: people.waitMs(account, 1, now), spent: 0 }
  people.take(account, append.entries.length, now)
  return { append, verdicts: append.entries.map(refuseUnplaced), wait: 0, spent: 0 }
}

/** A stranger is told of a channel what he would be told if there were none, and takes no token of it. Who was a member may hear that he is no more. */
async function knows({ ports }: HubParts, { spaces, session }: Link, space: SpaceId): Promise<boolean> {
  return spaces.has(space) || (session !== undefined && (await ports.community.member(space, session.account)) !== undefined)
}

async function authorOf({ memory }: HubParts, link: Link, space: SpaceId, channel: ChannelId): Promise<Author> {
  const { session } = link
  assert(session, 'only a greeted link appends')
  const { may, manage } = await memory.rights(link, space, channel)
  return { by: session.account, dev: session.dev, key: session.key, may, manage }
}

/** What was committed, to everyone who has it open. */
export async function tellUpdates(
  { links, memory, ports, readers, served, counters }: HubParts,
  channel: ChannelId,
  { updates, opened, batch }: Omit<Decision, 'answers'>,
): Promise<void> {
  const space = batch?.channel.space
  if (!space) return
  if (opened.length > 0)
    for (const link of links.inSpace(space))
      if ((await memory.rights(link, space, channel)).view)
        for (const { id, of, client } of opened)
          links.send(link, { t: 'segment', channel, seg: id, of: of === 0 ? '' : of, client })
  for (const { segment, update } of updates) {
    served.drop(segment)
    readers.tell(segment, update)
    const bytes = encodeDown({ kind: 'update', seg: segment, update })
    for (const link of links.subscribers(segment)) {
      const open = link.subscriptions.get(segment)
      if (!open) continue
      if (link.wire.queuedBytes() <= ports.settings.linkQueueBytesMax) links.sendBytes(link, bytes)
      else {
        links.unsubscribe(link, segment)
        counters.stale++
        links.send(link, { t: 'stale', req: open.req })
      }
    }
  }
}

/** Joins rows into the snapshot when they pile up, and once when a segment is full. */
async function compact({ ports, memory, room }: HubParts, { rows, segments }: ChannelBatch): Promise<void> {
  const sealed = new Set(segments.filter((segment) => segment.sealed !== 0).map(({ id }) => id))
  for (const { segment } of rows) {
    const count = (memory.rows.get(segment) ?? (await ports.log.rows(segment)) - 1) + 1
    const isFull = count > ports.settings.segmentRowsMax || (sealed.has(segment) && count > ports.settings.segmentRowsMax / 8)
    // Without room they are joined another time: nothing depends on it.
    if (isFull && !(await unlessFull(room, () => ports.log.compact(segment)))) continue
    memory.rows.set(segment, isFull ? 0 : count)
  }
}

/** No honest device is refused like this; one that goes on is cut off. */
export function countSevere({ links, ports }: HubParts, link: Link, verdicts: readonly Verdict[]): void {
  link.severe += verdicts.filter((verdict) => verdict.kind === 'refused' && verdict.severe).length
  if (link.severe >= ports.settings.severeRefusalsMax) links.close(link, closeCodes.forbidden, 'forbidden')
}

function groupByChannel(appends: readonly Append[]): Map<ChannelId, Append[]> {
  const groups = new Map<ChannelId, Append[]>()
  for (const append of appends) {
    const group = groups.get(append.frame.channel)
    if (group) group.push(append)
    else groups.set(append.frame.channel, [append])
  }
  return groups
}

/** Ids that a decision will ask about. What cannot be read concerns nothing. */
function idsOf(appends: readonly Append[]): { ids: EntryId[]; redacts: EntryId[] } {
  const ids = new Set<EntryId>()
  const redacts: EntryId[] = []
  for (const { entries } of appends)
    for (const { parsed } of entries) {
      if (!parsed.ok) continue
      const { id, ref, op } = parsed.value
      ids.add(id)
      if (ref === 0) continue
      ids.add(ref)
      if (op === 'redact') redacts.push(ref)
    }
  return { ids: [...ids], redacts }
}

/** There is no such channel, or no more, or none for this person. */
function refuseUnplaced({ parsed }: ReceivedEntry): Verdict {
  if (parsed.ok) return { kind: 'refused', id: parsed.value.id, code: 'nochannel', severe: false }
  return { kind: 'refused', id: parsed.id, code: parsed.code, severe: parsed.code === 'shape' }
}

function sayNotMember(verdict: Verdict): Verdict {
  return verdict.kind === 'refused' && verdict.code === 'forbidden' ? { ...verdict, code: 'notmember' } : verdict
}

function inOrderOf(appends: readonly Append[], answers: readonly Answer[]): Answer[] {
  const place = new Map(appends.map((append, i) => [append, i]))
  return [...answers].sort((a, b) => (place.get(a.append) ?? 0) - (place.get(b.append) ?? 0))
}
