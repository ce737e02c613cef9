// Sockets of stock y-websocket clients at /api/doc/<segment>, handed to the hub as readers. The token comes as a subprotocol, since a browser
// can send no header with a socket and an address ends up in logs: `dupecord.1, token.<token>`, of which the relay selects the first.
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import { parseSegmentId, type SegmentId } from '#shared/base/ids.ts'
import { limits } from '#shared/base/limits.ts'
import type { Hub } from '../hub.ts'
import { createOutgoing } from './outgoing.ts'
import { listenTo, wireOf } from './wire.ts'

export interface StockSockets {
  upgrade(request: IncomingMessage, stream: Duplex, head: Buffer, segment: SegmentId): void
  /** Sockets of the moment. */
  readonly clients: ReadonlySet<WebSocket>
  close(): void
}

const protocol = 'dupecord.1'
const tokenPrefix = 'token.'
const documents = '/api/doc/'

/** `undefined` for every other address, also for one with anything behind the id. */
export function segmentOfUrl(url: string | undefined): SegmentId | undefined {
  return url?.startsWith(documents) ? parseSegmentId(url.slice(documents.length)) : undefined
}

/** Does the client speak this? One that does not would hang up by itself. */
export function offersStock({ headers }: IncomingMessage): boolean {
  return offeredBy(headers['sec-websocket-protocol']).includes(protocol)
}

export function createStockSockets(read: Hub['read']): StockSockets {
  const sockets = new WebSocketServer({
    noServer: true,
    // What a reader has to say is short; a page's awareness may be longer.
    maxPayload: limits.controlBytesMax,
    perMessageDeflate: false,
    handleProtocols: (offered) => offered.has(protocol) && protocol,
  })

  const outgoingOf = createOutgoing()

  function join(socket: WebSocket, stream: Duplex, segment: SegmentId, token: string): void {
    const reader = read({ ...wireOf(socket, outgoingOf(stream)), ping: () => socket.ping() }, segment, token)
    listenTo(socket, stream, reader)
    socket.on('pong', () => reader.heard())
  }

  return {
    upgrade(request, stream, head, segment) {
      const token = offeredBy(request.headers['sec-websocket-protocol']).find((one) => one.startsWith(tokenPrefix)) ?? ''
      sockets.handleUpgrade(request, stream, head, (socket) => join(socket, stream, segment, token.slice(tokenPrefix.length)))
    },
    clients: sockets.clients,
    close() {
      for (const socket of sockets.clients) socket.terminate()
      sockets.close()
    },
  }
}

function offeredBy(header: string | undefined): string[] {
  return (header ?? '').split(',').map((one) => one.trim())
}
