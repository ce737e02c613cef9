// The account's private document: drafts, and the words that were not sent. One Y.Doc with the stock providers: y-indexeddb keeps it,
// y-websocket carries it over a stream of the engine's socket to the person's other devices, and to nobody else.
// y-indexeddb does not acknowledge, so nothing that must not be lost is only here: refused words stay in the outbox too.
import { IndexeddbPersistence, storeState } from 'y-indexeddb'
import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'
import type { AccountId, ChannelId, EntryId } from '#shared/base/ids.ts'
import type { UnsentWords, WordsPort } from '../core/ports.ts'
import { createStreamPlug } from './stream-socket.ts'
import { parseWords } from './unsent-words.ts'

export interface PrivateDocument extends WordsPort {
  draft(channel: ChannelId): string
  setDraft(channel: ChannelId, text: string): Promise<void>
  /** Words under "Not sent" on any device. */
  unsent(): UnsentWords[]
  /** Has this device's own storage been read? Before that, nothing is known. */
  readonly loaded: boolean
  /** The relay is ready for the stream: what is here and what is there meet. */
  connect(send: (bytes: Uint8Array) => void): void
  disconnect(): void
  receive(bytes: Uint8Array): void
  /** Any frame at all: a provider takes a quiet stream for a dead one. */
  heard(): void
  /** Memory only; what is stored stays. */
  close(): Promise<void>
}

export type PrivateChange = { kind: 'draft'; channel: ChannelId } | { kind: 'unsent' } | { kind: 'settled'; id: EntryId }

export function privateDatabaseName(account: AccountId): string {
  return `dupecord-${account}-private`
}

/** What was sent or settled may be taken back later: soon after, no stored update holds its words any more. */
const tidyAfterMs = 500

export function openPrivateDocument(account: AccountId, changed: (change: PrivateChange) => void): PrivateDocument {
  const doc = new Y.Doc()
  const drafts = doc.getMap<string>('drafts')
  /** Words, or 0: settled. A sign of its own, since a device that has not seen them yet must not take "not here" for "done". */
  const unsent = doc.getMap<unknown>('unsent')
  const storage = new IndexeddbPersistence(privateDatabaseName(account), doc)
  let loaded = false
  let line: ((bytes: Uint8Array) => void) | undefined
  const plug = createStreamPlug((bytes) => line?.(bytes))
  const provider = new WebsocketProvider('wss://engine.invalid', 'private', doc, {
    connect: false,
    disableBc: true,
    // reason: the provider's type asks for the whole of WebSocket and uses the part that a StreamSocket has
    WebSocketPolyfill: plug.Socket as unknown as typeof WebSocket,
  })
  // Presence is not this document's business; left alone it would renew itself every 15 s.
  provider.awareness.setLocalState(null)

  const tellAll = () => {
    // reason: keys of this map were written as channel ids, by this file on this or another device
    for (const channel of drafts.keys()) changed({ kind: 'draft', channel: channel as ChannelId })
    changed({ kind: 'unsent' })
    for (const [id, value] of unsent) {
      // reason: keys of this map were written as entry ids, by this file on this or another device
      if (value === 0) changed({ kind: 'settled', id: id as EntryId })
    }
  }
  let tidying: ReturnType<typeof setTimeout> | undefined
  let closed = false
  // The document itself forgets at once what was deleted; the updates that are stored of it do not, until they are joined.
  const tidySoon = () => {
    clearTimeout(tidying)
    if (!closed) tidying = setTimeout(() => void storeState(storage), tidyAfterMs)
  }
  const ready = storage.whenSynced.then(() => {
    loaded = true
    tellAll()
    tidySoon()
  })
  drafts.observe((event) => {
    if (loaded && [...event.keysChanged].some((channel) => !drafts.has(channel))) tidySoon()
    // reason: keys of this map were written as channel ids, by this file on this or another device
    if (loaded) for (const channel of event.keysChanged) changed({ kind: 'draft', channel: channel as ChannelId })
  })
  unsent.observe((event) => {
    if (!loaded) return
    changed({ kind: 'unsent' })
    if ([...event.keysChanged].some((id) => unsent.get(id) === 0)) tidySoon()
    for (const id of event.keysChanged) {
      // reason: keys of this map were written as entry ids, by this file on this or another device
      if (!event.transaction.local && unsent.get(id) === 0) changed({ kind: 'settled', id: id as EntryId })
    }
  })
  const words = (id: string): UnsentWords | undefined => parseWords(id, unsent.get(id))

  return {
    get loaded() {
      return loaded
    },
    draft: (channel) => {
      const text: unknown = drafts.get(channel)
      return typeof text === 'string' ? text : ''
    },
    // Written only on top of what is stored: a value that was set before reading could lose against an older one.
    setDraft: async (channel, text) => {
      await ready
      if (text === '') drafts.delete(channel)
      else if (drafts.get(channel) !== text) drafts.set(channel, text)
    },
    unsent: () => [...unsent.keys()].flatMap((id) => words(id) ?? []),
    find: (id) => words(id),
    keep: ({ id, ...rest }) => void ready.then(() => unsent.set(id, rest)),
    settle: (id) =>
      void ready.then(() => {
        if (unsent.has(id) && unsent.get(id) !== 0) unsent.set(id, 0)
      }),
    connect: (to) => {
      line = to
      void ready.then(() => {
        if (line === to) provider.connect()
      })
    },
    disconnect: () => {
      line = undefined
      provider.disconnect()
    },
    receive: (bytes) => plug.receive(bytes),
    heard: () => {
      provider.wsLastMessageReceived = Date.now()
    },
    close: async () => {
      closed = true
      clearTimeout(tidying)
      provider.destroy()
      await storage.destroy()
      doc.destroy()
    },
  }
}
