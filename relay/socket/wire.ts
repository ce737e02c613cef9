// A WebSocket of either kind as the hub sees it: a wire that takes whole frames, and what comes in at its other end.
import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import type { Wire } from '../hub-ports.ts'
import type { Outgoing } from './outgoing.ts'

/** What the hub wants to hear of a wire. */
export interface WireEnd {
  receive(bytes: Uint8Array): void
  /** The wire has room again. */
  drained(): void
  closed(): void
}

/** After a close frame nothing is sent; a peer that does not answer it is cut. */
const closeTimeoutMs = 1_000
const nothing = new Uint8Array()

export function wireOf(socket: WebSocket, outgoing: Outgoing): Wire {
  return {
    send: outgoing.send,
    close(code, reason) {
      outgoing.flush()
      socket.close(code, reason)
      setTimeout(() => socket.terminate(), closeTimeoutMs).unref()
    },
    queuedBytes: outgoing.queuedBytes,
  }
}

export function listenTo(socket: WebSocket, stream: Duplex, end: WireEnd): void {
  stream.on('drain', () => end.drained())
  socket.on('message', (data, isBinary) => {
    // ws gives one Buffer for `binaryType` nodebuffer, which is its default. A text is no frame, and what comes behind it is none either.
    end.receive(isBinary && data instanceof Uint8Array ? data : nothing)
  })
  // ws closes after an error by itself; without a listener it would end the process.
  socket.on('error', () => socket.terminate())
  socket.on('close', () => end.closed())
}
