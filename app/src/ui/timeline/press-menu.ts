// Opens a message's menu by right click, by the menu key and by a resting finger. Links and selected words keep the browser's own menu.
import type { Attachment } from 'svelte/attachments'
import { type MenuEntry, showMenu } from '#app/ui/kit/menu.svelte.ts'

/** A finger that rests this long means "menu". Safari on phones sends no `contextmenu`. */
const longPressMs = 500
/** A finger that moved this far scrolls. */
const longPressPx = 10

export function pressMenu(label: () => string, entries: () => MenuEntry[]): Attachment<HTMLElement> {
  return (element) => {
    let timer: ReturnType<typeof setTimeout> | undefined
    let start = { x: 0, y: 0 }

    const show = (at: { x: number; y: number } | 'element'): void =>
      showMenu({ label: label(), entries: entries(), from: element, at })
    const keepsOwn = (target: EventTarget | null): boolean =>
      target instanceof Element && target.closest('a[href], textarea, button') !== null
    const hasSelection = (): boolean => {
      const selection = getSelection()
      return selection !== null && !selection.isCollapsed && selection.containsNode(element, true)
    }
    const stop = (): void => clearTimeout(timer)

    function onContext(event: MouseEvent): void {
      stop()
      const isByKey = event.button !== 2
      if (!isByKey && (keepsOwn(event.target) || hasSelection())) return
      if (isByKey && event.target !== element && keepsOwn(event.target)) return
      event.preventDefault()
      show(isByKey && event.target === element ? 'element' : { x: event.clientX, y: event.clientY })
    }
    function onDown(event: PointerEvent): void {
      stop()
      if (event.pointerType !== 'touch' || keepsOwn(event.target)) return
      start = { x: event.clientX, y: event.clientY }
      timer = setTimeout(() => show(start), longPressMs)
    }
    function onMove(event: PointerEvent): void {
      if (Math.hypot(event.clientX - start.x, event.clientY - start.y) > longPressPx) stop()
    }

    element.addEventListener('contextmenu', onContext)
    element.addEventListener('pointerdown', onDown)
    element.addEventListener('pointermove', onMove)
    element.addEventListener('pointerup', stop)
    element.addEventListener('pointercancel', stop)
    return () => {
      stop()
      element.removeEventListener('contextmenu', onContext)
      element.removeEventListener('pointerdown', onDown)
      element.removeEventListener('pointermove', onMove)
      element.removeEventListener('pointerup', stop)
      element.removeEventListener('pointercancel', stop)
    }
  }
}
