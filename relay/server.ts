// A relay on a port: HTTP and sockets on one server, the second's tick, and the end of it all in order: first nobody new is taken, then what came
// is answered and devices are told when to come back, then lines are emptied and closed, then the data. It reads no environment and ends no process.
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import type { Clock } from '#shared/base/ports.ts'
import type { Config } from './config.ts'
import { createAddressReader } from './http/client-address.ts'
import { createLimiter } from './http/rate-limits.ts'
import type { Relay } from './relay.ts'
import { attachSocket } from './socket/socket.ts'

const tickMs = 1_000
/** Requests that are still being answered at a stop, and lines that still empty, are waited for so long. */
const patienceMs = 3_000
const clock: Clock = { now: () => Date.now() }

export interface RelayServer {
  readonly port: number
  /** Takes nobody new, ends what is under way, and gives port and data free. */
  stop(): Promise<void>
}

/** @throws {Error} where the port cannot be had */
export async function startServer(
  relay: Relay,
  config: Pick<Config, 'host' | 'port' | 'publicUrl' | 'origins' | 'http'>,
): Promise<RelayServer> {
  const listener = getRequestListener(relay.http.fetch)
  const answering = new Set<ServerResponse>()
  let stopping = false
  const server = createServer((request, response) => {
    if (stopping) return void response.writeHead(503, { connection: 'close', 'retry-after': '2' }).end()
    answering.add(response)
    response.once('close', () => answering.delete(response))
    return listener(request, response)
  })
  const sockets = createLimiter(config.http.limits.sockets, clock)
  const socket = attachSocket({
    server,
    hub: relay.hub,
    origins: config.publicUrl === '' ? config.origins : [config.publicUrl, ...config.origins],
    admit: sockets.take,
    addressOf: createAddressReader(config.http.trustedProxies),
    newcomersMax: config.http.newcomersPerAddressMax,
  })
  const ticks = setInterval(() => {
    relay.hub.tick()
    relay.database.scrub()
  }, tickMs)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(config.port, config.host, () => {
      server.off('error', reject)
      resolve()
    })
  })
  return {
    // reason: a server that listens on a port has an address of this kind
    port: (server.address() as AddressInfo).port,
    stop: async () => {
      stopping = true
      socket.refuseAll()
      await relay.hub.stop()
      const answered = [...answering].map((response) => new Promise((resolve) => response.once('close', resolve)))
      await Promise.race([Promise.all([socket.emptied(), ...answered]), patience()])
      clearInterval(ticks)
      server.close()
      await relay.close()
      socket.close()
      server.closeAllConnections()
    },
  }
}

function patience(): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, patienceMs).unref())
}
