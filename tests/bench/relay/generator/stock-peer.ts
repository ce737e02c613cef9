// Clients of the other servers: y-websocket's protocol, or Hocuspocus' envelope around it, or, of the bare broadcaster, its messages alone.
// They keep no document and send no awareness, which spares these servers work. The first readers of a room are its writers.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createByteWriter } from '#shared/base/byte-cursor.ts'
import { utf8 } from '#shared/base/bytes.ts'
import { encodeAppend } from '#shared/log/update-bytes.ts'
import { readByteLists } from '../world/byte-lists.ts'
import { type Envelope, steps } from './envelopes.ts'
import type { Job } from './job.ts'
import { eachMark, markOf } from './marks.ts'
import { type Peer, type Reader, sequence, type Take } from './peer.ts'
import { clientFrame, openSocket } from './raw-socket.ts'

const nothing = Uint8Array.of(0)
const emptyUpdate = Uint8Array.of(0, 0)
/** Different messages of one writer to the broadcaster. */
const broadcastMax = 5_000
/** Yjs clients of the writers. */
const firstClient = 1_000

/** @param syncs whether the server answers a step 1; the broadcaster does not */
export function createStockPeer({ port, world }: Job, envelope: Envelope, syncs: boolean): Peer {
  let lost = 0

  function read(room: string, take: Take, vector: Uint8Array): Reader {
    const synced = Promise.withResolvers<void>()
    const socket = openSocket(port, envelope.path(room), '', {
      opened() {
        if (syncs) for (const message of envelope.hello(room, vector)) socket.write(clientFrame(message))
        else synced.resolve()
      },
      message(buffer, from, to) {
        envelope.read(buffer, from, to, (step, start, end) => {
          if (step === steps.update) take(buffer, start, end)
          else if (step === steps.missing) synced.resolve()
          else socket.write(clientFrame(envelope.sync(room, steps.missing, emptyUpdate)))
        })
      },
      lost(why) {
        lost++
        synced.reject(new Error(why))
      },
    })
    return { synced: synced.promise, sockets: [socket], bytesIn: () => socket.bytesIn, close: () => socket.close() }
  }

  return {
    least: world.elementBytes,
    lost: () => lost,
    read: (room, _nr, take, start) =>
      read(room, take, start === 'held' ? readFileSync(join(world.folder, 'logs', `${room}.vector`)) : nothing),
    async fill(room) {
      if (!syncs) return
      const chunks = readByteLists(join(world.folder, 'logs', room)).flat()
      let held = 0
      let more = Promise.withResolvers<void>()
      const count: Take = (buffer, from, to) => {
        eachMark(buffer, from, to, () => {
          held++
        })
        more.resolve()
      }
      const reader = read(room, count, nothing)
      await reader.synced
      for (const chunk of chunks) {
        const before = held
        more = Promise.withResolvers()
        for (const socket of reader.sockets) socket.write(clientFrame(envelope.sync(room, steps.update, chunk)))
        // The server sends what it took to everybody, whoever wrote it.
        while (held === before) {
          await more.promise
          more = Promise.withResolvers()
        }
      }
      // It stays: Hocuspocus forgets what nobody has open.
    },
    async openWriters(room, count, each, readers) {
      return readers.slice(0, count).flatMap(({ sockets }, writer) => {
        const updates = chainOf(firstClient + writer, writer, syncs ? each : Math.min(each, broadcastMax), world.elementBytes)
        const frames = updates.map((update) => clientFrame(envelope.sync(room, steps.update, update)))
        return sockets.map((socket) => sequence(frames, socket, !syncs))
      })
    },
  }
}

/** What one Yjs client writes into an array: one string after the other, each as long as one of our elements. */
function chainOf(client: number, writer: number, count: number, bytes: number): Uint8Array[] {
  return Array.from({ length: count }, (_, clock) => {
    const text = utf8(markOf(writer, clock).padEnd(bytes, '.'))
    const cell = createByteWriter(bytes + 4)
      .byte(0x77)
      .uint(text.length)
      .bytes(text)
      .done()
    return encodeAppend(client, clock, cell, [])
  })
}
