// Hands one frame to the relay on somebody's link and judges everything that comes of it: the oracle reads the frame for itself and says what must follow.

import { createSqlitePrivateStore } from '#relay/store/sqlite-private-store.ts'
import { toBase64Url } from '#shared/base/bytes.ts'
import type { AccountId } from '#shared/base/ids.ts'
import { closeCodes } from '#shared/protocol/frames.ts'
import type { Verdict } from '#shared/protocol/records.ts'
import { controlsOf, type FuzzLink, sodium } from './fuzz-world.ts'
import { expectCommand, judgeCommand, takeCommand } from './oracle-command.ts'
import { type Expected, type JudgedEntry, type Judgement, judgeEntry, type OracleAuthor } from './oracle-entry.ts'
import { type ControlFields, type JudgedFrame, judgeFrame, judgePrivate } from './oracle-frame.ts'
import { asId, followChannels, isMember, linkOf, lookAtLinks, membersNow, type Name, type Round, wasMember } from './round.ts'

const severe: ReadonlySet<string> = new Set(['shape', 'session', 'signature'])

/** @param how of each entry where the frame is an append, else of the frame. @returns the link it went over */
export async function deliver(
  round: Round,
  name: Name,
  kind: string,
  bytes: Uint8Array,
  how: readonly (readonly string[])[],
): Promise<void> {
  const held = await linkOf(round, name)
  const before = membersNow(round)
  const judged = judgeFrame(bytes)
  round.sent.push(`${name} ${kind} [${how.join(' | ')}] ${toBase64Url(bytes)}`)
  held.link.handle.receive(bytes)
  await round.world.relay.hub.idle()
  const outcomes = await judge(round, name, held, judged)
  for (const [i, outcome] of outcomes.entries()) round.tally.count(kind, how[i] ?? how[0] ?? [], outcome)
  await lookAtLinks(round, before, [held.link])
}

async function judge(round: Round, name: Name, held: { link: FuzzLink; severe: number }, judged: JudgedFrame): Promise<string[]> {
  switch (judged.kind) {
    case 'malformed':
      mustClose(held.link, closeCodes.malformed)
      return ['malformed']
    case 'append':
      return judgeAppend(round, name, held, judged)
    case 'stock':
      return [await judgeStock(round, name, held.link, judged)]
    case 'control':
      return [await judgeControl(round, name, held, judged.message)]
  }
}

export function authorIn(round: Round, name: Name, space: string): OracleAuthor {
  const { account: by, dev } = round.people[name]
  return { by, dev, member: isMember(round, space, by), manage: round.community.spaces.get(space)?.owner === by }
}

/** libsodium's wasm over bytes that are put together here. */
export function isEntrySigned(round: Round, name: Name, space: string, channel: string): (entry: JudgedEntry) => boolean {
  const key = round.people[name].device.publicKey
  const head = Buffer.concat([
    Buffer.from('dupecord/entry/1\0'),
    Buffer.from(space, 'base64url'),
    Buffer.from(channel, 'base64url'),
  ])
  return ({ sig, text }) => sodium.verify(sig, Buffer.concat([head, Buffer.from(text)]), key)
}

/** A stranger is told what he would be told if there were no such channel. */
export function expectEntry(round: Round, name: Name, channel: string, judgement: Judgement, now: number): Expected {
  const space = round.community.liveChannels.get(channel)
  const model = round.channels.get(channel)
  if (space === undefined || !model || !wasMember(round, space, round.people[name].account))
    return { kind: 'refused', code: judgement.code === 'ok' ? 'nochannel' : judgement.code }
  return model.expect(authorIn(round, name, space), judgement, isEntrySigned(round, name, space, channel), now)
}

function judgeAppend(
  round: Round,
  name: Name,
  held: { link: FuzzLink; severe: number },
  judged: JudgedFrame & { kind: 'append' },
): string[] {
  const { channel, entries, nr } = judged
  const [result, ...more] = controlsOf(held.link, 'result').filter((one) => one.nr === nr)
  if (!result || more.length > 0)
    throw new Error(`an append is answered once, not ${more.length + Number(result !== undefined)} times`)
  if (!isWaitRight(round, result.wait, result.verdicts.length, entries.length)) throw new Error(`wait ${result.wait}`)
  held.severe += judgeVerdicts(round, name, channel, entries.slice(0, result.verdicts.length), result.verdicts)
  if (held.severe >= round.severeMax) mustClose(held.link, closeCodes.forbidden)
  else mustBeOpen(held.link)
  return [...result.verdicts.map(outcomeOf), ...entries.slice(result.verdicts.length).map(() => 'wait')]
}

