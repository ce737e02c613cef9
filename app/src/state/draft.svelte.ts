// What one has begun to write in a channel. It is kept by the engine, on all one's devices: a closed tab, a cut or a refused sending loses no word of it.
import type { ChannelId } from '#shared/base/ids.ts'
import { call, engineClient } from './client.svelte.ts'

/** After this long without a key the words are given to the engine. */
const quietMs = 400

export interface Draft {
  text: string
  /** Own words in a focused box are never overwritten by those of another device. */
  isFocused: boolean
  /** Gives what was written to the engine now: on leaving the box, the page or the channel. */
  flush(): void
  /** Empties the box to send what is in it. The engine keeps its copy until `flush`: only when the words are safe elsewhere. */
  take(): string
  /** Puts back words that were not taken, before what was written since. */
  restore(words: string): void
  close(): void
}

export function openDraft(channel: ChannelId): Draft {
  let text = $state('')
  let isFocused = false
  /** What the engine holds as far as this box knows. */
  let kept = ''
  let calls = 0
  let timer: ReturnType<typeof setTimeout> | undefined

  const stop = engineClient().subscribe('draft', channel, ({ text: arrived }) => {
    const isUntouched = text === kept
    // While a call of one's own is under way, what arrives may be older than what was just written.
    if (calls > 0) return
    kept = arrived
    if (isUntouched || (!isFocused && timer === undefined)) text = arrived
  })

  function flush(): void {
    clearTimeout(timer)
    timer = undefined
    if (text === kept) return
    kept = text
    calls++
    void call('setDraft', { channel, text }).finally(() => calls--)
  }

  function later(): void {
    clearTimeout(timer)
    timer = setTimeout(flush, quietMs)
  }

  return {
    get text() {
      return text
    },
    set text(next) {
      text = next
      later()
    },
    get isFocused() {
      return isFocused
    },
    set isFocused(next) {
      isFocused = next
    },
    flush,
    take() {
      clearTimeout(timer)
      timer = undefined
      const words = text
      text = ''
      return words
    },
    restore(words) {
      text = text === '' ? words : `${words}\n${text}`
      later()
    },
    close() {
      flush()
      stop()
    },
  }
}
