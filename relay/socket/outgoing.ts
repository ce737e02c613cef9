// What leaves through one socket: each frame gets its WebSocket header once, also where it goes to a thousand sockets, and all that a turn has
// for one socket leaves in one write. Written past `ws`, which would make a header and two writes for each; it writes only whole control
// frames on the same stream, so nothing mixes. No compression, no fragments, no mask: a server's frames (RFC 6455 §5.2).
import type { Writable } from 'node:stream'

export interface Outgoing {
  /** The bytes may not change afterwards. */
  send(bytes: Uint8Array): void
  /** Writes what waits, now. */
  flush(): void
  /** Bytes that have not left yet. */
  queuedBytes(): number
}

/** All sockets of one server: what they send in one turn leaves at its end. */
export function createOutgoing(): (stream: Writable) => Outgoing {
  /** The frame that was made last: the next socket mostly gets the same. */
  let newest: { bytes: Uint8Array; frame: Uint8Array } | undefined
  let waiting: Outgoing[] = []

  function flushAll(): void {
    const full = waiting
    waiting = []
    for (const outgoing of full) outgoing.flush()
  }

  return (stream) => {
    let frames: Uint8Array[] = []
    let bytesWaiting = 0
    const outgoing: Outgoing = {
      send(bytes) {
        if (newest?.bytes !== bytes) newest = { bytes, frame: frameOf(bytes) }
        const { frame } = newest
        frames.push(frame)
        bytesWaiting += frame.length
        if (frames.length > 1) return
        waiting.push(outgoing)
        // Behind the promises of the turn, before anything else comes in.
        if (waiting.length === 1) process.nextTick(flushAll)
      },
      flush() {
        const [first, ...rest] = frames
        if (!first) return
        frames = []
        bytesWaiting = 0
        if (stream.writable) stream.write(rest.length === 0 ? first : Buffer.concat([first, ...rest]))
      },
      queuedBytes: () => stream.writableLength + bytesWaiting,
    }
    return outgoing
  }
}

function frameOf(bytes: Uint8Array): Uint8Array {
  const { length } = bytes
  const head = length < 126 ? 2 : length < 65_536 ? 4 : 10
  const frame = Buffer.allocUnsafe(head + length)
  frame[0] = 0x82 // whole, binary
  if (head === 2) frame[1] = length
  else if (head === 4) {
    frame[1] = 126
    frame.writeUInt16BE(length, 2)
  } else {
    frame[1] = 127
    frame.writeBigUInt64BE(BigInt(length), 2)
  }
  frame.set(bytes, head)
  return frame
}