/** Entries have to wait only where a person's tokens are few, and then the answer says how long. */
export function isWaitRight(round: Round, wait: number, verdicts: number, entries: number): boolean {
  return wait === 0 ? verdicts === entries : round.limited && verdicts < entries && wait <= 60_000
}

/** Verdicts beside what the oracle says, and the model follows. @returns how many no honest device would get */
export function judgeVerdicts(
  round: Round,
  name: Name,
  channel: string,
  entries: readonly Uint8Array[],
  verdicts: readonly Verdict[],
): number {
  if (verdicts.length !== entries.length) throw new Error('every entry has its verdict')
  const space = round.community.liveChannels.get(channel)
  const model = round.channels.get(channel)
  const now = round.world.clock.time
  entries.forEach((bytes, i) => {
    const judgement = judgeEntry(bytes)
    const author = authorIn(round, name, space ?? '')
    const expected = expectEntry(round, name, channel, judgement, now)
    const verdict = verdicts[i]
    compareVerdict(verdict, expected, now, bytes)
    if (verdict?.kind === 'accepted' && judgement.code === 'ok' && model) model.take(author, judgement.entry, bytes, now)
    noteEntry(round, channel, judgement, bytes)
  })
  return verdicts.filter((verdict) => verdict.kind === 'refused' && verdict.severe).length
}

export function outcomeOf(verdict: Verdict): string {
  return verdict.kind === 'refused' ? verdict.code : verdict.kind
}

export function compareVerdict(verdict: Verdict | undefined, expected: Expected, now: number, bytes: Uint8Array): void {
  const said = JSON.stringify(verdict)
  const wrong = () =>
    new Error(
      `the relay says ${said}, the oracle ${JSON.stringify(expected)}, of ${Buffer.from(bytes).toString('utf8').slice(0, 900)}`,
    )
  if (verdict?.kind !== expected.kind) throw wrong()
  if (verdict.kind === 'accepted' && expected.kind === 'accepted') {
    if (verdict.id !== expected.id || verdict.seq !== expected.seq || verdict.at !== now) throw wrong()
  } else if (verdict.kind === 'known' && expected.kind === 'known') {
    if (verdict.id !== expected.id || verdict.seq !== expected.seq || verdict.gone !== expected.gone) throw wrong()
  } else if (verdict.kind === 'refused' && expected.kind === 'refused') {
    if (verdict.code !== expected.code || verdict.severe !== severe.has(expected.code)) throw wrong()
  }
}

/** Keeps ids and bytes for later cases. */
export function noteEntry(round: Round, channel: string, judgement: Judgement, bytes: Uint8Array): void {
  if (judgement.code !== 'ok') return
  const ids = round.ids.get(channel) ?? []
  round.ids.set(channel, ids)
  const { id, op, ref } = judgement.entry
  ids.push(id)
  // What was redacted before it came is to come.
  if (op === 'redact' && ref !== 0 && !round.channels.get(channel)?.accepted.has(ref)) ids.push(ref)
  if (ids.length > 200) ids.splice(0, 100)
  round.earlierEntry = new Uint8Array(bytes)
}

async function judgeControl(
  round: Round,
  name: Name,
  held: { link: FuzzLink; severe: number },
  message: ControlFields,
): Promise<string> {
  const { link } = held
  if (message.t === 'hello') {
    mustClose(link, closeCodes.malformed)
    return 'second hello'
  }
  if (message.t === 'command') return judgeCommanded(round, name, held, message)
  mustBeOpen(link)
  const answers = link.frames.flatMap((frame) => (frame.kind === 'control' ? [frame.message.t] : frame.kind))
  const expected = await expectAnswers(round, name, message)
  if (!expected.includes(answers.join()))
    throw new Error(`${JSON.stringify(message)} is answered by ${answers.join()}, not by ${expected.join(' or ')}`)
  return answers[0] ?? 'nothing'
}

/** The answers to a question, as kinds of frames in their order; more than one way where the oracle does not look further. */
async function expectAnswers(round: Round, name: Name, message: ControlFields): Promise<string[]> {
  const { account } = round.people[name]
  const given = (field: string) => String(message[field] ?? '')
  const pages = (first: string, then: string) =>
    [1, 2, 3, 4, 5, 6].map((n) => [...Array.from({ length: n }, () => first), then].join())
  switch (message.t) {
    case 'open': {
      const segment = await round.world.relay.channels.segment(asId(given('seg')))
      const space = segment && round.community.liveChannels.get(segment.channel)
      if (!segment || !space || !isMember(round, space, account)) return ['stale']
      const n = Number(message.n)
      if (message.view !== 0 || n > segment.next) return ['stale']
      return n === 0 ? ['opened,update'] : ['opened,update', 'stale']
    }
    case 'segments': {
      const space = round.community.liveChannels.get(given('channel'))
      return [space && isMember(round, space, account) ? 'segments' : 'gone']
    }
    case 'chain':
      return isMember(round, given('space'), account) ? pages('record', 'members') : ['left']
    case 'keys':
      return ['keys', 'keys,keys', 'keys,keys,keys', 'keys,keys,keys,keys,keys,keys,keys,keys']
    default:
      return ['']
  }
}

