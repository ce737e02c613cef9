// Where new messages begin in one opened channel, and how far it was read. Pure: the view says what was seen, the engine keeps the marker.
// The line stays where it is while one reads on; it goes when one says so, or answers. What arrives before one's eyes is not new.

export interface ReadState {
  /** The marker that the channel was opened with: another one means that it was opened again. */
  opened: number
  /** Everything up to here was before somebody's eyes. */
  seen: number
  /** Greatest seq held. */
  last: number
  line: { after: number; upTo: number } | undefined
}

export type ReadEvent =
  /** `isWatched`: the end is on the screen and the window has focus. */
  | { kind: 'arrived'; readSeq: number; last: number; isWatched: boolean }
  | { kind: 'watched' }
  /** Marked as read by hand, or answered. */
  | { kind: 'cleared' }

export const nothingRead: ReadState = { opened: -1, seen: 0, last: 0, line: undefined }

export function stepRead(state: ReadState, event: ReadEvent): ReadState {
  switch (event.kind) {
    case 'arrived': {
      const next = event.readSeq === state.opened ? afterArrival(state, event.last) : afterOpening(event.readSeq, event.last)
      if (!event.isWatched) return next
      // Seen while it came: no line for it, unless one stood already.
      const isFresh = event.readSeq === state.opened && next.line !== state.line
      return watched(isFresh ? { ...next, line: state.line } : next)
    }
    case 'watched':
      return watched(state)
    case 'cleared':
      return { ...state, seen: Math.max(state.seen, state.last), line: undefined }
  }
}

function afterOpening(readSeq: number, last: number): ReadState {
  const line = last > readSeq ? { after: readSeq, upTo: Number.POSITIVE_INFINITY } : undefined
  return { opened: readSeq, seen: readSeq, last: Math.max(last, readSeq), line }
}

function afterArrival(state: ReadState, last: number): ReadState {
  if (last <= state.last) return state
  const wasAllSeen = state.seen >= state.last
  const line = wasAllSeen ? { after: state.seen, upTo: Number.POSITIVE_INFINITY } : state.line
  return { ...state, last, line }
}

function watched(state: ReadState): ReadState {
  const seen = Math.max(state.seen, state.last)
  const line = state.line && { ...state.line, upTo: Math.min(state.line.upTo, seen) }
  const isSame = seen === state.seen && line?.upTo === state.line?.upTo
  return isSame ? state : { ...state, seen, line }
}
