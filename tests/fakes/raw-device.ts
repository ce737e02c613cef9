// The hand-made end of a socket: sends any bytes, keeps every frame that comes, and waits for a frame or for the close. It answers nothing by
// itself and corrects nothing; an honest one made of it sends beats so that the relay takes it for alive.
import type { Socket } from 'node:net'
import WebSocket from 'ws'
import type { ChannelId, SegmentId } from '#shared/base/ids.ts'
import { encodeUp, parseDown } from '#shared/protocol/frame-codec.ts'
import { type ControlDown, type FrameDown, protocolVersion } from '#shared/protocol/frames.ts'
import type { Verdict } from '#shared/protocol/records.ts'

export interface Closed {
  /** 1006: cut without a close frame. */
  code: number
  reason: string
}

type Control<Type extends ControlDown['t']> = ControlDown & { t: Type }

export interface RawDevice {
  readonly frames: readonly FrameDown[]
  readonly closed: Promise<Closed>
  readonly isOpen: boolean
  /** The connection under the WebSocket: for bytes that are no frame of it. */
  readonly tcp: Socket
  /** A binary frame, or a text frame. */
  send(bytes: Uint8Array | string): void
  /** A control frame, whatever it says. */
  say(message: object): void
  /** Verdicts and wait of one append. @throws when the relay closes the link instead */
  append(channel: ChannelId, entries: readonly Uint8Array[]): Promise<Control<'result'>>
  /** The verdict on one entry. */
  verdict(channel: ChannelId, entry: Uint8Array): Promise<Verdict>
  /** The first control frame of this kind that `holds`, of those that came or will come. @throws when the link closes */
  heard<Type extends ControlDown['t']>(type: Type, holds?: (message: Control<Type>) => boolean): Promise<Control<Type>>
  /** What it has open comes as Yjs updates, in order. @throws when the link closes */
  openSegment(seg: SegmentId, n?: number, tail?: string): Promise<Control<'opened' | 'stale' | 'gone'>>
  /** Called for every frame as it comes. */
  onFrame(listen: (frame: FrameDown) => void): void
  /** Sends what was handed over so far, then closes the connection. */
  end(): Promise<void>
  /** Cuts the connection without a word. */
  cut(): void
}

/** A link that has not said hello. */
export async function connectRaw(
  url: string,
  options: { path?: string; protocols?: string[]; origin?: string } = {},
): Promise<RawDevice> {
  const { path = '/api/socket', protocols = [], origin } = options
  const line = new WebSocket(`${url.replace(/^http/, 'ws')}${path}`, protocols, {
    perMessageDeflate: false,
    ...(origin === undefined ? {} : { origin }),
  })
  const frames: FrameDown[] = []
  const listeners = new Set<(frame: FrameDown) => void>()
  let end: Closed | undefined
  let nr = 0
  let req = 0
  const ends = new Set<() => void>()
  const closed = new Promise<Closed>((resolve) => {
    line.on('close', (code, reason) => {
      end = { code, reason: String(reason) }
      resolve(end)
      for (const tell of ends) tell()
    })
  })
  line.on('error', () => {}) // the close event says what there is to know
  line.on('message', (data) => {
    if (!(data instanceof Uint8Array)) return
    const frame = parseDown(new Uint8Array(data))
    if (!frame || frame.kind === 'unknown') return
    frames.push(frame)
    for (const listen of listeners) listen(frame)
  })
  const tcp = await new Promise<Socket>((resolve, reject) => {
    let socket: Socket | undefined
    line.on('upgrade', (answer) => {
      socket = answer.socket
    })
    line.on('open', () => socket && resolve(socket))
    line.on('unexpected-response', (request, answer) => {
      reject(new Error(`no socket: ${answer.statusCode}`))
      request.destroy()
    })
    line.on('close', () => reject(new Error('no socket')))
  })

  function first<Found>(find: (frame: FrameDown) => Found | undefined): Promise<Found> {
    for (const frame of frames) {
      const found = find(frame)
      if (found !== undefined) return Promise.resolve(found)
    }
    return new Promise((resolve, reject) => {
      const settle = () => {
        listeners.delete(listen)
        ends.delete(stop)
      }
      const listen = (frame: FrameDown) => {
        const found = find(frame)
        if (found === undefined) return
        settle()
        resolve(found)
      }
      const stop = () => {
        settle()
        reject(new Error(`the relay closed the link: ${end?.code} ${end?.reason}`))
      }
      listeners.add(listen)
      ends.add(stop)
      if (end) stop()
    })
  }

  const device: RawDevice = {
    frames,
    closed,
    get isOpen() {
      return end === undefined && line.readyState === WebSocket.OPEN
    },
    tcp,
    send: (bytes) => line.send(bytes),
    say: (message) => line.send(controlBytes(message)),
    append(channel, entries) {
      const mine = ++nr
      line.send(encodeUp({ kind: 'append', nr: mine, channel, entries: [...entries] }))
      return device.heard('result', (message) => message.nr === mine)
    },
    async verdict(channel, entry) {
      const { verdicts } = await device.append(channel, [entry])
      const [verdict] = verdicts
      if (!verdict) throw new Error('no verdict')
      return verdict
    },
    heard: (type, holds = () => true) =>
      first((frame) => {
        if (frame.kind !== 'control' || frame.message.t !== type) return undefined
        // reason: `t` was just compared with the type that the caller named
        const message = frame.message as Control<typeof type>
        return holds(message) ? message : undefined
      }),
    async openSegment(seg, n = 0, tail = '') {
      const mine = ++req
      const before = frames.length
      device.say({ t: 'open', req: mine, seg, n, view: 0, tail })
      return first((frame) => {
        if (frame.kind !== 'control') return undefined
        const { message } = frame
        if ((message.t === 'opened' || message.t === 'stale') && message.req === mine) return message
        return message.t === 'gone' && frames.indexOf(frame) >= before ? message : undefined
      })
    },
    onFrame: (listen) => void listeners.add(listen),
    async end() {
      line.close()
      await closed
    },
    cut: () => line.terminate(),
  }
  return device
}

/** A link that was greeted. @throws when it was not */
export async function greetRaw(url: string, token: string): Promise<RawDevice> {
  const device = await connectRaw(url)
  device.say(helloOf(token))
  await device.heard('ready')
  return device
}

/** The code that this token's hello gets; 0 where it is greeted. */
export async function helloCode(url: string, token: string): Promise<number> {
  const device = await connectRaw(url)
  device.say(helloOf(token))
  const code = await device.heard('ready').then(
    () => 0,
    async () => (await device.closed).code,
  )
  await device.end()
  return code
}

export function helloOf(token: string): object {
  return { t: 'hello', v: protocolVersion, token, incarnation: '', mark: '' }
}

/** 00 and JSON, unchecked. @param message text as it is, or a value */
export function controlBytes(message: object | string): Uint8Array {
  const text = new TextEncoder().encode(typeof message === 'string' ? message : JSON.stringify(message))
  const bytes = new Uint8Array(1 + text.length)
  bytes.set(text, 1)
  return bytes
}
