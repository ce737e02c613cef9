// Every segment recomputed from its tape: its numbers, its deleted ranges, each element with its row and signature, and what stock Yjs makes of it.
import type { Bytes } from '#shared/base/bytes.ts'
import { concatBytes, parseBase64Url, parseUtf8, utf8 } from '#shared/base/bytes.ts'
import type { ChannelId, SpaceId } from '#shared/base/ids.ts'
import type { Verifier } from '#shared/crypto/ports.ts'
import { entrySignedBytes } from '#shared/crypto/signed-bytes.ts'
import { createReplica } from '#shared/log/document.ts'
import { readElement } from '#shared/log/entry-codec.ts'
import type { Ranges } from '#shared/log/facts.ts'
import { rangesOf } from '#shared/log/ranges.ts'
import { type TapeCell, walkTape } from '#shared/log/tape.ts'
import { serveSegment } from '#shared/log/update-bytes.ts'
import type { DatabaseFile, Row } from '../store/database-file.ts'
import { nearBlob, nearBytesMax } from '../store/far-blob.ts'
import type { Findings } from './verify-report.ts'

export interface KnownKey {
  account: string
  /** Ed25519, 32 bytes. */
  key: Uint8Array
}

export interface TapePorts {
  database: DatabaseFile
  verifier: Verifier
  keyOf(dev: string): KnownKey | undefined
  /** The greatest time that the relay ever used. */
  clock: number
}

export interface Place {
  space: SpaceId
  channel: ChannelId
}

/** @param rows the entry rows that say they stand in this segment, by clock. Answers how many elements stand. */
export function verifySegment(ports: TapePorts, place: Place, segment: Row, rows: readonly Row[], findings: Findings): number {
  const where = `segment ${segment.id} of channel ${place.channel}`
  const add = (code: string, what: string) => findings.add(code, where, what)
  const next = Number(segment.next)
  const tape = readStored(ports.database, String(segment.id), add)
  if (!tape) return 0
  const cells = [...walkTape(tape)]
  const live = cells.filter((cell) => cell.live)
  const deleted = cells
    .filter((cell) => !cell.live)
    .flatMap(({ clock, count }) => Array.from({ length: count }, (_, i) => clock + i))
  const length = cells.reduce((sum, cell) => sum + cell.count, 0)

  if (length !== next)
    add('next', `says that ${next} elements were ever appended, its tape has ${length}: devices would ask for what is not there`)
  const ranges = rangesOf(deleted)
  if (JSON.stringify(ranges) !== segment.deleted)
    add(
      'deleted',
      `says that ${segment.deleted} is deleted, its tape says ${JSON.stringify(ranges)}: devices would keep what is gone, or lose what stands`,
    )
  const bytes = live.reduce((sum, cell) => sum + cell.to - cell.from, 0)
  const stored = Number(segment.bytes)
  if (deleted.length === 0 ? stored !== bytes : stored <= bytes)
    add('bytes', `counts ${stored} bytes, its tape has ${bytes}: it would be sealed too early or too late`)
  const posts = rows.filter((row) => row.op === 'post').length
  if (Number(segment.posts) !== posts)
    add('posts', `counts ${segment.posts} posts, there are ${posts}: it would be sealed too early or too late`)
  verifyRows(rows, new Set(deleted), length, where, findings)
  verifyElements(ports, place, live, new Map(rows.map((row) => [Number(row.clock), row])), where, findings)
  if (length === next) verifyYjs({ client: Number(segment.client), next, deleted: ranges }, tape, live, add)
  return live.length
}

type Add = (code: string, what: string) => void

/** Snapshot and rows, which must follow on each other; `undefined` where they do not. */
function readStored(database: DatabaseFile, segment: string, add: Add): Bytes | undefined {
  const snapshot = database.get('SELECT n, tape FROM tape_snapshot WHERE segment = ?', segment)
  const parts: Uint8Array[] = []
  let end = 0
  const take = (name: string, clock: number, count: number, stored: unknown) => {
    const tape = stored instanceof Uint8Array && stored.length >= nearBytesMax ? nearBlob(new Uint8Array(stored)) : undefined
    if (clock !== end)
      add(
        'tape-gap',
        `${name} begins at clock ${clock}, what stands before it ends at ${end}: what lies between is lost or double`,
      )
    const found = tape && countOf(tape)
    if (found === undefined) add('tape', `${name} cannot be read as tape: the disk or the program spoilt it`)
    else if (found !== count) add('tape-count', `${name} says ${count} elements and holds ${found}`)
    if (found === undefined || clock !== end || !tape) return false
    parts.push(tape)
    end += found
    return true
  }
  let whole = !snapshot || take('its snapshot', 0, Number(snapshot.n), snapshot.tape)
  for (const row of database.iterate('SELECT clock, count, tape FROM tape_row WHERE segment = ? ORDER BY clock', segment))
    whole = take(`its row at clock ${row.clock}`, Number(row.clock), Number(row.count), row.tape) && whole
  return whole ? concatBytes(...parts) : undefined
}

