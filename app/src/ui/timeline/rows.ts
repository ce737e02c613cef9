// From messages to what the log draws, top to bottom: day knots, the line where new messages begin, groups, one's own strand.
// Pure: no clock and no time zone of its own. It does not cut, fetch or scroll; a row's key stays the same for as long as the row means the same.
import type { MessageView } from '#app/engine/api.ts'

/** Messages by one person closer together than this stand under one name. */
export const groupMs = 7 * 60_000
/** Further apart than this, the hour of writing is told beside the hour of arrival. */
export const lateMs = 2 * 60_000

/** What the piece of cord beside a message says. */
export type Strand = 'settled' | 'new' | 'own' | 'cut'

export interface MessageRow {
  kind: 'message'
  key: string
  message: MessageView
  /** Where it stands in time: its arrival, or its writing while it has none. */
  at: number
  /** Under the name of the message above. */
  follows: boolean
  strand: Strand
  late: boolean
  /** The first of one's own strand: here it leaves the common cord. */
  forks: boolean
  /** On the last waiting message of an offline device: how many wait. */
  waiting: number
}

export type Row =
  | { kind: 'start'; key: string }
  | { kind: 'older'; key: string }
  | { kind: 'day'; key: string; at: number }
  | { kind: 'new'; key: string; since: number; count: number }
  | { kind: 'offline'; key: string; since: number }
  | MessageRow

export interface RowsInput {
  /** By seq, then own ones that no document holds. */
  messages: readonly MessageView[]
  /** What lies above the first message: the channel's beginning, more that is not shown yet, or nothing to say. */
  above: 'start' | 'older' | 'none'
  /** Messages of others behind `after`, up to `upTo`, are new. */
  line: { after: number; upTo: number } | undefined
  /** The line lies further up than what is shown. */
  isLineAbove: boolean
  /** Since when this device is offline; 0 = it is not. */
  offlineSince: number
  /** Own words that wait since before this moment are drawn as waiting; a moment's wait is not worth a step aside. */
  waitingBefore: number
  /** The reader's local day of a moment, as a number that rises by day. */
  dayOf: (ms: number) => number
}

export function buildRows(input: RowsInput): Row[] {
  const { messages, line, offlineSince, dayOf } = input
  const rows: Row[] = []
  if (input.above !== 'none' && messages.length > 0) rows.push({ kind: input.above, key: input.above })
  const isWaiting = (message: MessageView): boolean =>
    message.state.kind === 'pending' && (offlineSince > 0 || message.at < input.waitingBefore)
  const isNew = (message: MessageView): boolean => line !== undefined && message.seq > line.after && message.seq <= line.upTo

  let day = Number.NEGATIVE_INFINITY
  let above: MessageRow | undefined
  let isLineDrawn = input.isLineAbove
  for (const message of inDrawnOrder(messages)) {
    const at = message.arrived || message.at
    // Days only go on: a message that waits since yesterday below one of today makes no new yesterday.
    if (dayOf(at) > day) {
      day = dayOf(at)
      rows.push({ kind: 'day', key: `day ${day}`, at })
      above = undefined
    }
    if (!isLineDrawn && isNew(message) && !message.you) {
      isLineDrawn = true
      rows.push({ kind: 'new', key: 'new', since: lastMessage(rows)?.at ?? at, count: countOthers(messages, isNew) })
      above = undefined
    }
    const strand = strandOf(message, isWaiting(message), isLineDrawn && isNew(message))
    if (strand === 'own' && offlineSince > 0 && lastMessage(rows)?.strand !== 'own') {
      rows.push({ kind: 'offline', key: 'offline', since: offlineSince })
      above = undefined
    }
    const row: MessageRow = {
      kind: 'message',
      key: message.id,
      message,
      at,
      follows: false,
      strand,
      late: message.arrived - message.at > lateMs && message.arrived > 0,
      forks: strand === 'own' && lastMessage(rows)?.strand !== 'own',
      waiting: 0,
    }
    row.follows = above !== undefined && goesOn(above, row)
    rows.push(row)
    above = row
  }
  const last = lastMessage(rows)
  if (offlineSince > 0 && last?.strand === 'own') last.waiting = messages.filter(isWaiting).length
  return rows
}

/** Refused ones stand before the gap: what follows them on one's own strand may still go. */
function inDrawnOrder(messages: readonly MessageView[]): MessageView[] {
  const rank = { accepted: 0, refused: 1, pending: 2 }
  return messages.some((message) => message.state.kind === 'refused')
    ? messages.toSorted((a, b) => rank[a.state.kind] - rank[b.state.kind]) // a stable sort: order within a kind stays
    : [...messages]
}

function strandOf(message: MessageView, isWaiting: boolean, isNew: boolean): Strand {
  if (message.state.kind === 'refused') return 'cut'
  if (isWaiting) return 'own'
  return isNew ? 'new' : 'settled'
}

/** Whether `row` may stand under the name of the one above: what is said at the name must hold for it too. */
function goesOn(above: MessageRow, row: MessageRow): boolean {
  if (above.message.by !== row.message.by || above.strand === 'cut' || row.strand === 'cut') return false
  if ((above.strand === 'own') !== (row.strand === 'own') || above.late !== row.late) return false
  if (row.late && (!isSameMinute(above.message.at, row.message.at) || !isSameMinute(above.at, row.at))) return false
  return Math.abs(row.at - above.at) < groupMs
}

function isSameMinute(a: number, b: number): boolean {
  return Math.floor(a / 60_000) === Math.floor(b / 60_000)
}

function lastMessage(rows: readonly Row[]): MessageRow | undefined {
  for (let i = rows.length - 1; i >= 0; i--) {
    const row = rows[i]
    if (row?.kind === 'message') return row
  }
  return undefined
}

function countOthers(messages: readonly MessageView[], isNew: (message: MessageView) => boolean): number {
  return messages.filter((message) => isNew(message) && !message.you).length
}

/** Whether `rows` are those of `before` with others put in front or taken away there: then the place is held from the end. */
export function isPrepended(before: readonly Row[], rows: readonly Row[]): boolean {
  const firstBefore = before.find(({ kind }) => kind === 'message')
  const first = rows.find(({ kind }) => kind === 'message')
  if (!firstBefore || !first || firstBefore.key === first.key) return false
  return before.at(-1)?.key === rows.at(-1)?.key
}
