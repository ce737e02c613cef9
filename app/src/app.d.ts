// What Kit lets an app say about its own pages, and two events that a library adds to lists.
import type { DndEvent } from 'svelte-dnd-action'

declare global {
  namespace App {
    interface PageState {
      /** In a window too narrow for all panes: the one that lies over the middle. Kept in history, so that "back" closes it. */
      over?: 'list' | 'members'
    }
  }
}

declare module 'svelte/elements' {
  interface HTMLAttributes<T> {
    onconsider?(event: CustomEvent<DndEvent>): void
    onfinalize?(event: CustomEvent<DndEvent>): void
  }
}
