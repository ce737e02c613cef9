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

/** Up to here bytes are joined for one write; above, copying them would cost more than it saves. */
const joinedMax = 65_536

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
    const add = (...parts: Uint8Array[]) => {
      for (const part of parts) {
        frames.push(part)
        bytesWaiting += part.length
      }
    }
    const outgoing: Outgoing = {
      send(bytes) {
        const isFirst = frames.length === 0
        if (bytes.length > joinedMax) add(headOf(bytes.length), bytes)
        else {
          if (newest?.bytes !== bytes) newest = { bytes, frame: Buffer.concat([headOf(bytes.length), bytes]) }
          add(newest.frame)
        }
        if (!isFirst) return
        waiting.push(outgoing)
        // Behind the promises of the turn, before anything else comes in.
        if (waiting.length === 1) process.nextTick(flushAll)
      },
      flush() {
        const all = frames
        const bytes = bytesWaiting
        frames = []
        bytesWaiting = 0
        const [first] = all
        if (!first || !stream.writable) return
        if (all.length === 1) stream.write(first)
        else if (bytes <= joinedMax) stream.write(Buffer.concat(all, bytes))
        else writeApart(stream, all)
      },
      queuedBytes: () => stream.writableLength + bytesWaiting,
    }
    return outgoing
  }
}

/** One system call, no copy. */
function writeApart(stream: Writable, parts: readonly Uint8Array[]): void {
  stream.cork()
  for (const part of parts) stream.write(part)
  stream.uncork()
}

function headOf(length: number): Uint8Array {
  const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10)
  head[0] = 0x82 // whole, binary
  if (head.length === 2) head[1] = length
  else if (head.length === 4) {
    head[1] = 126
    head.writeUInt16BE(length, 2)
  } else {
    head[1] = 127
    head.writeBigUInt64BE(BigInt(length), 2)
  }
  return head
}
