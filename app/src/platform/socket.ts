// The one WebSocket to the relay, binary. Everything above it sees bytes and an end with a code.
import type { Bytes } from '#shared/base/bytes.ts'

export interface SocketEvents {
  opened(): void
  received(bytes: Bytes): void
  /** Exactly once, also when it never opened. `code` as the relay gave it, 1006 where the line broke. */
  closed(code: number): void
}

export interface Socket {
  /** Into a closed one: lost. */
  send(bytes: Bytes): void
  close(): void
}

export function openSocket(path: string, events: SocketEvents): Socket {
  const socket = new WebSocket(new URL(path, location.origin.replace(/^http/, 'ws')))
  socket.binaryType = 'arraybuffer'
  let over = false
  const end = (code: number) => {
    if (over) return
    over = true
    events.closed(code)
  }
  socket.onopen = () => {
    if (!over) events.opened()
  }
  socket.onmessage = (event: MessageEvent<unknown>) => {
    // Text is not our protocol: as good as broken.
    if (event.data instanceof ArrayBuffer) events.received(new Uint8Array(event.data))
    else socket.close()
  }
  socket.onclose = (event) => end(event.code)
  return {
    send: (bytes) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(bytes)
    },
    close: () => {
      socket.close()
      // A line that is dead without knowing takes minutes to say so; whoever closes does not wait for that.
      end(1006)
    },
  }
}
