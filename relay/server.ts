// A relay on a port: HTTP and sockets on one server, and the second's tick. It reads no environment and ends no process.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import type { Clock } from '#shared/base/ports.ts'
import type { Config } from './config.ts'
import { createAddressReader } from './http/client-address.ts'
import { createLimiter } from './http/rate-limits.ts'
import type { Relay } from './relay.ts'
import { attachSocket } from './socket/socket.ts'

const tickMs = 1_000
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
  const server = createServer(getRequestListener(relay.http.fetch))
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
      clearInterval(ticks)
      server.close()
      await relay.close()
      socket.close()
      server.closeAllConnections()
    },
  }
}
