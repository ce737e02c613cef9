// Channels, their entry rows and their segments against each other: numbers without a gap, every reference, head and last, what redactions left.
import { isId, parseChannelId, parseSpaceId } from '#shared/base/ids.ts'
import type { Row } from '../store/database-file.ts'
import type { Findings } from './verify-report.ts'
import { idText, type Place, type TapePorts, verifySegment } from './verify-tapes.ts'

/** Answers how many segments and standing elements there are. */
export function verifyChannels(ports: TapePorts, findings: Findings): { channels: number; segments: number; elements: number } {
  const counts = { channels: 0, segments: 0, elements: 0 }
  for (const row of ports.database.iterate('SELECT * FROM channel ORDER BY id')) {
    const [channel, space] = [parseChannelId(row.id), parseSpaceId(row.space)]
    if (!channel || !space) {
      findings.add('id', `channel ${row.id}`, 'its id or its community’s is none')
      continue
    }
    counts.channels++
    verifyNumbers(ports, row, findings)
    verifyReferences(ports, row, findings)
    const segments = ports.database.all('SELECT * FROM segment WHERE channel = ? ORDER BY id', channel)
    verifyChain(row, segments, findings)
    counts.segments += segments.length
    counts.elements += verifySegments(ports, { space, channel }, segments, findings)
  }
  return counts
}

/** The entry rows of one channel go by in the order of its segments: each segment meets its own, and what is left over has none. */
function verifySegments(ports: TapePorts, place: Place, segments: readonly Row[], findings: Findings): number {
  const open = new Map(segments.map((segment) => [String(segment.id), segment]))
  let elements = 0
  let rows: Row[] = []
  const close = () => {
    const id = String(rows[0]?.segment)
    const segment = open.get(id)
    if (rows.length === 0) return
    if (segment) elements += verifySegment(ports, place, segment, rows, findings)
    else
      findings.add(
        'orphan',
        `channel ${place.channel}`,
        `${rows.length} entry rows stand in segment ${id}, which is not there: those entries are lost`,
      )
    open.delete(id)
    rows = []
  }
  const accepted = "SELECT * FROM entry WHERE channel = ? AND kind = 'accepted' ORDER BY segment, clock, id"
  for (const row of ports.database.iterate(accepted, place.channel)) {
    if (rows.length > 0 && row.segment !== rows[0]?.segment) close()
    rows.push(row)
  }
  close()
  for (const segment of open.values()) elements += verifySegment(ports, place, segment, [], findings)
  return elements
}

function verifyNumbers({ database }: TapePorts, channel: Row, findings: Findings): void {
  const where = `channel ${channel.id}`
  const add = (code: string, what: string) => findings.add(code, where, what)
  const numbers = database.get(
    "SELECT count(*) AS n, count(DISTINCT seq) AS various, min(seq) AS least, max(seq) AS most FROM entry WHERE channel = ? AND kind = 'accepted'",
    String(channel.id),
  )
  const [n, various, most] = [Number(numbers?.n), Number(numbers?.various), Number(numbers?.most ?? 0)]
  if (various !== n) add('seq', `${n - various} numbers stand twice: devices would draw one in the place of another`)
  if (Number(channel.seq) !== most)
    add('seq', `says its newest number is ${channel.seq}, its entries go up to ${most}: a number would be given twice, or never`)
  else if (various === n && (n !== most || (n > 0 && numbers?.least !== 1)))
    add('seq', `${most - n} numbers of 1 to ${most} are missing: accepted entries are lost`)
  const last = Number(
    database.get("SELECT max(seq) AS last FROM entry WHERE channel = ? AND op = 'post' AND gone = 0", String(channel.id))?.last ??
      0,
  )
  if (Number(channel.last) !== last)
    add('last', `says its newest standing post is ${channel.last}, it is ${last}: devices would show it unread, or miss it`)
}

