// What a turn has for one socket leaves in one write, as frames that a WebSocket client reads.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { createOutgoing } from '#relay/socket/outgoing.ts'

const lengths = [0, 1, 125, 126, 127, 65_535, 65_536, 200_000]

test('[OUTGO-1] frames of every length of header arrive whole and in order, between those that ws writes itself', async () => {
  const server = createServer()
  const sockets = new WebSocketServer({ server })
  const outgoingOf = createOutgoing()
  sockets.on('connection', (socket, request) => {
    const outgoing = outgoingOf(request.socket)
    for (const length of lengths) outgoing.send(new Uint8Array(length).fill(length % 251))
    socket.ping()
    outgoing.send(Uint8Array.of(7))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  // reason: a server that listens on a port has an address of this kind
  const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`)
  const got: Buffer[] = []
  await new Promise<void>((resolve) => {
    client.on('message', (data: Buffer) => {
      got.push(data)
      if (data.length === 1 && data[0] === 7) resolve()
    })
  })
  expect(got.map(({ length }) => length)).toEqual([...lengths, 1])
  for (const data of got.slice(0, -1)) expect(data.every((byte) => byte === data.length % 251)).toBe(true)
  client.terminate()
  sockets.close()
  server.close()
})

test('[OUTGO-2] one write a turn and socket, and what waits for it is counted', async () => {
  const outgoingOf = createOutgoing()
  const streams = [1, 2].map(() => new PassThrough())
  const writes: number[][] = [[], []]
  const outgoings = streams.map((stream, i) => {
    stream.on('data', (chunk: Buffer) => writes[i]?.push(chunk.length))
    return outgoingOf(stream)
  })
  const shared = new Uint8Array(100)
  for (const outgoing of outgoings) outgoing.send(shared)
  outgoings[0]?.send(new Uint8Array(10))
  expect(outgoings.map((one) => one.queuedBytes())).toEqual([114, 102])
  await new Promise((resolve) => setImmediate(resolve))
  expect(writes).toEqual([[114], [102]])
  expect(outgoings.map((one) => one.queuedBytes())).toEqual([0, 0])
})
