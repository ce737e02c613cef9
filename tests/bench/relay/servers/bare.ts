// The floor: a broadcaster on bare `ws`. No documents, no checks, no disk: every message goes to everybody in its room, the frames of one
// tick joined into one write for each socket.
import { createServer } from 'node:http'
import type { Socket } from 'node:net'
import * as ws from 'ws'
import { portOf, sayReady } from './measured.ts'

interface Room {
  sockets: Set<Socket>
  waiting: Buffer[]
}

const rooms = new Map<string, Room>()
const server = createServer((_request, response) => response.end('ok'))
const sockets = new ws.WebSocketServer({ server, perMessageDeflate: false })
sockets.on('connection', (peer, request) => {
  const name = request.url ?? ''
  const room = rooms.get(name) ?? { sockets: new Set(), waiting: [] }
  rooms.set(name, room)
  const { socket } = request
  room.sockets.add(socket)
  // reason: without a fragment or a list of buffers asked for, ws hands over one Buffer
  peer.on('message', (data) => broadcast(room, data as Buffer))
  peer.on('error', () => peer.terminate())
  peer.on('close', () => room.sockets.delete(socket))
})
server.listen(0, '127.0.0.1', 4096, () => sayReady(portOf(server)))

function broadcast(room: Room, data: Buffer): void {
  if (room.waiting.length === 0) setImmediate(flush, room)
  room.waiting.push(...frameOf(data))
}

function flush(room: Room): void {
  const joined = Buffer.concat(room.waiting)
  room.waiting = []
  for (const socket of room.sockets) socket.write(joined)
}

function frameOf(data: Buffer): Buffer[] {
  // reason: the class's own framing, which its types do not know
  const { Sender } = ws as unknown as { Sender: { frame(data: Buffer, options: object): Buffer[] } }
  return Sender.frame(data, { fin: true, opcode: 2, mask: false, readOnly: true, rsv1: false })
}
