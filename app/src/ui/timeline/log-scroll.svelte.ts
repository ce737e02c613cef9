// Where the log stands: at the end and staying there, at the line where new messages begin, or wherever one reads.
// It moves the list only when messages come or sizes change, never under a reader. One for each open channel.
import { tick } from 'svelte'
import type { VirtualizerHandle } from 'virtua/svelte'
import type { ReadingPlace } from './kept-places.ts'
import type { Row } from './rows.ts'

/** This close to the end counts as the end. */
const endPx = 24
/** What is left to see above the line where new messages begin. */
const aboveLinePx = 96
/** The sticky knot covers so much at the top. */
const stickyPx = 36

interface Ports {
  list(): VirtualizerHandle | undefined
  rows(): readonly Row[]
  /** The top comes near. */
  onnear(): void
  /** Where one reads now; `undefined` = at the end. */
  onplace(place: ReadingPlace | undefined): void
  /** Where one was when one left this channel. */
  kept: ReadingPlace | undefined
}

export function createLogScroll({ list, rows, onnear, onplace, kept }: Ports) {
  let isAtEnd = $state(true)
  let isFarUp = $state(false)
  let topIndex = $state(0)
  let isUnderTop = $state(false)
  /** The reader has moved it, or asked to. */
  let isTouched = false
  let isStuck = true
  let offset = 0
  let anchor: ReadingPlace | undefined
  /** The rows as the list has laid them out. */
  let laid: readonly Row[] = []
  /** Rows changed above a reader: until the list has measured them again, the place is held by hand. */
  let isHolding = false

  function settle(): void {
    const handle = list()
    if (!handle) return
    const next = handle.getScrollOffset()
    const view = handle.getViewportSize()
    const size = handle.getScrollSize()
    isAtEnd = next + view >= size - endPx
    isFarUp = next + view * 3 < size
    if (isAtEnd) isStuck = true
    else if (next < offset - 1 && isStuck) {
      isStuck = false // nothing but the reader goes up from the end
      isTouched = true
    }
    offset = next
    topIndex = Math.max(0, handle.findItemIndex(next + 1))
    isUnderTop = next > 0 && handle.getItemOffset(topIndex) < next
    onplace(isAtEnd ? undefined : readingPlace())
    if (view > 0 && next < view * 1.5) onnear()
  }

  /** The first place in this channel: the new line, where one was, or the end. The line may come a moment after the messages. */
  function place(): void {
    const line = indexOf('new')
    const at = kept ? indexOf(kept.key) : -1
    isStuck = line < 0 && at < 0
    if (line >= 0) list()?.scrollToIndex(line, { align: 'start', offset: -aboveLinePx })
    else if (at >= 0) list()?.scrollToIndex(at, { align: 'start', offset: kept?.above ?? 0 })
    else toEnd()
  }

  /** Something grew or came: who was at the end stays there, who has not moved yet stays at the first place, a reader stays where he reads. */
  function keep(): void {
    if (!isTouched) place()
    else if (isStuck) toEnd()
    else if (isHolding) returnTo(anchor)
  }

  function toEnd(): void {
    isStuck = true
    const last = rows().length - 1
    if (last >= 0) list()?.scrollToIndex(last, { align: 'end' })
  }

  function indexOf(key: string): number {
    return rows().findIndex((row) => row.key === key)
  }

  function returnTo(place: ReadingPlace | undefined): void {
    const handle = list()
    const at = place ? indexOf(place.key) : -1
    if (!handle || !place || at < 0) return
    const wanted = handle.getItemOffset(at) + place.above
    if (Math.abs(wanted - handle.getScrollOffset()) > 1) handle.scrollTo(wanted)
  }

  function readingPlace(): ReadingPlace | undefined {
    const handle = list()
    const row = laid[topIndex]
    return handle && row && { key: row.key, above: handle.getScrollOffset() - handle.getItemOffset(topIndex) }
  }

  return {
    get isAtEnd() {
      return isAtEnd
    },
    get isFarUp() {
      return isFarUp
    },
    /** Index of the row at the top of the screen. */
    get topIndex() {
      return topIndex
    },
    /** That row begins above the edge. */
    get isUnderTop() {
      return isUnderTop
    },
    settle,
    toEnd() {
      isTouched = true
      toEnd()
    },
    touch() {
      isTouched = true
      isHolding = false
    },
    /** Sizes changed. */
    resized(): void {
      keep()
      settle()
    },
    /** Before the list takes other rows: what the reader looks at. */
    hold(): void {
      anchor = readingPlace()
    },
    /** After rows changed. @param isPrepend the list itself held the place, from its end */
    changed(isPrepend: boolean): void {
      const handle = list()
      laid = rows()
      if (!handle || laid.length === 0) return
      isHolding = !isPrepend
      keep()
      settle()
    },
    /** Brings a row onto the screen, clear of the sticky knot, and waits until it is there. */
    async show(index: number): Promise<void> {
      const handle = list()
      if (!handle) return
      const top = handle.getItemOffset(index)
      const bottom = top + handle.getItemSize(index)
      const from = handle.getScrollOffset()
      if (top < from + stickyPx) handle.scrollToIndex(index, { align: 'start', offset: -stickyPx })
      else if (bottom > from + handle.getViewportSize()) handle.scrollToIndex(index, { align: 'end' })
      isTouched = true
      isHolding = false
      await tick()
    },
  }
}