/** Far above what a segment may hold: a spoilt number must not fill the memory. */
const elementsMax = 1_000_000

function countOf(tape: Uint8Array): number | undefined {
  try {
    let count = 0
    for (const cell of walkTape(tape)) count += cell.count
    return count <= elementsMax ? count : undefined
  } catch {
    // `walkTape` has no other way to say that a tape is torn.
    return undefined
  }
}

/** Each clock has one row; it is `gone` where, and only where, the element is deleted. */
function verifyRows(rows: readonly Row[], deleted: ReadonlySet<number>, length: number, where: string, findings: Findings): void {
  const seen = new Set<number>()
  for (const row of rows) {
    const clock = Number(row.clock)
    const at = `entry ${idText(row.id)} in ${where}`
    if (seen.has(clock)) findings.add('entry-double', at, `stands at clock ${clock}, where another stands too`)
    seen.add(clock)
    if (clock >= length)
      findings.add(
        'entry-missing',
        at,
        `says it stands at clock ${clock}, the segment’s tape ends at ${length}: an accepted entry is lost`,
      )
    else if (row.gone === 0 && deleted.has(clock))
      findings.add('entry-missing', at, 'stands, but its element is deleted: an accepted entry is lost')
    else if (row.gone === 1 && !deleted.has(clock))
      findings.add('redacted-text', at, 'was redacted, but its element stands: its text is still stored and served')
  }
  for (let clock = 0; clock < length; clock++)
    if (!seen.has(clock))
      findings.add('entry-row', where, `no entry row for clock ${clock}: sent again, it would be accepted a second time`)
}

function verifyElements(
  { verifier, keyOf, clock: relayClock }: TapePorts,
  { space, channel }: Place,
  live: readonly (TapeCell & { live: true })[],
  rows: ReadonlyMap<number, Row>,
  where: string,
  findings: Findings,
): void {
  let before = 0
  for (const { clock, text: bytes } of live) {
    const at = `clock ${clock} of ${where}`
    const text = parseUtf8(bytes)
    const element = text === undefined ? undefined : readElement(text)
    if (!element?.ok) {
      findings.add('element', at, 'is no element: no device can show it')
      continue
    }
    const { id, by, dev, op, ref, seq, arrived, sig } = element.value
    if (seq <= before) findings.add('order', at, `has number ${seq} behind ${before}: it would be drawn in the wrong place`)
    before = seq
    if (arrived > relayClock)
      findings.add('clock', at, `was accepted at ${arrived}, after all that the relay’s clock ever showed`)
    const key = keyOf(dev)
    const signature = parseBase64Url(sig)
    if (!key) findings.add('key', at, `is signed by device ${dev}, which is not known: nobody can check it`)
    else if (
      key.account !== by ||
      !signature ||
      !verifier.verify(signature, entrySignedBytes(space, channel, utf8(element.value.text)), key.key)
    )
      findings.add('signature', at, `does not carry a signature of its author ${by}: it was changed after it was signed`)
    const row = rows.get(clock)
    if (!row || row.gone === 1) continue
    const same =
      idText(row.id) === id &&
      Number(row.seq) === seq &&
      row.by === by &&
      row.op === op &&
      (ref === 0 ? row.ref === null : idText(row.ref) === ref)
    if (!same)
      findings.add(
        'entry-place',
        at,
        `holds ${op} ${id} with number ${seq}, its row says ${row.op} ${idText(row.id)} with number ${row.seq}`,
      )
  }
}

/** The bytes that a new device gets, in the Yjs that it has. */
function verifyYjs(
  state: { client: number; next: number; deleted: Ranges },
  tape: Bytes,
  live: readonly (TapeCell & { live: true })[],
  add: Add,
): void {
  const replica = createReplica(state.client)
  try {
    const loaded = replica.apply(serveSegment(state, { clock: 0, tape }, 0))
    if (!loaded.ok) {
      add('yjs', `does not load in Yjs (${loaded.code}): no new device can open it`)
      return
    }
    const elements = [...replica.elements()]
    const isSame =
      replica.next === state.next &&
      elements.length === live.length &&
      elements.every(({ clock, text }, i) => live[i]?.clock === clock && text === parseUtf8(live[i].text))
    if (!isSame) add('yjs', 'gives other elements in Yjs than its tape has')
  } catch (error) {
    add('yjs', `does not load in Yjs (${error instanceof Error ? error.message : String(error)}): no new device can open it`)
  } finally {
    replica.destroy()
  }
}

/** As 22 characters; what is no id, as it stands. */
export function idText(value: unknown): string {
  return value instanceof Uint8Array ? Buffer.from(value).toString('base64url') : String(value)
}
