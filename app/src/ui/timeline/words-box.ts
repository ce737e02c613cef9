// What the two boxes for words share: how many match, and growing with them.
import type { Attachment } from 'svelte/attachments'
import { limits } from '#shared/base/limits.ts'

/** How many characters too many, as people count them: one for each code point. Negative while there is room. */
export function charactersOver(text: string): number {
  const most = limits.messageCharactersMax
  // There are never more code points than UTF-16 units: far from the limit nothing is counted, since this runs at every key.
  return text.length < most / 2 ? text.length - most : Array.from(text.trim()).length - most
}

/** Keeps a text area as high as its words where the browser cannot do it itself (`field-sizing`); the style sheet bounds it. */
export const grow: Attachment<HTMLTextAreaElement> = (box) => {
  if (CSS.supports('field-sizing', 'content')) return
  const match = (): void => {
    box.style.height = 'auto'
    box.style.height = `${box.scrollHeight}px`
  }
  match()
  box.addEventListener('input', match)
  return () => box.removeEventListener('input', match)
}
