// What can be done to a message, and the menu that offers it: the same items in the same order wherever it opens.
import Copy from '@lucide/svelte/icons/copy'
import Pencil from '@lucide/svelte/icons/pencil'
import Trash2 from '@lucide/svelte/icons/trash-2'
import type { MessageView } from '#app/engine/api.ts'
import type { MenuEntry } from '#app/ui/kit/menu.svelte.ts'

/** Where a promise of text is returned, it says what went wrong; '' = done. */
export interface MessageActs {
  startEdit(message: MessageView): void
  saveEdit(message: MessageView, text: string): Promise<string>
  cancelEdit(): void
  /** Asks first. */
  remove(message: MessageView): void
  sendAgain(message: MessageView): Promise<string>
  drop(message: MessageView): Promise<string>
  copy(message: MessageView): Promise<void>
}

/** Its words are on the screen: neither of a kind that cannot be drawn, nor withheld. */
export function hasWords(message: MessageView): boolean {
  return !message.newer && message.verified !== false
}

export function isEditable(message: MessageView): boolean {
  return message.you && hasWords(message)
}

export function messageMenu(message: MessageView, acts: MessageActs): MenuEntry[] {
  const wordless = hasWords(message) ? '' : 'no words'
  return [
    { label: 'Copy the words', icon: Copy, off: wordless, run: () => void acts.copy(message) },
    'part',
    { label: 'Edit', icon: Pencil, end: 'E', off: message.you ? wordless : 'not yours', run: () => acts.startEdit(message) },
    {
      label: 'Remove…',
      icon: Trash2,
      end: 'Del',
      danger: message.you,
      off: message.you ? '' : 'not yours',
      run: () => acts.remove(message),
    },
  ]
}
