// The one open menu. Whoever has one hands over its items; MenuHost draws it. The same items open by right click, long press,
// the menu key and the dots, always in the same order; what may not be done stays visible, off, with its reason.
import type { Component } from 'svelte'
import type { Attachment } from 'svelte/attachments'

export interface MenuItem {
  label: string
  icon?: Component<{ class?: string }>
  /** Right end: a key, or where it leads. */
  end?: string
  /** Why it cannot be done now; '' or absent = it can. */
  off?: string
  danger?: boolean
  /** One of several of which one holds. */
  checked?: boolean
  run(): void
}
/** A line between groups, or a word that names the next one. */
export type MenuEntry = MenuItem | 'part' | { heading: string }

export interface OpenMenu {
  label: string
  entries: MenuEntry[]
  /** Where focus returns. */
  from: HTMLElement
  /** Under the element, or at the pointer. */
  at: { x: number; y: number } | 'element'
}

/** A finger that rests this long means "menu". */
const longPressMs = 500
/** A finger that moved this far scrolls. */
const longPressPx = 10

let open = $state.raw<OpenMenu | undefined>()

export function openMenu(): OpenMenu | undefined {
  return open
}

export function showMenu(menu: OpenMenu): void {
  open = menu
}

/** A second press on the same button closes what the first one opened. */
export function toggleMenu(from: HTMLElement, label: string, entries: MenuEntry[]): void {
  open = open?.from === from ? undefined : { label, entries, from, at: 'element' }
}

export function closeMenu(refocus: boolean): void {
  const from = open?.from
  open = undefined
  if (refocus) from?.focus()
}

/** Opens a menu by right click, by the menu key and by a resting finger. Touch is timed here: Safari on phones sends no `contextmenu`. */
export function menuOn(label: () => string, entries: () => MenuEntry[]): Attachment<HTMLElement> {
  return (element) => {
    let timer: ReturnType<typeof setTimeout> | undefined
    let start = { x: 0, y: 0 }
    let wasLong = false

    function show(x: number, y: number): void {
      const from = element.querySelector<HTMLElement>('a[href], button') ?? element
      showMenu({ label: label(), entries: entries(), from, at: x === 0 && y === 0 ? 'element' : { x, y } })
    }
    function onContext(event: MouseEvent): void {
      event.preventDefault()
      clearTimeout(timer)
      // A menu key has no pointer: browsers give 0,0 or the element's own place.
      const byKey = event.button !== 2 && event.detail === 0 && event.clientX === 0
      show(byKey ? 0 : event.clientX, byKey ? 0 : event.clientY)
    }
    function onDown(event: PointerEvent): void {
      if (event.pointerType !== 'touch') return
      wasLong = false
      start = { x: event.clientX, y: event.clientY }
      timer = setTimeout(() => {
        wasLong = true
        show(start.x, start.y)
      }, longPressMs)
    }
    function onMove(event: PointerEvent): void {
      if (Math.hypot(event.clientX - start.x, event.clientY - start.y) > longPressPx) clearTimeout(timer)
    }
    /** The finger that opened the menu lifts: that is no press on the link under it. */
    function onClick(event: MouseEvent): void {
      if (!wasLong) return
      wasLong = false
      event.preventDefault()
      event.stopPropagation()
    }
    function onEnd(): void {
      clearTimeout(timer)
    }

    element.addEventListener('contextmenu', onContext)
    element.addEventListener('pointerdown', onDown)
    element.addEventListener('pointermove', onMove)
    element.addEventListener('pointerup', onEnd)
    element.addEventListener('pointercancel', onEnd)
    element.addEventListener('click', onClick, true)
    return () => {
      clearTimeout(timer)
      element.removeEventListener('contextmenu', onContext)
      element.removeEventListener('pointerdown', onDown)
      element.removeEventListener('pointermove', onMove)
      element.removeEventListener('pointerup', onEnd)
      element.removeEventListener('pointercancel', onEnd)
      element.removeEventListener('click', onClick, true)
    }
  }
}
