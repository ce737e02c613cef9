// What waits for its turn, link by link and fairly: every link that has something comes round. Within a link, what wants to change something
// goes in order, before what only asks; and asking waits while the link's line is full, so that a long catch-up holds nothing else up.
import type { FrameUp } from '#shared/protocol/frames.ts'
import type { Link } from './hub-links.ts'
import type { HubSettings } from './hub-ports.ts'

/** An append frame and who sent it. */
export interface SentAppend {
  link: Link
  frame: FrameUp & { kind: 'append' }
}

export type Turn =
  | { kind: 'appends'; appends: SentAppend[] }
  | { kind: 'one'; link: Link; frame: Exclude<FrameUp, SentAppend['frame']> }

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

export function createInbox(settings: HubSettings): Inbox {
  /** In the order of their turns. */
  const ready = new Set<Link>()
  /** An answer is at most a segment: with the line a quarter full, it still fits. */
  const isFull = (link: Link) => link.wire.queuedBytes() > settings.linkQueueBytesMax / 4
  const canGo = (link: Link) => link.writes.length > 0 || (link.asks.length > 0 && !isFull(link))

  function take(link: Link): FrameUp | undefined {
    const next = link.writes.shift() ?? (isFull(link) ? undefined : link.asks.shift())
    link.inboxBytes -= next?.bytes ?? 0
    ready.delete(link)
    if (canGo(link)) ready.add(link)
    return next?.frame
  }

  function takeAppends(first: SentAppend): SentAppend[] {
    const appends = [first]
    let entries = first.frame.entries.length
    for (const link of [...ready]) {
      for (
        let next = link.writes[0]?.frame;
        next?.kind === 'append' && entries < settings.turnEntriesMax;
        next = link.writes[0]?.frame
      ) {
        appends.push({ link, frame: next })
        entries += next.entries.length
        take(link)
      }
    }
    return appends
  }

  return {
    add(link, frame, bytes) {
      link.inboxBytes += bytes
      const list = frame.kind === 'control' && asking.has(frame.message.t) ? link.asks : link.writes
      list.push({ frame, bytes })
      if (canGo(link)) ready.add(link)
      return link.writes.length + link.asks.length <= settings.inboxFramesMax && link.inboxBytes <= settings.inboxBytesMax
    },
    hasTurn: () => ready.size > 0,
    takeTurn() {
      for (const link of ready) {
        const frame = take(link)
        if (!frame) continue
        if (frame.kind !== 'append') return { kind: 'one', link, frame }
        return { kind: 'appends', appends: takeAppends({ link, frame }) }
      }
      return undefined
    },
    resume(link) {
      if (!link.closed && canGo(link)) ready.add(link)
    },
    forget: (link) => void ready.delete(link),
    waiting: () => [...ready].reduce((sum, link) => sum + link.writes.length + link.asks.length, 0),
  }
}
