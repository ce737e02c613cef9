// The stock y-websocket provider as anybody would use it, pointed at a real relay; and the bare socket beside it, for what no provider does.

import { once } from 'node:events'
import { expect } from 'vitest'
import { WebSocket } from 'ws'
import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'
import { timelineView } from '#app/engine/views/message-views.ts'
import { toBase64Url, utf8 } from '#shared/base/bytes.ts'
import type { EntryId, SegmentId } from '#shared/base/ids.ts'
import { makeTimeId } from '#shared/base/ids.ts'
import { entrySignedBytes } from '#shared/crypto/signed-bytes.ts'
import type { EntryFields } from '#shared/log/entry.ts'
import { writeEntryText } from '#shared/log/entry-codec.ts'
import type { Place } from '../fakes/node-community.ts'
import { type NodeDevice, startNodeDevice } from '../fakes/node-device.ts'

/** Says it, and waits until the relay took it. */
export async function say(device: NodeDevice, { space, channel }: Place, text: string): Promise<EntryId> {
  const id = await device.send(space, channel, text)
  device.core.watch(channel, 10_000)
  await device.until(() =>
    timelineView(device.core.world, channel, 10_000).messages.some((one) => one.id === id && one.state.kind === 'accepted'),
  )
  return id
}

export async function segmentOf(device: NodeDevice, { channel }: Place): Promise<SegmentId> {
  const rows = () => [...device.core.world.tables.segment.values()].filter((row) => row.channel === channel)
  await device.until(() => rows().length > 0)
  const [row] = rows()
  if (!row) throw new Error('no segment')
  return row.id
}

/** An entry as a bot makes it: a signature and the text it signs. */
export async function signEntry(by: NodeDevice, { space, channel }: Place, fields: Partial<EntryFields>): Promise<string> {
  const id = makeTimeId<'entry'>(Date.now(), crypto.getRandomValues(new Uint8Array(16)))
  const { account, dev, device } = by.account
  const text = writeEntryText({ id, by: account, dev, at: Date.now(), op: 'post', ref: 0, ext: 0, body: { t: '' }, ...fields })
  return `${toBase64Url(await device.sign(entrySignedBytes(space, channel, utf8(text))))}${text}`
}

export const patience = { timeout: 20_000, interval: 5 }

export type StockReader = ReturnType<typeof startStockReader>

export function startStockReader(url: string, segment: string, token: string) {
  const doc = new Y.Doc()
  const provider = new WebsocketProvider(`${url.replace(/^http/, 'ws')}/api/doc`, segment, doc, {
    protocols: ['dupecord.1', `token.${token}`],
    // reason: ws has every part of a browser's socket that the provider touches, and closes hard on demand besides
    WebSocketPolyfill: WebSocket as unknown as typeof globalThis.WebSocket,
    disableBc: true,
    maxBackoffTime: 200,
  })
  const closes: number[] = []
  provider.on('connection-close', (event) => void (event && closes.push(event.code)))
  const texts = () => doc.getArray<string>('log').map(wordsOf)
  return {
    doc,
    provider,
    /** Codes of all closes that the relay made. */
    closes,
    texts,
    reads: (expected: string[]) => expect.poll(texts, patience).toEqual(expected),
    synced: () => expect.poll(() => provider.synced, patience).toBe(true),
    closedWith: (code: number) => expect.poll(() => closes.at(-1), patience).toBe(code),
    /** As a cable that is pulled out. */
    cut: () => {
      const socket: unknown = provider.ws
      if (socket instanceof WebSocket) socket.terminate()
    },
    stop: () => {
      provider.destroy()
      doc.destroy()
    },
  }
}

/** The whole document as the relay serves it. */
export async function servedBytes(url: string, segment: string, token: string): Promise<Uint8Array> {
  const socket = await dial(url, `/api/doc/${segment}`, token)
  socket.send(Uint8Array.of(0, 0, 1, 0))
  const [answer]: Buffer[] = await once(socket, 'message')
  socket.terminate()
  if (!answer) throw new Error('no answer')
  let at = 2
  while ((answer[at] ?? 0) > 127) at++
  return new Uint8Array(answer.subarray(at + 1))
}

export async function dial(url: string, path: string, token: string): Promise<WebSocket> {
  const socket = new WebSocket(`${url.replace(/^http/, 'ws')}${path}`, ['dupecord.1', `token.${token}`])
  await once(socket, 'open')
  return socket
}

export async function people(url: string, ...names: string[]): Promise<NodeDevice[]> {
  const devices: NodeDevice[] = []
  for (const name of names) devices.push(await startNodeDevice(url, name, true))
  return devices
}

/** The words of an element, or its op. */
function wordsOf(element: string): string {
  const [, , , , op, , , body] = JSON.parse(element.slice(element.indexOf('[')))
  return op === 'post' ? String(body.t) : String(op)
}
