// Real sockets on a real server: who gets one, and what passes through.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import type { LinkHandle } from '#relay/hub.ts'
import type { Wire } from '#relay/hub-ports.ts'
import { attachSocket } from '#relay/socket/socket.ts'
import { limits } from '#shared/base/limits.ts'
import { closeCodes } from '#shared/protocol/frames.ts'

const end: (() => void)[] = []
afterEach(() => {
  for (const one of end.splice(0)) one()
})

async function start(
  given: {
    origins?: string[]
    admit?: (address: string) => Promise<number>
    newcomersMax?: number
    isGreeted?: () => boolean
  } = {},
) {
  const server: Server = createServer()
  const wires: Wire[] = []
  const received: Uint8Array[] = []
  const closed = Promise.withResolvers<void>()
  const got = Promise.withResolvers<void>()
  const socket = attachSocket({
    server,
    hub: {
      read: () => {
        throw new Error('nobody reads here')
      },
      connect(wire): LinkHandle {
        wires.push(wire)
        return {
          receive(bytes) {
            received.push(new Uint8Array(bytes))
            got.resolve()
          },
          drained: () => {},
          closed: () => closed.resolve(),
          isGreeted: given.isGreeted ?? (() => false),
        }
      },
    },
    origins: given.origins ?? [],
    admit: given.admit ?? (async () => 0),
    addressOf: (peer) => peer,
    newcomersMax: given.newcomersMax ?? 20,
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  // reason: a server that listens on a port has an address of this kind
  const { port } = server.address() as AddressInfo
  end.push(() => {
    socket.close()
    server.close()
  })
  const dial = (headers: Record<string, string> = {}, path = '/api/socket') =>
    new WebSocket(`ws://127.0.0.1:${port}${path}`, { headers })
  const refusedWith = async (client: WebSocket) => {
    client.on('error', () => client.terminate())
    const [, response]: [unknown, IncomingMessage] = await new Promise((resolve) => {
      client.once('unexpected-response', (...answer) => resolve(answer))
    })
    client.terminate()
    return response.statusCode
  }
  return { port, wires, received, closed: closed.promise, got: got.promise, dial, refusedWith }
}

test('frames pass both ways, and an end is heard', async () => {
  const relay = await start()
  const client = relay.dial()
  await once(client, 'open')
  client.send(Uint8Array.of(1, 2, 3))
  await relay.got
  expect(relay.received).toEqual([Uint8Array.of(1, 2, 3)])
  relay.wires[0]?.send(Uint8Array.of(4, 5))
  const [data] = await once(client, 'message')
  expect(new Uint8Array(data)).toEqual(Uint8Array.of(4, 5))
  client.close()
  await relay.closed
})

test('the relay closes with a code, and a text reaches the hub as a frame of nothing', async () => {
  const relay = await start()
  const client = relay.dial()
  await once(client, 'open')
  relay.wires[0]?.close(closeCodes.replaced, 'replaced')
  expect((await once(client, 'close'))[0]).toBe(closeCodes.replaced)
  const talker = relay.dial()
  await once(talker, 'open')
  talker.send('hello')
  await relay.got
  expect(relay.received).toEqual([new Uint8Array()])
})

test('a frame over the limit ends the socket', async () => {
  const relay = await start()
  const client = relay.dial()
  await once(client, 'open')
  client.send(new Uint8Array(limits.frameBytesMax + 1))
  await once(client, 'close')
  expect(relay.received).toEqual([])
})

test('a page of another origin gets no socket; its own, a configured one, and what is no browser do', async () => {
  const relay = await start({ origins: ['https://chat.example.org'] })
  expect(await relay.refusedWith(relay.dial({ origin: 'https://evil.example' }))).toBe(403)
  expect(await relay.refusedWith(relay.dial({ origin: 'null' }))).toBe(403)
  expect(await relay.refusedWith(relay.dial({ origin: `http://127.0.0.1:${relay.port + 1}` }))).toBe(403)
  for (const headers of [{ origin: `http://127.0.0.1:${relay.port}` }, { origin: 'https://chat.example.org' }, {}]) {
    const client = relay.dial(headers)
    await once(client, 'open')
    client.terminate()
  }
})

test('there is one path, and an address that dials too often is told to wait', async () => {
  const relay = await start({ admit: async () => 7 })
  expect(await relay.refusedWith(relay.dial({}, '/api/other'))).toBe(404)
  expect(await relay.refusedWith(relay.dial())).toBe(429)
})

test('[LIM-17] an address has only so many sockets that have not said hello; those who have do not count', async () => {
  let greeted = false
  const { dial, refusedWith, closed } = await start({ newcomersMax: 3, isGreeted: () => greeted })
  const clients = [dial(), dial(), dial()]
  for (const client of clients) await once(client, 'open')
  expect(await refusedWith(dial())).toBe(429)
  clients[0]?.terminate()
  await closed
  const next = dial()
  await once(next, 'open')
  expect(await refusedWith(dial())).toBe(429)
  greeted = true
  const more = [dial(), dial(), dial()]
  for (const client of more) await once(client, 'open')
  for (const client of [...clients, next, ...more]) client.terminate()
})
