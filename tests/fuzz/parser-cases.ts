// The parsers alone, at a high rate: right and nearly right bytes of every grammar, each judged once by the product and once by the oracle.
// What is taken must be canonical: written again, it is the same bytes.
import * as Y from 'yjs'
import { concatBytes, toBase64Url, utf8 } from '#shared/base/bytes.ts'
import { idFromBytes, makeTimeId } from '#shared/base/ids.ts'
import { createPrng, type Prng } from '#shared/base/prng.ts'
import { parseCommand, writeCommandText } from '#shared/community/command-codec.ts'
import { parseStatement, popSignedBytes, statementSignedBytes, verifyStatement } from '#shared/crypto/statements.ts'
import { entryOfElement, parseEntry, readElement, writeElementPrefix } from '#shared/log/entry-codec.ts'
import { rangesOf } from '#shared/log/ranges.ts'
import { tapeOfElement } from '#shared/log/tape.ts'
import { encodeUpdate, readUpdate } from '#shared/log/update-bytes.ts'
import { encodeDown, encodeUp, parseDown, parseUp } from '#shared/protocol/frame-codec.ts'
import { drawCommand } from './draw-commands.ts'
import { drawEntry } from './draw-entries.ts'
import { drawControl, drawStockMessage, seal } from './draw-frames.ts'
import { drawStatement } from './draw-statements.ts'
import { sodium } from './fuzz-world.ts'
import { judgeCommand } from './oracle-command.ts'
import { isBase64Url, judgeEntry } from './oracle-entry.ts'
import { judgeFrame } from './oracle-frame.ts'
import { judgeStatement } from './oracle-statement.ts'
import type { Tally } from './tally.ts'
import { mutateBytes, mutateParts, type Part, run, uint, writeParts } from './wire-parts.ts'

/** What is looked at; a mutant hands in another. */
export interface Parsers {
  parseUp: typeof parseUp
  parseDown: typeof parseDown
  parseEntry: typeof parseEntry
  readElement: typeof readElement
  readUpdate: typeof readUpdate
  parseCommand: typeof parseCommand
  parseStatement: typeof parseStatement
}

export const parsers: Parsers = { parseUp, parseDown, parseEntry, readElement, readUpdate, parseCommand, parseStatement }

const random = createPrng(4)
const person = () => ({
  account: idFromBytes<'account'>(random.bytes(16)),
  dev: idFromBytes(random.bytes(16)),
  device: sodium.signerFromSeed(random.bytes(32)),
})
const [ann, bob] = [person(), person()]
const [space, channel] = [idFromBytes(random.bytes(16)), idFromBytes(random.bytes(16))]
const ids = Array.from({ length: 12 }, () => makeTimeId<'entry'>(1_800_000_000_000, random.bytes(16)))
const pool = [space, channel, ann.account, ann.dev, bob.account, bob.dev, ...ids, 'AAAAAAAAAAAAAAAAAAAAAA']
const identity = sodium.signerFromSeed(random.bytes(32))
/** Signing costs more than all else here, and no parser looks at a signature. */
const unsigned = { publicKey: ann.device.publicKey, sign: () => new Uint8Array(64).fill(7) }
const scene = { author: { ...ann, device: unsigned }, other: { ...bob, device: unsigned }, space, pool, now: 1_800_000_000_000 }
const earlier = drawEntry({ ...scene, channel, model: undefined, ids, earlier: new Uint8Array(0) }, createPrng(1)).bytes

/** As often as each stands here. */
const kinds = [
  entryCase,
  entryCase,
  entryCase,
  elementCase,
  updateCase,
  commandCase,
  commandCase,
  frameCase,
  downCase,
  statementCase,
]

/** Draws one case from its number and judges it. @throws {Error} where product and oracle differ */
export function runParserCase(subject: Parsers, seed: number, number: number, tally: Tally): void {
  const random = createPrng(Math.imul(seed, 0x9e3779b1) ^ Math.imul(number + 1, 0x85ebca6b))
  random.pick(kinds)(subject, random, tally)
}

function entryCase({ parseEntry }: Parsers, random: Prng, tally: Tally): void {
  const { bytes, how } = drawEntry({ ...scene, channel, model: undefined, ids, earlier }, random)
  const [said, judged] = [parseEntry(bytes), judgeEntry(bytes)]
  const code = said.ok ? 'ok' : said.code
  agree('entry', code, judged.code, bytes)
  if (said.ok) agree('entry written again', said.value.sig + said.value.text, Buffer.from(bytes).toString(), bytes)
  else agree('id of a refused entry', said.id === 0 || isBase64Url(said.id, 16), true, bytes)
  tally.count('parse entry', how, code)
}

