// Real sockets of readers on a real server: the subprotocols, what passes through, and the ping that a living peer answers by itself.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import type { ReaderWire } from '#relay/hub-readers.ts'
import { attachSocket } from '#relay/socket/socket.ts'
import { limits } from '#shared/base/limits.ts'
import { closeCodes } from '#shared/protocol/frames.ts'

const segment = 'AAAAAAAAAAAAAAAAAAAAAA'
const end: (() => void)[] = []
afterEach(() => {
  for (const one of end.splice(0)) one()
})

async function start(origins: string[] = []) {
  const server = createServer()
  const asked: { wire: ReaderWire; segment: string; token: string }[] = []
  const received: Uint8Array[] = []
  const got = Promise.withResolvers<void>()
  const heard = Promise.withResolvers<void>()
  const closed = Promise.withResolvers<void>()
  const socket = attachSocket({
    server,
    hub: {
      connect: () => {
        throw new Error('no device comes here')
      },
      read(wire, of, token) {
        asked.push({ wire, segment: of, token })
        return {
          receive(bytes) {
            received.push(new Uint8Array(bytes))
            got.resolve()
          },
          heard: heard.resolve,
          drained: () => {},
          closed: closed.resolve,
        }
      },
    },
    origins,
    admit: async () => 0,
    addressOf: (peer) => peer,
    newcomersMax: 20,
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  // reason: a server that listens on a port has an address of this kind
  const { port } = server.address() as AddressInfo
  end.push(() => {
    socket.close()
    server.close()
  })
  const dial = (protocols: string[], path = `/api/doc/${segment}`, headers: Record<string, string> = {}) =>
    new WebSocket(`ws://127.0.0.1:${port}${path}`, protocols, { headers })
  return { asked, received, got: got.promise, heard: heard.promise, closed: closed.promise, dial }
}

async function refusedWith(client: WebSocket): Promise<number> {
  client.on('error', () => client.terminate())
  const [, response] = await once(client, 'unexpected-response')
  client.terminate()
  return response.statusCode
}

test('[STOCK-5] the token comes as a subprotocol, wherever it stands; the relay selects the other one', async () => {
  const relay = await start()
  for (const protocols of [['dupecord.1', 'token.abc'], ['token.abc', 'dupecord.1', 'token.def'], ['dupecord.1']]) {
    const client = relay.dial(protocols)
    await once(client, 'open')
    expect(client.protocol).toBe('dupecord.1')
    client.terminate()
  }
  expect(relay.asked.map(({ token }) => token)).toEqual(['abc', 'abc', ''])
  expect(new Set(relay.asked.map((one) => one.segment))).toEqual(new Set([segment]))
  expect(await refusedWith(relay.dial(['token.abc']))).toBe(400)
  for (const path of [`/api/doc/${segment}?token=abc`, `/api/doc/${segment}/`, '/api/doc/', '/api/doc/AAAAAAAAAAAAAAAAAAAAAB'])
    expect([path, await refusedWith(relay.dial(['dupecord.1'], path))]).toEqual([path, 404])
  expect(await refusedWith(relay.dial(['dupecord.1'], undefined, { origin: 'https://evil.example' }))).toBe(403)
  expect(relay.asked).toHaveLength(3)
})

test('[STOCK-10] messages pass both ways, a ping is answered, a close has its code, an end is heard', async () => {
  const relay = await start()
  const client = relay.dial(['dupecord.1'])
  await once(client, 'open')
  client.send(Uint8Array.of(3))
  await relay.got
  expect(relay.received).toEqual([Uint8Array.of(3)])
  const wire = relay.asked[0]?.wire
  wire?.send(Uint8Array.of(1, 1, 0))
  const [data] = await once(client, 'message')
  expect(new Uint8Array(data)).toEqual(Uint8Array.of(1, 1, 0))
  wire?.ping()
  await relay.heard
  wire?.close(closeCodes.forbidden, 'read-only')
  expect((await once(client, 'close'))[0]).toBe(closeCodes.forbidden)
  await relay.closed
})

test('[STOCK-3] a text is handed on as no message, and what is too long ends the socket', async () => {
  const relay = await start()
  const talker = relay.dial(['dupecord.1'])
  await once(talker, 'open')
  talker.send('hello')
  await relay.got
  expect(relay.received).toEqual([new Uint8Array()])
  talker.send(new Uint8Array(limits.controlBytesMax + 1))
  await once(talker, 'close')
  expect(relay.received).toHaveLength(1)
})
