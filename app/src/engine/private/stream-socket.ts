// A WebSocket for the stock provider that is really a stream of the engine's own socket. The multiplexer owns reconnecting:
// it tells the provider when to connect, so a socket made here is open as soon as it is made.

/** What the provider uses of a WebSocket; it sets the handlers itself. */
export interface StreamSocket {
  binaryType: string
  readyState: number
  onopen: (() => void) | null
  onmessage: ((event: { data: ArrayBuffer }) => void) | null
  onclose: ((event: { code: number; reason: string }) => void) | null
  onerror: ((event: unknown) => void) | null
  send(data: Uint8Array): void
  close(): void
}

export interface StreamPlug {
  /** The class to hand to the provider. */
  readonly Socket: new (
    url: string,
  ) => StreamSocket
  /** What came on the stream. */
  receive(bytes: Uint8Array): void
}

/** @param send one message; it is copied, since the provider goes on writing into its buffer */
export function createStreamPlug(send: (bytes: Uint8Array) => void): StreamPlug {
  let current: StreamSocket | undefined

  class Socket implements StreamSocket {
    // The provider asks the instance for these, as browsers have them there too.
    readonly CONNECTING = 0
    readonly OPEN = 1
    readonly CLOSING = 2
    readonly CLOSED = 3
    binaryType = 'arraybuffer'
    readyState = 0
    onopen: StreamSocket['onopen'] = null
    onmessage: StreamSocket['onmessage'] = null
    onclose: StreamSocket['onclose'] = null
    onerror: StreamSocket['onerror'] = null

    constructor() {
      current = this
      // The provider sets its handlers after the constructor.
      queueMicrotask(() => {
        if (this.readyState !== this.CONNECTING) return
        this.readyState = this.OPEN
        this.onopen?.()
      })
    }

    send(data: Uint8Array): void {
      if (this.readyState === this.OPEN) send(new Uint8Array(data))
    }

    close(): void {
      this.readyState = this.CLOSED
      if (current === this) current = undefined
    }
  }

  return {
    Socket,
    receive: (bytes) => {
      if (current?.readyState === 1) current.onmessage?.({ data: new Uint8Array(bytes).buffer })
    },
  }
}
