// A WebSocket client that costs next to nothing, so that the generator is never what is measured: one read buffer for all sockets, no copy of
// what came whole, frames made once. Loopback only; it trusts the server.
import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'

export interface RawSocket {
  /** A frame made by `clientFrame`. */
  write(frame: Uint8Array): void
  close(): void
  readonly bytesIn: number
  readonly framesIn: number
}

export interface RawEvents {
  opened?(): void
  /** The bytes of one message stand in `buffer` during the call only. */
  message(buffer: Buffer, from: number, to: number): void
  /** By the server: why. */
  lost(why: string): void
}

const shared = Buffer.allocUnsafeSlow(1 << 20)
const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const

/** Masked with zeros, which the protocol allows and which costs the server as much as any mask. */
export function clientFrame(payload: Uint8Array, opcode: number = opcodes.binary): Buffer {
  const { length } = payload
  const head = length < 126 ? 2 : length < 65_536 ? 4 : 10
  const frame = Buffer.alloc(head + 4 + length)
  frame[0] = 0x80 | opcode
  frame[1] = 0x80 | (head === 2 ? length : head === 4 ? 126 : 127)
  if (head === 4) frame.writeUInt16BE(length, 2)
  if (head === 10) frame.writeBigUInt64BE(BigInt(length), 2)
  frame.set(payload, head + 4)
  return frame
}

export function openSocket(port: number, path: string, subprotocols: string, events: RawEvents): RawSocket {
  /** The beginning of a frame; it is looked at again when `needed` bytes are there. */
  let rest: Buffer[] = []
  let restBytes = 0
  let needed = 0
  let fragments: Buffer[] = []
  let isOpen = false
  let isClosed = false
  let bytesIn = 0
  let framesIn = 0
  let why = 'closed'
  const stream = connect({
    host: '127.0.0.1',
    port,
    noDelay: true,
    onread: {
      buffer: shared,
      callback(length) {
        bytesIn += length
        read(shared, length)
        return true
      },
    },
  })
  stream.on('connect', () => {
    const key = randomBytes(16).toString('base64')
    const offered = subprotocols === '' ? '' : `Sec-WebSocket-Protocol: ${subprotocols}\r\n`
    const head = `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n`
    stream.write(`${head}Sec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\n${offered}\r\n`)
  })
  stream.on('error', (error) => {
    why = error.message
  })
  stream.on('close', () => {
    if (!isClosed) events.lost(why)
    isClosed = true
  })

  function read(chunk: Buffer, length: number): void {
    let buffer = chunk
    let at = 0
    let end = length
    if (restBytes + length < needed) {
      keep(chunk, 0, length, needed)
      return
    }
    if (restBytes > 0) {
      buffer = Buffer.concat([...rest, chunk.subarray(0, length)])
      end = buffer.length
      rest = []
      restBytes = 0
    }
    needed = 0
    if (!isOpen) {
      const head = buffer.subarray(0, end).indexOf('\r\n\r\n')
      if (head < 0) {
        keep(buffer, 0, end, 0)
        return
      }
      if (!buffer.toString('latin1', 0, 12).endsWith(' 101')) {
        why = buffer.toString('latin1', 0, buffer.indexOf('\r'))
        stream.destroy()
        return
      }
      isOpen = true
      at = head + 4
      events.opened?.()
    }
    let missing = 0
    while (!isClosed && end - at >= 2) {
      const short = (buffer[at + 1] ?? 0) & 127
      const headLength = short < 126 ? 2 : short === 126 ? 4 : 10
      if (end - at < headLength) break
      const bodyLength =
        short < 126 ? short : short === 126 ? buffer.readUInt16BE(at + 2) : Number(buffer.readBigUInt64BE(at + 2))
      const body = at + headLength
      missing = bodyLength - (end - body)
      if (missing > 0) break
      takeFrame(buffer[at] ?? 0, buffer, body, body + bodyLength)
      at = body + bodyLength
    }
    if (at < end && !isClosed) keep(buffer, at, end, end - at + Math.max(0, missing))
  }

  function keep(buffer: Buffer, from: number, to: number, until: number): void {
    rest.push(Buffer.from(buffer.subarray(from, to)))
    restBytes += to - from
    needed = until
  }

  function takeFrame(first: number, buffer: Buffer, from: number, to: number): void {
    const opcode = first & 15
    if (opcode === opcodes.ping) stream.write(clientFrame(buffer.subarray(from, to), opcodes.pong))
    else if (opcode === opcodes.close) {
      why = to - from >= 2 ? `${buffer.readUInt16BE(from)} ${buffer.toString('utf8', from + 2, to)}` : 'closed'
      stream.end()
    } else if (opcode <= opcodes.binary) {
      framesIn++
      if (first < 0x80 || fragments.length > 0) fragments.push(Buffer.from(buffer.subarray(from, to)))
      if (fragments.length === 0) events.message(buffer, from, to)
      else if (first >= 0x80) {
        const whole = Buffer.concat(fragments)
        fragments = []
        events.message(whole, 0, whole.length)
      }
    }
  }

  return {
    write: (frame) => void stream.write(frame),
    close() {
      isClosed = true
      stream.destroy()
    },
    get bytesIn() {
      return bytesIn
    },
    get framesIn() {
      return framesIn
    },
  }
}