function verifyReferences({ database }: TapePorts, channel: Row, findings: Findings): void {
  const add = (row: Row, code: string, what: string) =>
    findings.add(code, `entry ${idText(row.id)} of channel ${channel.id}`, what)
  const rows = (text: string) => database.iterate(text, String(channel.id))
  for (const row of rows("SELECT * FROM entry WHERE channel = ? AND kind = 'reserved'"))
    if (!isReserved(row)) add(row, 'reserved', 'is redacted before it came, but its row cannot be read: the text could come back')
  for (const row of rows("SELECT id, kind FROM entry WHERE channel = ? AND kind NOT IN ('accepted', 'reserved')"))
    add(row, 'entry-kind', `is of a kind that there is not: ${row.kind}`)
  for (const row of rows('SELECT id FROM entry WHERE channel = ? AND length(id) <> 16')) add(row, 'id', 'its id is none')

  const about = `SELECT one.id, one.op, one.by, one.seq, target.id AS found, target.op AS target_op, target.kind AS target_kind,
      target.gone, target.by AS author, target.seq AS target_seq
    FROM entry AS one LEFT JOIN entry AS target ON target.channel = one.channel AND target.id = one.ref
    WHERE one.channel = ? AND one.kind = 'accepted' AND one.gone = 0 AND one.op <> 'post'`
  for (const row of rows(about)) {
    if (row.found === null || (row.target_kind === 'reserved' && row.op !== 'redact'))
      add(row, 'ref', `${row.op}: what it is about is not there`)
    else if (row.target_kind === 'accepted' && row.target_op !== 'post')
      add(row, 'ref', `${row.op}: it is about ${row.target_op}, not a post`)
    else if (row.op === 'edit' && row.author !== row.by) add(row, 'ref', `edit of another’s post`)
    else if (row.op === 'edit' && row.gone === 1)
      add(row, 'edit-left', 'edit of a redacted post: its words are still stored and served')
    // A redact that came before its target binds only its author and who manages; one that came behind it always did.
    else if (row.op === 'redact' && row.gone === 0 && (row.author === row.by || Number(row.seq) > Number(row.target_seq)))
      add(row, 'redact-left', `redact of ${idText(row.found)}, which stands: its text is still stored and served`)
  }
}

function isReserved({ redactors, manage, segment }: Row): boolean {
  try {
    const list: unknown = JSON.parse(String(redactors))
    return Array.isArray(list) && list.every(isId) && (list.length > 0 || manage === 1) && segment === ''
  } catch {
    // JSON.parse has no other way to say that this is not JSON.
    return false
  }
}

/** Head, order, seals and annexes. */
function verifyChain(channel: Row, segments: readonly Row[], findings: Findings): void {
  const byId = new Map(segments.map((segment) => [segment.id, segment]))
  const head = byId.get(channel.head ?? '')
  const own = segments.filter((segment) => segment.of === '')
  const newest = Math.max(0, ...own.map((segment) => Number(segment.nr)))
  const where = `channel ${channel.id}`
  if (channel.head !== '' && (head?.of !== '' || head.sealed !== 0 || head.nr !== newest))
    findings.add(
      'head',
      where,
      `its head ${channel.head} is not its newest open segment: posts would go where they do not belong`,
    )
  if (new Set(segments.map((segment) => segment.nr)).size !== segments.length)
    findings.add('segment-nr', where, 'two of its segments have one number: devices would miss one when they list them')
  if (new Set(segments.map((segment) => segment.client)).size !== segments.length)
    findings.add('client', where, 'two of its segments have one Yjs client')
  for (const segment of segments) {
    const at = `segment ${segment.id} of channel ${channel.id}`
    const root = segment.of === '' ? undefined : byId.get(segment.of ?? '')
    if (segment.of !== '' && root?.of !== '')
      findings.add('annex', at, `is an annex of ${segment.of}, which is no segment of this channel’s own`)
    if (segment.of === '' && segment.sealed === 0 && segment.id !== channel.head)
      findings.add('sealed', at, 'is open for posts, but is not the head')
    if (![0, 1, 2].includes(Number(segment.sealed)))
      findings.add('sealed', at, `its seal is ${segment.sealed}, which there is not`)
    const client = Number(segment.client)
    if (!(client >= 1 && client <= 0xffff_ffff)) findings.add('client', at, `its Yjs client ${client} is none`)
    if (Number(segment.rev) > Number(channel.rev))
      findings.add(
        'rev',
        at,
        `its rev ${segment.rev} is ahead of the channel’s ${channel.rev}: devices would think that they hold all`,
      )
  }
}
