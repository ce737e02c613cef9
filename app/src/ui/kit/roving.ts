// One tab stop for a whole list: Tab enters where one was, arrows walk inside. (ARIA practices, "roving tabindex")
import type { Attachment } from 'svelte/attachments'

export interface RovingOptions {
  /** What can be reached; in the order of the document. */
  items: string
  /** Which arrows walk. */
  along?: 'column' | 'row' | 'both'
}

export function roving({ items, along = 'column' }: RovingOptions): Attachment<HTMLElement> {
  return (list) => {
    const reachable = () => [...list.querySelectorAll<HTMLElement>(items)].filter((item) => item.offsetParent !== null)

    function settle(): void {
      const all = [...list.querySelectorAll<HTMLElement>(items)]
      const here = all.find((item) => item === document.activeElement)
      const marked = all.find((item) => item.hasAttribute('aria-current') && item.getAttribute('aria-current') !== 'false')
      const stop = here ?? marked ?? all.find((item) => item.tabIndex === 0) ?? all[0]
      for (const item of all) item.tabIndex = item === stop ? 0 : -1
    }

    function onFocus(event: FocusEvent): void {
      const target = event.target instanceof Element ? event.target.closest<HTMLElement>(items) : null
      if (!target || !list.contains(target)) return
      for (const item of list.querySelectorAll<HTMLElement>(items)) item.tabIndex = item === target ? 0 : -1
    }

    function onKey(event: KeyboardEvent): void {
      if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return
      const all = reachable()
      const at = document.activeElement instanceof HTMLElement ? all.indexOf(document.activeElement) : -1
      if (at < 0) return
      const to = targetOf(event.key, at, all.length)
      if (to === undefined) return
      event.preventDefault()
      all[to]?.focus()
    }

    function targetOf(key: string, at: number, length: number): number | undefined {
      if (key === 'Home') return 0
      if (key === 'End') return length - 1
      if (along !== 'row' && key === 'ArrowDown') return Math.min(at + 1, length - 1)
      if (along !== 'row' && key === 'ArrowUp') return Math.max(at - 1, 0)
      if (along !== 'column' && key === 'ArrowRight') return Math.min(at + 1, length - 1)
      if (along !== 'column' && key === 'ArrowLeft') return Math.max(at - 1, 0)
      return undefined
    }

    settle()
    const changes = new MutationObserver(settle)
    changes.observe(list, { childList: true, subtree: true, attributes: true, attributeFilter: ['aria-current'] })
    list.addEventListener('focusin', onFocus)
    list.addEventListener('keydown', onKey)
    return () => {
      changes.disconnect()
      list.removeEventListener('focusin', onFocus)
      list.removeEventListener('keydown', onKey)
    }
  }
}
