// The door of ws: devices' sockets at /api/socket, handed to the hub as wires. Knows no frame.
// A browser's page of another origin gets no socket; neither does an address that opens too many.
import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import { limits } from '#shared/base/limits.ts'
import type { Hub, LinkHandle } from '../hub.ts'
import { createNewcomers } from './newcomers.ts'
import { createOutgoing } from './outgoing.ts'
import { createStockSockets, offersStock, segmentOfUrl } from './stock-socket.ts'
import { listenTo, wireOf } from './wire.ts'

export interface SocketPorts {
  server: Server
  hub: Pick<Hub, 'connect' | 'read'>
  /** Origins allowed beside the one that the page itself came from. */
  origins: readonly string[]
  /** 0: this address may open a socket now; else the seconds to wait. */
  admit(address: string): Promise<number>
  addressOf(peer: string, forwardedFor: string): string
  /** Sockets of one address at one time that have not been greeted yet. */
  newcomersMax: number
}

/** By then a newcomer has said hello, or is cut. */
const newcomersWaitS = 5
const tooMany = '429 Too Many Requests'

export interface Sockets {
  /** From now on nobody new gets one: the relay stops. */
  refuseAll(): void
  /** Resolves when every socket that there is now is gone. */
  emptied(): Promise<void>
  close(): void
}

export function attachSocket({ server, hub, origins, admit, addressOf, newcomersMax }: SocketPorts): Sockets {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: limits.frameBytesMax,
    perMessageDeflate: false,
  })
  const outgoingOf = createOutgoing()
  const newcomers = createNewcomers<LinkHandle>(newcomersMax, (link) => link.isGreeted())

  const stock = createStockSockets(hub.read)
  let isRefusing = false

  server.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    // Until ws takes it over, an error here would end the process.
    const drop = () => stream.destroy()
    stream.on('error', drop)
    if (isRefusing) return refuse(stream, '503 Service Unavailable', 'retry-after: 2\r\n')
    const segment = segmentOfUrl(request.url)
    if (request.url !== '/api/socket' && !segment) return refuse(stream, '404 Not Found')
    if (!isOwnPage(request, origins)) return refuse(stream, '403 Forbidden')
    if (segment && !offersStock(request)) return refuse(stream, '400 Bad Request')
    const address = addressOf(request.socket.remoteAddress ?? '', String(request.headers['x-forwarded-for'] ?? ''))
    if (!segment && !newcomers.hasRoom(address)) return refuse(stream, tooMany, `retry-after: ${newcomersWaitS}\r\n`)
    admit(address).then((waitS) => {
      if (isRefusing) return refuse(stream, '503 Service Unavailable', 'retry-after: 2\r\n')
      if (waitS > 0) return refuse(stream, tooMany, `retry-after: ${waitS}\r\n`)
      stream.off('error', drop)
      if (segment) stock.upgrade(request, stream, head, segment)
      else sockets.handleUpgrade(request, stream, head, (socket) => join(socket, stream, address))
    }, drop)
  })

  function join(socket: WebSocket, stream: Duplex, address: string): void {
    const link = hub.connect(wireOf(socket, outgoingOf(stream)))
    newcomers.add(address, link)
    listenTo(socket, stream, link)
    socket.on('close', () => newcomers.remove(address, link))
  }

  return {
    refuseAll() {
      isRefusing = true
    },
    emptied: async () => {
      await Promise.all(
        [...sockets.clients, ...stock.clients].map((socket) => new Promise((resolve) => socket.once('close', resolve))),
      )
    },
    close() {
      for (const socket of sockets.clients) socket.terminate()
      sockets.close()
      stock.close()
    },
  }
}

/** Only browsers send an Origin, and they always do: no other site's page may speak for a person. */
function isOwnPage({ headers }: IncomingMessage, origins: readonly string[]): boolean {
  const { origin, host } = headers
  if (origin === undefined) return true
  return origins.includes(origin) || (host !== undefined && URL.parse(origin)?.host === host)
}

function refuse(stream: Duplex, status: string, headers = ''): void {
  stream.end(`HTTP/1.1 ${status}\r\nconnection: close\r\n${headers}content-length: 0\r\n\r\n`)
}
