// Clients of this relay: stock y-websocket providers, one socket a segment, or devices on its own socket; and devices that write what was signed
// beforehand, one entry a frame, as people do who talk.
import { join } from 'node:path'
import { type ChannelId, parseChannelId, parseSegmentId } from '#shared/base/ids.ts'
import { encodeStateVector } from '#shared/log/update-bytes.ts'
import { encodeUp } from '#shared/protocol/frame-codec.ts'
import { type ControlDown, type ControlUp, protocolVersion } from '#shared/protocol/frames.ts'
import { readByteLists } from '../world/byte-lists.ts'
import type { WorldRoom } from '../world/world-file.ts'
import { steps, yWebsocket } from './envelopes.ts'
import type { Job } from './job.ts'
import { type Peer, type Reader, type Start, sequence, type Take } from './peer.ts'
import { clientFrame, openSocket, type RawSocket } from './raw-socket.ts'

const controlFrame = 0
const updateFrame = 2
/** Kind and segment stand before an update. */
const updateHead = 17

export function createRelayPeer({ port, world, workload }: Job, readersAreDevices: boolean): Peer {
  let lost = 0
  const inRooms = workload.kind === 'rooms'
  const roomOf = (name: string): WorldRoom => {
    const room = world.rooms[name]
    if (!room) throw new Error(`there is no room ${name}`)
    return room
  }
  const tokenOf = (tokens: readonly string[], nr: number) => tokens[nr % tokens.length] ?? ''
  const readerTokens = inRooms ? world.roomDevices : world.readers

  function readAsStock(room: WorldRoom, token: string, take: Take, start: Start): Reader {
    const segments = start === 'nothing' ? room.segments : room.segments.slice(-1)
    const opened = segments.map(({ seg, client }) => {
      const synced = Promise.withResolvers<void>()
      const vector = encodeStateVector(client, start === 'held' ? room.held : 0)
      const socket = openSocket(port, `/api/doc/${seg}`, `dupecord.1, token.${token}`, {
        opened: () => socket.write(clientFrame(yWebsocket.sync('', steps.vector, vector))),
        message(buffer, from, to) {
          yWebsocket.read(buffer, from, to, (step, first, end) => {
            if (step === steps.update) take(buffer, first, end)
            else if (step === steps.missing) synced.resolve()
          })
        },
        lost(why) {
          lost++
          synced.reject(new Error(why))
        },
      })
      return { synced: synced.promise, socket }
    })
    const sockets = opened.map(({ socket }) => socket)
    return {
      synced: Promise.all(opened.map((one) => one.synced)).then(() => undefined),
      sockets,
      bytesIn: () => sockets.reduce((sum, socket) => sum + socket.bytesIn, 0),
      close() {
        for (const socket of sockets) socket.close()
      },
    }
  }

  function openDevice(token: string, hear: (message: ControlDown) => void, take: Take, failed: (why: string) => void): RawSocket {
    const socket = openSocket(port, '/api/socket', '', {
      opened: () => say(socket, { t: 'hello', v: protocolVersion, token, incarnation: '', mark: '' }),
      message(buffer, from, to) {
        if (buffer[from] === updateFrame) return take(buffer, from + updateHead, to)
        if (buffer[from] !== controlFrame || isResult(buffer, from)) return
        // reason: the relay is trusted here, and what is not known is not looked at
        const message = JSON.parse(buffer.toString('utf8', from + 1, to)) as ControlDown
        if (message.t === 'beat') say(socket, { t: 'beat' })
        hear(message)
      },
      lost(why) {
        lost++
        failed(why)
      },
    })
    return socket
  }

  function readAsDevice(room: WorldRoom, token: string, take: Take, start: Start): Reader {
    const synced = Promise.withResolvers<void>()
    const channel = channelOf(room)
    let req = 0
    /** Opens that have no answer yet; an answer is followed by its update. */
    let asked = 0
    const open = (raw: string, n: number, tail: string) => {
      const seg = parseSegmentId(raw)
      if (!seg) return
      asked++
      say(socket, { t: 'open', req: ++req, seg, n, view: 0, tail })
    }
    const head = room.segments.at(-1)?.seg ?? ''
    const hear = (message: ControlDown) => {
      if (message.t === 'ready') {
        if (start === 'nothing') say(socket, { t: 'segments', channel, after: '' })
        else if (start === 'held') open(head, room.held, room.tail)
        else open(head, 0, '')
      } else if (message.t === 'segments') for (const { seg } of message.list) open(seg, 0, '')
      else if (message.t === 'segment' && message.channel === channel) open(message.seg, 0, '')
      else if (message.t === 'opened') asked--
      else if (message.t === 'stale' || message.t === 'gone') synced.reject(new Error(message.t))
    }
    const takeOrSync: Take = (buffer, from, to) => {
      if (asked === 0) synced.resolve()
      take(buffer, from, to)
    }
    const socket = openDevice(token, hear, takeOrSync, (why) => synced.reject(new Error(why)))
    return { synced: synced.promise, sockets: [socket], bytesIn: () => socket.bytesIn, close: () => socket.close() }
  }

  return {
    least: world.elementBytes,
    lost: () => lost,
    fill: async () => undefined,
    read(name, nr, take, start) {
      const token = tokenOf(readerTokens, nr)
      return (readersAreDevices ? readAsDevice : readAsStock)(roomOf(name), token, take, start)
    },
    async openWriters(name, count, each, readers) {
      const channel = channelOf(roomOf(name))
      const lists = readByteLists(join(world.folder, 'entries', name)).slice(0, count)
      const framesOf = (entries: readonly Uint8Array[]) =>
        entries
          .slice(0, each)
          .map((entry, nr) => clientFrame(encodeUp({ kind: 'append', nr: nr + 1, channel, entries: [entry] })))
      // In the small rooms everybody writes what he signed; elsewhere writers do not read.
      if (inRooms)
        return lists.flatMap((entries, i) => readers[i]?.sockets.map((socket) => sequence(framesOf(entries), socket)) ?? [])
      return Promise.all(
        lists.map(async (entries, i) => {
          const ready = Promise.withResolvers<void>()
          const hear = (message: ControlDown) => message.t === 'ready' && ready.resolve()
          const socket = openDevice(
            tokenOf(world.writers, i),
            hear,
            () => {},
            (why) => ready.reject(new Error(why)),
          )
          await ready.promise
          return sequence(framesOf(entries), socket)
        }),
      )
    },
  }
}

function say(socket: RawSocket, message: ControlUp): void {
  socket.write(clientFrame(encodeUp({ kind: 'control', message })))
}

const result = Buffer.from('{"t":"result"')

/** One comes for every entry: whether it was accepted shows in whether it is delivered. */
function isResult(buffer: Buffer, from: number): boolean {
  return buffer.compare(result, 0, result.length, from + 1, from + 1 + result.length) === 0
}

function channelOf(room: WorldRoom): ChannelId {
  const channel = parseChannelId(room.channel)
  if (!channel) throw new Error('a room of the world has a channel')
  return channel
}