function elementCase({ readElement }: Parsers, random: Prng, tally: Tally): void {
  const drawn = drawEntry({ ...scene, channel, model: undefined, ids, earlier }, random)
  const seq = random.pick([1, 35, 36, 2 ** 32, Number.MAX_SAFE_INTEGER])
  const whole = concatBytes(
    utf8(writeElementPrefix(seq, random.pick([0, 1, 1_800_000_000_000, Number.MAX_SAFE_INTEGER]))),
    drawn.bytes,
  )
  const { bytes, how } = random.chance(0.5) ? mutateBytes(whole, random, earlier) : { bytes: whole, how: '' }
  const text = Buffer.from(bytes).toString('utf8')
  const said = readElement(text)
  // A device takes more than the relay lets in, but all that the relay lets in.
  if (how === '' && judgeEntry(drawn.bytes).code === 'ok') agree('element', said.ok, true, bytes)
  if (said.ok) agree('element written again', said.value.sig + said.value.text, entryOfElement(text), bytes)
  if (said.ok) agree('number of an element', text.startsWith(writeElementPrefix(said.value.seq, said.value.arrived)), true, bytes)
  tally.count('read element', how === '' ? drawn.how : [...drawn.how, how], said.ok ? 'ok' : 'shape')
}

function updateCase({ readUpdate }: Parsers, random: Prng, tally: Tally): void {
  const parts = drawUpdate(random)
  const mutated = random.chance(0.75) ? mutateParts(parts, random) : { parts, how: [] }
  const spoiled = random.chance(0.2) ? mutateBytes(writeParts(mutated.parts), random, earlier) : undefined
  const bytes = spoiled?.bytes ?? writeParts(mutated.parts)
  const how = spoiled ? [...mutated.how, spoiled.how] : mutated.how
  const said = readUpdate(bytes)
  if (how.length === 0) agree('update', said !== undefined, true, bytes)
  if (said) {
    // What is taken, stock Yjs takes, and reads the same out of it.
    const doc = new Y.Doc({ gc: false })
    Y.applyUpdate(doc, bytes)
    const live = doc.getArray<string>('log').toArray()
    const gone = new Set(
      said.deleted.flatMap(([clock, length]) => Array.from({ length: Math.min(length, 10_000) }, (_, i) => clock + i)),
    )
    const expected = said.clock === 0 ? said.cells.filter((cell, i) => cell !== undefined && !gone.has(i)) : []
    agree('what Yjs reads of an update', JSON.stringify(live), JSON.stringify(expected), bytes)
    agree(
      'clock in Yjs',
      said.clock === 0 ? (Y.getState(doc.store, said.client) ?? 0) : said.cells.length,
      said.cells.length,
      bytes,
    )
    doc.destroy()
  }
  tally.count('read update', how, said ? 'ok' : 'refused')
}

/** An update by its grammar: runs of live elements and of deleted ones, then the delete set. */
function drawUpdate(random: Prng): Part[] {
  const client = 1 + random.below(2 ** 32 - 1)
  const first = random.pick([0, 0, 0, 1, 5, 100])
  const runs = random.below(4)
  const structs: Part[] = []
  const deleted = new Set<number>()
  let clock = first
  for (let i = 0; i < runs; i++) {
    const isLive = random.chance(0.6)
    const kind = isLive ? 8 : 1
    structs.push(...(clock === 0 ? [run([kind, 1, 3]), run(utf8('log'))] : [run([kind | 0x80]), uint(client), uint(clock - 1)]))
    const many = 1 + random.below(4)
    structs.push(uint(many))
    for (let k = 0; k < many; k++, clock++)
      if (isLive) {
        const text = utf8(random.pick(['x', 'ünï', '', 'a'.repeat(200)]))
        structs.push(run([0x77]), uint(text.length), run(text))
      } else deleted.add(clock)
  }
  const ranges = rangesOf(deleted)
  const head = runs === 0 ? [run([0])] : [run([1]), uint(runs), uint(client), uint(first)]
  const tail =
    ranges.length === 0
      ? [run([0])]
      : [run([1]), uint(client), uint(ranges.length), ...ranges.flatMap(([at, length]) => [uint(at), uint(length)])]
  return [...head, ...structs, ...tail]
}

function commandCase({ parseCommand }: Parsers, random: Prng, tally: Tally): void {
  const { text, sig, how } = drawCommand({ ...scene, model: undefined, codes: [...ids], earlier: undefined }, random)
  const [said, judged] = [parseCommand(text, sig), judgeCommand(text, sig)]
  const code = said.ok ? 'ok' : said.code
  const bytes = utf8(`${sig} ${text}`)
  if (said.ok) {
    agree('command', code, judged.code, bytes)
    agree('command written again', writeCommandText(said.value.command), text, bytes)
  } else if (judged.code !== 'ok') {
    agree('command', code, judged.code, bytes)
    agree('id of a refused command', said.id === 0 ? '' : said.id, judged.id, bytes)
  } else agree('only a position is left to refuse', code === 'shape' && judged.command.args.has('position'), true, bytes)
  tally.count('parse command', how, code)
}

