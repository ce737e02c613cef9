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
}

export function createLogScroll({ list, rows, onnear }: Ports) {
  let isAtEnd = $state(true)
  let isFarUp = $state(false)
  let topIndex = $state(0)
  let isUnderTop = $state(false)
  /** Until the reader moves it oneself, a late answer may still find the better place. */
  let isTouched = false
  let isStuck = true
  let offset = 0
  let anchor: { key: string; above: number } | undefined

  function settle(): void {
    const handle = list()
    if (!handle) return
    const next = handle.getScrollOffset()
    const view = handle.getViewportSize()
    const size = handle.getScrollSize()
    isAtEnd = next + view >= size - endPx
    isFarUp = next + view * 3 < size
    if (isAtEnd) isStuck = true
    else if (next < offset - 1) isStuck = false
    offset = next
    topIndex = Math.max(0, handle.findItemIndex(next + 1))
    isUnderTop = next > 0 && handle.getItemOffset(topIndex) < next
    if (view > 0 && next < view * 1.5) onnear()
  }

  function toEnd(): void {
    isStuck = true
    const last = rows().length - 1
    if (last >= 0) list()?.scrollToIndex(last, { align: 'end' })
  }

  function indexOf(key: string): number {
    return rows().findIndex((row) => row.key === key)
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
    get isTouched() {
      return isTouched
    },
    settle,
    toEnd,
    touch() {
      isTouched = true
    },
    /** The first place in this channel: the new line, where one was, or the end. */
    place(kept: ReadingPlace | undefined): void {
      const line = indexOf('new')
      const at = kept ? indexOf(kept.key) : -1
      isStuck = line < 0 && at < 0
      if (line >= 0) list()?.scrollToIndex(line, { align: 'start', offset: -aboveLinePx })
      else if (at >= 0) list()?.scrollToIndex(at, { align: 'start', offset: kept?.above ?? 0 })
      else toEnd()
    },
    /** Sizes changed: who was at the end stays there. */
    resized(): void {
      if (isStuck) toEnd()
      settle()
    },
    /** Before rows change: what the reader looks at. */
    hold(): void {
      const handle = list()
      const row = rows()[topIndex]
      anchor = handle && row && { key: row.key, above: handle.getScrollOffset() - handle.getItemOffset(topIndex) }
    },
    /** After rows changed. @param isPrepend the list itself held the place, from its end */
    changed(isPrepend: boolean): void {
      const handle = list()
      if (!handle) return
      if (isStuck) toEnd()
      else if (!isPrepend && anchor) {
        const at = indexOf(anchor.key)
        const wanted = handle.getItemOffset(at) + anchor.above
        if (at >= 0 && Math.abs(wanted - handle.getScrollOffset()) > 1) handle.scrollTo(wanted)
      }
      settle()
    },
    placeNow(): ReadingPlace | undefined {
      const handle = list()
      const row = rows()[topIndex]
      if (!handle || !row || isStuck || isAtEnd) return undefined
      return { key: row.key, above: handle.getScrollOffset() - handle.getItemOffset(topIndex) }
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
      await tick()
    },
  }
}