function judgeCommanded(round: Round, name: Name, held: { link: FuzzLink; severe: number }, message: ControlFields): string {
  const { world, community, people } = round
  const { account: by, dev, device } = people[name]
  const given = (field: string) => String(message[field])
  const [space, text, sig] = [given('space'), given('text'), given('sig')]
  const judged = judgeCommand(text, sig)
  if (judged.code !== 'ok' && judged.id === '') {
    mustClose(held.link, closeCodes.malformed)
    return 'unreadable'
  }
  const id = judged.code === 'ok' ? judged.command.id : judged.id
  const [done, ...more] = controlsOf(held.link, 'done').filter((one) => one.id === id)
  if (!done || more.length > 0 || done.space !== space)
    throw new Error(`a command is answered once: ${JSON.stringify([done, ...more])}`)
  const code = 'code' in done ? done.code : ''
  const isSigned = () =>
    sodium.verify(
      Buffer.from(sig, 'base64url'),
      Buffer.concat([Buffer.from('dupecord/command/1\0'), Buffer.from(space, 'base64url'), Buffer.from(text.toWellFormed())]),
      device.publicKey,
    )
  const expected =
    judged.code === 'ok'
      ? expectCommand(community, { by, dev }, space, judged.command, given('secret'), world.clock.time, isSigned)
      : { codes: [judged.code], n: 0 }
  const codes = expected.codes.map((one) => (one === 'known' ? '' : one))
  const isRight = codes.includes(code) && (!('n' in done) || done.n === expected.n)
  if (!isRight)
    throw new Error(`the relay says ${JSON.stringify(done)}, the oracle ${JSON.stringify(expected)}, of ${text.slice(0, 900)}`)
  if (code === '' && !expected.codes.includes('known') && judged.code === 'ok') {
    takeCommand(community, space, judged.command, expected.n)
    followChannels(round)
  }
  if (severe.has(code) && ++held.severe >= round.severeMax) mustClose(held.link, closeCodes.forbidden)
  else mustBeOpen(held.link)
  return code === '' ? (expected.codes.includes('known') ? 'known' : 'done') : code
}

async function judgeStock(
  round: Round,
  name: Name,
  link: FuzzLink,
  { stream, bytes }: JudgedFrame & { kind: 'stock' },
): Promise<string> {
  const judged = stream === 1 ? judgePrivate(bytes) : 'malformed'
  if (judged === 'malformed') {
    mustClose(link, closeCodes.malformed)
    return 'malformed'
  }
  const answers = link.frames.filter((frame) => frame.kind === 'stock').length
  if (judged === 'ignored') {
    mustBeOpen(link)
    if (answers > 0) throw new Error('what is skipped is not answered')
    return 'skipped'
  }
  const blobs = await createSqlitePrivateStore(round.world.relay.database).blobs(asId<AccountId>(round.people[name].account))
  const held = blobs.reduce((sum, blob) => sum + blob.bytes.length, 0)
  if (held > round.privateMax) throw new Error(`a private document of ${held} bytes is over its limit`)
  if (link.closedWith !== 0) {
    const isFull = held + judged.payload.length > round.privateMax
    // Asking again and again without answering, or sending pieces without end, is cut off too.
    if (link.closedWith !== closeCodes.busy && !(link.closedWith === closeCodes.tooLarge && isFull)) mustBeOpen(link)
    return `closed ${link.closedWith}`
  }
  if (judged.step === 0) return answers >= 2 ? 'ok' : fail('a step 1 is answered by the whole and by a step 1')
  const isNothing = judged.payload.length === 2 && judged.payload.every((byte) => byte === 0)
  const kept = blobs.some((blob) => Buffer.from(blob.bytes).equals(judged.payload))
  if (!isNothing && !kept) throw new Error('what was taken is kept as it came')
  return kept ? 'ok' : 'nothing new'
}

export function mustClose(link: FuzzLink, code: number): void {
  if (link.closedWith !== code)
    throw new Error(
      `the link must be closed with ${code}, and is ${link.closedWith === 0 ? 'open' : `closed with ${link.closedWith}`}`,
    )
}

export function mustBeOpen(link: FuzzLink): void {
  if (link.closedWith !== 0) throw new Error(`the link must stay open, and is closed with ${link.closedWith}`)
}

function fail(what: string): never {
  throw new Error(what)
}
