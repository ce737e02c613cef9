// How the messages of y-protocols travel: bare in y-websocket, behind the document's name in Hocuspocus. Read and written by hand, so that the
// generator spends nothing on documents.
import { createByteWriter } from '#shared/base/byte-cursor.ts'
import { utf8 } from '#shared/base/bytes.ts'

export const steps = { vector: 0, missing: 1, update: 2 } as const
const kinds = { sync: 0, auth: 2, syncReply: 4 } as const

export interface Envelope {
  path(room: string): string
  /** What a client says first. @param vector a Yjs state vector */
  hello(room: string, vector: Uint8Array): Uint8Array[]
  sync(room: string, step: number, body: Uint8Array): Uint8Array
  /** Calls for each sync message in a frame. */
  read(buffer: Buffer, from: number, to: number, found: (step: number, from: number, to: number) => void): void
}

export const yWebsocket: Envelope = {
  path: (room) => `/${room}`,
  hello: (room, vector) => [yWebsocket.sync(room, steps.vector, vector)],
  sync: (_room, step, body) =>
    createByteWriter(body.length + 12)
      .byte(kinds.sync)
      .byte(step)
      .uint(body.length)
      .bytes(body)
      .done(),
  read(buffer, from, to, found) {
    let at = from
    while (at < to && buffer[at] === kinds.sync) {
      const step = buffer[at + 1] ?? 0
      const body = readLength(buffer, at + 2)
      found(step, body.at, body.at + body.length)
      at = body.at + body.length
    }
  },
}

export const hocuspocus: Envelope = {
  path: () => '/',
  hello: (room, vector) => [
    named(room).uint(kinds.auth).uint(0).uint(1).bytes(utf8('x')).done(),
    hocuspocus.sync(room, steps.vector, vector),
  ],
  sync: (room, step, body) => named(room).uint(kinds.sync).uint(step).uint(body.length).bytes(body).done(),
  read(buffer, from, _to, found) {
    const name = readLength(buffer, from)
    const at = name.at + name.length
    if (buffer[at] !== kinds.sync && buffer[at] !== kinds.syncReply) return
    const body = readLength(buffer, at + 2)
    found(buffer[at + 1] ?? 0, body.at, body.at + body.length)
  },
}

function named(room: string) {
  const name = utf8(room)
  return createByteWriter().uint(name.length).bytes(name)
}

/** A length as a varuint, and where what is so long begins. */
function readLength(buffer: Buffer, from: number): { length: number; at: number } {
  let length = 0
  let weight = 1
  for (let at = from; ; at++) {
    const byte = buffer[at] ?? 0
    length += (byte & 127) * weight
    if (byte < 128) return { length, at: at + 1 }
    weight *= 128
  }
}
