// Cases of those who are no device with a link: entries that come by request, and stock y-websocket providers that read a segment.
import * as Y from 'yjs'
import { toBase64Url, utf8 } from '#shared/base/bytes.ts'
import type { Prng } from '#shared/base/prng.ts'
import { elementsOfTape } from '#shared/log/tape.ts'
import { closeCodes } from '#shared/protocol/frames.ts'
import { parseHttpAnswer } from '#shared/protocol/http-answers.ts'
import { isRefusalCode } from '#shared/protocol/refusals.ts'
import { isWaitRight, judgeVerdicts, outcomeOf } from './deliver.ts'
import { drawStockMessage } from './draw-frames.ts'
import { treeOf, writeTree } from './json-tree.ts'
import { drawChannel, drawEntries, writers } from './link-cases.ts'
import { isBase64Url } from './oracle-entry.ts'
import { readUint } from './oracle-frame.ts'
import { asId, isMember, lookAtLinks, membersNow, type Name, type Round } from './round.ts'
import { mutateTree } from './tree-mutations.ts'
import { mutateParts, run, uint, writeParts } from './wire-parts.ts'

const postBytesMax = 2_228_224

/** POST /api/channels/…/entries by a member, a stranger, or nobody. */
export async function postCase(round: Round, random: Prng): Promise<void> {
  const before = membersNow(round)
  const name: Name = random.pick(writers)
  const channel = drawChannel(round, random)
  const home = round.community.liveChannels.get(channel) ?? round.places.home
  const space = random.chance(0.9) ? home : random.pick([...round.community.spaces.keys()])
  const drawn = drawEntries(round, random, name, channel, random.pick([1, 1, 2, 5]))
  // What is no UTF-8 cannot stand in JSON: it comes as the characters that stand for it.
  const texts = drawn.map(({ bytes }) => Buffer.from(bytes).toString('utf8'))
  const how: string[] = []
  let tree = treeOf({ space, entries: texts })
  if (random.chance(0.2)) {
    const mutated = mutateTree(tree, random, round.pool)
    tree = mutated.tree
    how.push(...mutated.how)
  }
  const who = random.pick(['own', 'own', 'own', 'own', 'own', 'own', 'guest', 'nobody'] as const)
  if (who !== 'own') how.push(who)
  const token = who === 'own' ? round.people[name].token : who === 'guest' ? round.people.guest.token : 'x'
  const body = utf8(writeTree(tree))
  const path = `/api/channels/${random.chance(0.97) ? channel : 'x'}/entries`
  round.sent.push(`POST ${path} of ${name} [${how}] ${toBase64Url(body)}`)
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` }
  const { status, text } = await round.world.request(path, body, headers)
  const answer: unknown = JSON.parse(text)
  const said = status === 200 ? parseHttpAnswer('entries', answer) : undefined
  const expected = who === 'nobody' ? 401 : who === 'guest' ? 403 : expectPost(round, name, path, body)
  const isLimited = round.limited && expected === 200 && status === 429
  if (expected !== status && !isLimited)
    throw new Error(`${path} answers ${status} ${text.slice(0, 300)}, the oracle says ${expected}`)
  if (status === 200) {
    const entries = entriesIn(body)
    if (!said || !entries || !isWaitRight(round, said.wait, said.verdicts.length, entries.length))
      throw new Error(`what is taken is answered whole: ${text.slice(0, 300)}`)
    judgeVerdicts(round, name, channel, entries.slice(0, said.verdicts.length).map(utf8), said.verdicts)
    for (const [i, verdict] of said.verdicts.entries())
      round.tally.count('post', how.length > 0 ? how : (drawn[i]?.how ?? []), outcomeOf(verdict))
  } else {
    const code = typeof answer === 'object' && answer !== null && 'code' in answer ? answer.code : undefined
    if (!isRefusalCode(code)) throw new Error(`a request is refused without a code: ${text.slice(0, 300)}`)
    round.tally.count('post', how, `${status} ${code}`)
  }
  await lookAtLinks(round, before, [])
}

function expectPost(round: Round, name: Name, path: string, body: Uint8Array): number {
  if (body.length > postBytesMax) return 413
  const fields = looseObject(body)
  if (!fields || !isBase64Url(fields.space, 16) || !entriesIn(body)) return 400
  const channel = path.split('/')[3]
  const isThere = channel !== undefined && round.community.liveChannels.get(channel) === fields.space
  return isThere && isMember(round, fields.space, round.people[name].account) ? 200 : 404
}

function entriesIn(body: Uint8Array): string[] | undefined {
  const entries = looseObject(body)?.entries
  if (!Array.isArray(entries) || entries.length < 1 || entries.length > 64) return undefined
  return entries.every((entry) => typeof entry === 'string' && entry.isWellFormed()) ? entries : undefined
}

function looseObject(body: Uint8Array): { [field: string]: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(
      Buffer.from(body)
        .toString('utf8')
        .replace(/^\ufeff/, ''),
    )
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined
  } catch {
    return undefined
  }
}

/** A y-websocket provider: asks for a segment, right or wrong, or wants to change it. */
export async function readerCase(round: Round, random: Prng): Promise<void> {
  const { world, people, places } = round
  const before = membersNow(round)
  const name: Name = random.pick(['ann', 'bob', 'former', 'outsider', 'guest'])
  const token = random.chance(0.93) ? people[name].token : random.pick(['', 'x'.repeat(43)])
  const segments = [...round.honest.documents.keys()]
  const segment = segments.length > 0 && random.chance(0.9) ? random.pick(segments) : asId<(typeof segments)[number]>(places.home)
  const state = await world.relay.channels.segment(segment)
  const got: Uint8Array[] = []
  let closedWith = 0
  const reader = world.relay.hub.read(
    {
      send: (bytes) => void got.push(bytes),
      close: (code) => {
        closedWith = code
      },
      queuedBytes: () => 0,
      ping: () => {},
    },
    segment,
    token,
  )
  const messages = Array.from({ length: 1 + random.below(3) }, () =>
    drawReaderMessage(random, state?.client ?? 1, state?.next ?? 0),
  )
  for (const { bytes, how } of messages) {
    round.sent.push(`reader ${name} of ${segment} [${how}] ${toBase64Url(bytes)}`)
    reader.receive(bytes)
  }
  await world.relay.hub.idle()
  const judged = messages.map(({ bytes }) => judgeReaderMessage(bytes))
  const firstWrong = judged.find((one) => one === 'malformed' || one === 'change')
  const mayRead = state !== undefined && isMember(round, places.home, people[name].account)
  const asked = judged.findLast((one) => typeof one === 'object')
  const expected = expectReader()
  const steps = got.filter((bytes) => bytes[0] === 0 && bytes[1] === 1)
  if (closedWith !== expected) throw new Error(`a reader is ${closedWith || 'open'}, and should be ${expected || 'open'}`)
  if (steps.length > 0 && (!mayRead || expected !== 0)) throw new Error('who may not read is sent something')
  if (expected === 0 && asked && mayRead && steps.length !== 1) throw new Error('a step 1 is answered by a step 2')
  if (expected === 0 && asked?.n === 0 && mayRead) await compareWithTape(steps[0] ?? new Uint8Array(0))
  reader.closed()
  const how = messages.flatMap((message) => message.how)
  round.tally.count('reader', how, closedWith !== 0 ? `closed ${closedWith}` : steps.length > 0 ? 'ok' : 'silent')
  await lookAtLinks(round, before, [])

  function expectReader(): number {
    if (token === '') return closeCodes.unauthorized
    // What it says is looked at as it comes, who it is a turn later.
    if (firstWrong) return firstWrong === 'malformed' ? closeCodes.malformed : closeCodes.forbidden
    if (token !== people[name].token) return closeCodes.unauthorized
    if (name === 'guest') return closeCodes.forbidden
    const isOther = asked && state && (asked.n > state.next || (asked.n > 0 && asked.client !== state.client))
    return mayRead && isOther ? closeCodes.history : 0
  }

  async function compareWithTape(step: Uint8Array): Promise<void> {
    const length = readUint(step, 2, Number.MAX_SAFE_INTEGER)
    if (!length) throw new Error('a step 2 is length-prefixed')
    const doc = new Y.Doc({ gc: false })
    Y.applyUpdate(doc, step.subarray(length.end))
    const { tape } = await world.relay.channels.tape(segment, 0)
    const texts = [...elementsOfTape(tape)].map(({ text }) => text)
    if (JSON.stringify(doc.getArray('log').toArray()) !== JSON.stringify(texts))
      throw new Error('a stock reader reads what is stored')
    doc.destroy()
  }
}

function drawReaderMessage(random: Prng, client: number, next: number): { bytes: Uint8Array; how: readonly string[] } {
  if (random.chance(0.25)) {
    const drawn = drawStockMessage(random)
    // The frame's head is none of it.
    return { bytes: drawn.bytes.subarray(2), how: ['other', ...drawn.how] }
  }
  const held = random.pick([0, 0, 0, next, next, next + 1, 2 ** 32])
  const author = random.chance(0.9) ? client : 1
  const vector = writeParts(held === 0 ? [run([0])] : [uint(1), uint(author), uint(held)])
  const isRight = held <= next && (held === 0 || author === client)
  const parts = [run([0]), run([0]), uint(vector.length), run(vector)]
  if (!random.chance(0.3)) return { bytes: writeParts(parts), how: isRight ? [] : ['other-history'] }
  const mutated = mutateParts(parts, random)
  return { bytes: writeParts(mutated.parts), how: mutated.how }
}

type JudgedReaderMessage = 'malformed' | 'change' | 'skipped' | { client: number; n: number }

/** What SPEC says of a stock reader's message: one byte for its kind, one for its step, a payload with its length, and nothing behind. */
function judgeReaderMessage(bytes: Uint8Array): JudgedReaderMessage {
  const [kind, step] = bytes
  if (kind !== 0) return kind !== undefined && kind <= 3 ? 'skipped' : 'malformed'
  const length = readUint(bytes, 2, Number.MAX_SAFE_INTEGER)
  if (!length || length.end + length.value !== bytes.length) return 'malformed'
  const payload = bytes.subarray(length.end)
  if (step === 1) return payload.length === 0 ? 'malformed' : payload[0] === 0 ? 'skipped' : 'change'
  if (step === 2) return 'change'
  const clients = step === 0 ? readUint(payload, 0, Number.MAX_SAFE_INTEGER) : undefined
  if (!clients) return 'malformed'
  if (clients.value === 0) return clients.end === payload.length ? { client: 0, n: 0 } : 'malformed'
  if (clients.value > 1) return { client: 0, n: Number.MAX_SAFE_INTEGER }
  const client = readUint(payload, clients.end, Number.MAX_SAFE_INTEGER)
  const n = client && readUint(payload, client.end, Number.MAX_SAFE_INTEGER)
  return client && n?.end === payload.length ? { client: client.value, n: n.value } : 'malformed'
}
