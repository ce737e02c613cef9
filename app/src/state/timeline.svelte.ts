// One opened channel: the messages shown of it, the line where new ones begin, and the acts on them.
// It subscribes to more than it shows, so that older ones come without a wait and nothing slides away at the top when a new one arrives.
import type { ChannelId, EntryId, SpaceId } from '#shared/base/ids.ts'
import type { CallAnswer, MessageView, TimelineView } from '../engine/api.ts'
import { call, engineClient } from './client.svelte.ts'
import { nothingRead, type ReadEvent, stepRead } from './unread-line.ts'

/** Messages shown at first and more with each step upwards: some four screens. */
const page = 80
/** How far up an unread line is looked for when a channel opens. */
const lineLimit = 1_000
/** Beyond so many, those far above are let go when one is back at the end. */
const trimAbove = 400

export interface ShownWindow {
  /** Messages behind this seq are shown; 0 = all that the subscription holds. */
  fromSeq: number
  limit: number
}

export interface Timeline {
  readonly isReady: boolean
  readonly isComplete: boolean
  readonly messages: readonly MessageView[]
  readonly hasOlder: boolean
  readonly line: { after: number; upTo: number } | undefined
  /** It lies further up than what is shown. */
  readonly isLineAbove: boolean
  /** Greatest seq that was before somebody's eyes. */
  readonly seenSeq: number
  readonly shown: ShownWindow
  showOlder(): void
  /** Lets those far above go; only when the end is on the screen. */
  trim(): void
  /** Whether the end is on the screen of a window that has focus: then what is there is read. */
  watch(isWatched: boolean): void
  markAsRead(): void
  send(text: string): Promise<CallAnswer<'send'>>
  edit(message: MessageView, text: string): Promise<CallAnswer<'edit' | 'retryUnsent'>>
  remove(id: EntryId): Promise<CallAnswer<'remove'>>
  sendAgain(message: MessageView): Promise<CallAnswer<'retryUnsent'>>
  drop(id: EntryId): Promise<CallAnswer<'dropUnsent'>>
  close(): void
}

/** @param kept what was shown when this channel was left, to come back to the same place */
export function openTimeline(space: SpaceId, channel: ChannelId, kept?: ShownWindow): Timeline {
  let view = $state.raw<TimelineView | undefined>()
  let fromSeq = $state(kept?.fromSeq ?? 0)
  let read = $state.raw(nothingRead)
  let limit = kept?.limit ?? page * 2
  let isPlaced = kept !== undefined
  /** A wider subscription has not answered yet. */
  let isWidening = false
  let isWatched = false
  let marked = 0

  const hidden = $derived(view ? countBefore(view.messages, fromSeq) : 0)
  const messages = $derived(view ? (hidden > 0 ? view.messages.slice(hidden) : view.messages) : [])

  const opened = call('openChannel', { space, channel })
  let stop = subscribe()

  function subscribe(): () => void {
    return engineClient().subscribe('timeline', `${channel} ${limit}`, accept)
  }

  /** The older subscription goes on until the wider one has answered: the log is never empty between them. */
  function widen(next: number): void {
    if (next === limit || isWidening) return
    limit = next
    isWidening = true
    const stopOld = stop
    const stopNew = engineClient().subscribe('timeline', `${channel} ${next}`, (value) => {
      if (isWidening && limit === next) stopOld()
      isWidening = false
      accept(value)
    })
    stop = () => {
      stopOld()
      stopNew()
    }
  }

  function accept(next: TimelineView): void {
    if (view?.ready && !next.ready) return // what is on the screen stays there until there is something better
    view = next
    if (!next.ready) return
    if (!isPlaced) place(next)
    stepTo({ kind: 'arrived', readSeq: next.readSeq, last: lastSeq(next.messages), isWatched })
    keepSlack()
  }

  /** Shows the newest, and the line where new ones begin if it lies within reach. */
  function place({ messages: all, readSeq, hasOlder }: TimelineView): void {
    isPlaced = true
    const first = all.find(({ seq }) => seq > 0)
    if (!first || readSeq === 0 || lastSeq(all) <= readSeq) {
      fromSeq = seqAt(all, all.length - page)
      return
    }
    const lineAt = all.findIndex(({ seq }) => seq > readSeq)
    fromSeq = seqAt(all, Math.min(all.length - page, lineAt - page / 4))
    const missing = first.seq - readSeq
    if (hasOlder && missing > 0 && all.length >= limit && limit < lineLimit) {
      isPlaced = false // once more, with the line in it
      widen(Math.min(lineLimit, limit + missing + page))
    }
  }

  /** More than is shown is always at hand. A window that is not full holds all there is so far. */
  function keepSlack(): void {
    if (!view || !isPlaced || view.messages.length < limit) return
    if (countBefore(view.messages, fromSeq) >= page / 2) return
    // From now on the top is where it is: a full window would lose its first message with each new one.
    if (fromSeq === 0) fromSeq = view.messages[0]?.seq ?? 0
    widen(limit + page)
  }

  function stepTo(event: ReadEvent): void {
    read = stepRead(read, event)
    if (read.opened < 0 || read.seen <= Math.max(marked, read.opened)) return
    marked = read.seen
    const seq = marked
    void opened.then(() => call('markRead', { channel, seq })) // the line is fixed by the opening: never before it
  }

  return {
    get isReady() {
      return view?.ready === true
    },
    get isComplete() {
      return view?.complete === true
    },
    get messages() {
      return messages
    },
    get hasOlder() {
      return hidden > 0 || view?.hasOlder === true
    },
    get line() {
      return read.line
    },
    get isLineAbove() {
      const first = messages[0]?.seq ?? 0
      return read.line !== undefined && first > read.line.after + 1 && (hidden > 0 || view?.hasOlder === true)
    },
    get seenSeq() {
      return read.seen
    },
    get shown() {
      return { fromSeq, limit }
    },
    showOlder() {
      if (!view?.ready) return
      if (hidden > 0) fromSeq = seqAt(view.messages, hidden - page)
      keepSlack()
    },
    trim() {
      if (!view || messages.length <= trimAbove) return
      fromSeq = seqAt(view.messages, view.messages.length - page)
      widen(page * 2)
    },
    watch(next) {
      isWatched = next
      if (next) stepTo({ kind: 'watched' })
    },
    markAsRead() {
      stepTo({ kind: 'cleared' })
    },
    send(text) {
      stepTo({ kind: 'cleared' })
      return call('send', { space, channel, text })
    },
    edit(message, text) {
      const { id, state } = message
      return state.kind === 'refused' ? call('retryUnsent', { id, text }) : call('edit', { channel, id, text })
    },
    remove(id) {
      return call('remove', { channel, id })
    },
    sendAgain({ id, text }) {
      return call('retryUnsent', { id, text })
    },
    drop(id) {
      return call('dropUnsent', { id })
    },
    close() {
      stop()
    },
  }
}

/** The first so many lie before `fromSeq`; those without a seq stand at the end and are always shown. */
function countBefore(messages: readonly MessageView[], fromSeq: number): number {
  if (fromSeq === 0) return 0
  const at = messages.findIndex(({ seq }) => seq === 0 || seq >= fromSeq)
  return at < 0 ? messages.length : at
}

/** The seq from which on the message at `index` and all behind it are shown; 0 where that is all. */
function seqAt(messages: readonly MessageView[], index: number): number {
  return index <= 0 ? 0 : (messages[Math.floor(index)]?.seq ?? 0)
}

function lastSeq(messages: readonly MessageView[]): number {
  return messages.findLast(({ seq }) => seq > 0)?.seq ?? 0
}