function frameCase({ parseUp }: Parsers, random: Prng, tally: Tally): void {
  const drawn = random.chance(0.4)
    ? drawControl(
        { pool, segments: ids, channels: [channel], spaces: [space], devs: [ann.dev, bob.dev], token: 'T'.repeat(43) },
        random,
      )
    : random.chance(0.4)
      ? drawStockMessage(random)
      : seal(
          random,
          channel,
          [drawEntry({ ...scene, channel, model: undefined, ids, earlier }, random).bytes, earlier],
          earlier,
          random.below(2 ** 32),
        )
  const [said, judged] = [parseUp(drawn.bytes), judgeFrame(drawn.bytes)]
  agree('frame', said?.kind ?? 'malformed', judged.kind, drawn.bytes)
  if (said?.kind === 'control' && judged.kind === 'control') agree('control', said.message.t, judged.message.t, drawn.bytes)
  if (said?.kind === 'append' && judged.kind === 'append')
    agree(
      'append',
      [said.nr, said.channel, ...said.entries.map(toBase64Url)].join(),
      [judged.nr, judged.channel, ...judged.entries.map(toBase64Url)].join(),
      drawn.bytes,
    )
  // Whatever is not JSON has one spelling.
  if (said && said.kind !== 'control')
    agree('frame written again', toBase64Url(encodeUp(said)), toBase64Url(drawn.bytes), drawn.bytes)
  tally.count(`parse ${drawn.kind}`, drawn.how, said?.kind ?? 'malformed')
}

/** A device reading what a relay sends, which may be a hostile one. */
function downCase({ parseDown }: Parsers, random: Prng, tally: Tally): void {
  const client = 1 + random.below(1_000)
  const tape = tapeOfElement(utf8('1.0.'), earlier)
  const update = encodeUpdate(client, [{ live: true, clock: 0, count: 1, tape }], [])
  const whole = random.pick([
    encodeDown({ kind: 'update', seg: idFromBytes(random.bytes(16)), update }),
    encodeDown({ kind: 'stock', stream: 1, bytes: update }),
    encodeDown({
      kind: 'control',
      message: { t: 'result', nr: 1, wait: 0, verdicts: [{ kind: 'refused', id: 0, code: 'shape', severe: true }] },
    }),
    encodeDown({ kind: 'control', message: { t: 'space', id: idFromBytes(random.bytes(16)), n: 1, channels: [], more: false } }),
  ])
  const { bytes, how } = mutateBytes(whole, random, earlier)
  const said = parseDown(bytes)
  if (said && said.kind !== 'unknown')
    agree('frame read again', JSON.stringify(parseDown(encodeDown(said))), JSON.stringify(said), bytes)
  tally.count('parse down', [how], said?.kind ?? 'malformed')
}

function statementCase({ parseStatement }: Parsers, random: Prng, tally: Tally): void {
  const subject = { account: ann.account, identity, device: ann.device, devs: [bob.dev, ann.dev] }
  const { text, how } = drawStatement(subject, random, pool)
  const [said, judged] = [parseStatement(text), judgeStatement(text)]
  agree('statement', said?.t ?? 'refused', judged?.t ?? 'refused', utf8(text))
  if (said) agree('statement written again', JSON.stringify(said), text, utf8(text))
  // A signature costs a hundred of the others.
  if (random.chance(0.05)) {
    const sig = toBase64Url(identity.sign(statementSignedBytes(text)))
    const verdict = verifyStatement(sodium, text, sig, { account: ann.account, identity: identity.publicKey })
    if (verdict.ok) agree('whose statement', verdict.value.account, ann.account, utf8(text))
    if (verdict.ok && verdict.value.t === 'dev.add') {
      const [key, pop] = [Buffer.from(verdict.value.key, 'base64url'), Buffer.from(verdict.value.pop, 'base64url')]
      agree('proof of the key', sodium.verify(pop, popSignedBytes(identity.publicKey), key), true, utf8(text))
    }
  }
  tally.count('parse statement', how, said?.t ?? 'refused')
}

function agree(what: string, said: unknown, expected: unknown, bytes: Uint8Array): void {
  if (said === expected) return
  throw new Error(`${what}: said ${String(said).slice(0, 300)}, the oracle ${String(expected).slice(0, 300)}, of ${shown(bytes)}`)
}

function shown(bytes: Uint8Array): string {
  return `${bytes.length} bytes ${JSON.stringify(Buffer.from(bytes).toString('utf8').slice(0, 700))} = ${toBase64Url(bytes.subarray(0, 300))}`
}
