// What waits for its turn, link by link and fairly: every link that has something comes round. Within a link, what wants to change something
// goes in order, before what only asks; and asking waits while the link's line is full, so that a long catch-up holds nothing else up.
// Between links the two take turns: a storm of questions holds no message up for longer than one answer takes.
import type { ControlUp, FrameUp } from '#shared/protocol/frames.ts'
import type { Link, Waiting } from './hub-links.ts'
import type { HubSettings } from './hub-ports.ts'

/** An append frame and who sent it. */
export interface SentAppend {
  link: Link
  frame: FrameUp & { kind: 'append' }
}

/** A read marker and whose link brought it. */
export interface SentRead {
  link: Link
  message: ControlUp & { t: 'read' }
}

/** Appends that wait together, read markers that wait together, or one of anything else. */
export type Turn =
  | { kind: 'appends'; appends: SentAppend[] }
  | { kind: 'reads'; reads: SentRead[] }
  | { kind: 'one'; link: Link; frame: OneFrame }

export type OneFrame = (FrameUp & { kind: 'stock' }) | { kind: 'control'; message: Exclude<ControlUp, SentRead['message']> }

export interface Inbox {
  /** false: more than a link may have waiting. */
  add(link: Link, frame: FrameUp, bytes: number): boolean
  hasTurn(): boolean
  takeTurn(): Turn | undefined
  /** The link's line may have room again. */
  resume(link: Link): void
  forget(link: Link): void
  waiting(): number
}

const asking: ReadonlySet<string> = new Set(['open', 'close', 'segments', 'chain', 'keys'])

/** Markers written in one commit. */
const turnReadsMax = 1_000

export function createInbox(settings: HubSettings): Inbox {
  /** In the order of their turns. */
  const writing = new Set<Link>()
  const questioning = new Set<Link>()
  let wroteLast = false
  /** An answer is at most a segment: with the line a quarter full, it still fits. */
  const isFull = (link: Link) => link.wire.queuedBytes() > settings.linkQueueBytesMax / 4

  /** Behind all others that wait. */
  function queue(link: Link): void {
    writing.delete(link)
    questioning.delete(link)
    if (link.writes.length > 0) writing.add(link)
    else if (link.asks.length > 0 && !isFull(link)) questioning.add(link)
  }

  function takeFrom(link: Link, list: Waiting[]): FrameUp | undefined {
    const next = list.shift()
    link.inboxBytes -= next?.bytes ?? 0
    queue(link)
    return next?.frame
  }

  /** Goes on through all links as long as `take` likes what stands first. */
  function takeRun(take: (link: Link, frame: FrameUp) => boolean): void {
    for (const link of [...writing])
      for (let next = link.writes[0]?.frame; next && take(link, next); next = link.writes[0]?.frame) takeFrom(link, link.writes)
  }

  function takeAppends(first: SentAppend): SentAppend[] {
    const appends = [first]
    let entries = first.frame.entries.length
    takeRun((link, frame) => {
      if (frame.kind !== 'append' || entries >= settings.turnEntriesMax) return false
      appends.push({ link, frame })
      entries += frame.entries.length
      return true
    })
    return appends
  }

  function takeReads(first: SentRead): SentRead[] {
    const reads = [first]
    takeRun((link, frame) => {
      if (frame.kind !== 'control' || frame.message.t !== 'read' || reads.length >= turnReadsMax) return false
      reads.push({ link, message: frame.message })
      return true
    })
    return reads
  }

  function takeWrite(): Turn | undefined {
    for (const link of writing) {
      const frame = takeFrom(link, link.writes)
      if (frame) return turnOf(link, frame)
    }
    return undefined
  }

  function turnOf(link: Link, frame: FrameUp): Turn {
    if (frame.kind === 'append') return { kind: 'appends', appends: takeAppends({ link, frame }) }
    if (frame.kind === 'stock') return { kind: 'one', link, frame }
    const { message } = frame
    if (message.t === 'read') return { kind: 'reads', reads: takeReads({ link, message }) }
    return { kind: 'one', link, frame: { kind: 'control', message } }
  }

  function takeAsk(): Turn | undefined {
    for (const link of questioning) {
      const frame = isFull(link) ? undefined : takeFrom(link, link.asks)
      if (frame) return turnOf(link, frame)
      // The line filled up since: `resume` brings it back.
      questioning.delete(link)
    }
    return undefined
  }

  return {
    add(link, frame, bytes) {
      link.inboxBytes += bytes
      const list = frame.kind === 'control' && asking.has(frame.message.t) ? link.asks : link.writes
      list.push({ frame, bytes })
      const isQueued = writing.has(link) || (list === link.asks && questioning.has(link))
      if (!isQueued) queue(link)
      return link.writes.length + link.asks.length <= settings.inboxFramesMax && link.inboxBytes <= settings.inboxBytesMax
    },
    hasTurn: () => writing.size + questioning.size > 0,
    takeTurn() {
      const turn = wroteLast ? (takeAsk() ?? takeWrite()) : (takeWrite() ?? takeAsk())
      wroteLast = turn !== undefined && !isAsk(turn)
      return turn
    },
    resume(link) {
      if (!link.closed && !writing.has(link) && !questioning.has(link)) queue(link)
    },
    forget(link) {
      writing.delete(link)
      questioning.delete(link)
    },
    waiting: () => [...writing, ...questioning].reduce((sum, link) => sum + link.writes.length + link.asks.length, 0),
  }
}

function isAsk(turn: Turn): boolean {
  return turn.kind === 'one' && turn.frame.kind === 'control' && asking.has(turn.frame.message.t)
}
