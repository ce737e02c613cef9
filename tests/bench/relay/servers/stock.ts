// The stock y-websocket server as its package starts it, with the ws that comes with it, and without persistence.
// As it installs, its Yjs 14 and the Yjs of its y-protocols are two that do not know each other, and it takes no update. So it gets Yjs 13 and
// y-protocols 1, for which its code was written (it is y-websocket 2's).
import { createServer, type IncomingMessage } from 'node:http'
import { createRequire, registerHooks } from 'node:module'
import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import { portOf, sayReady } from './measured.ts'

interface OldWs {
  Server: new (options: {
    noServer: boolean
  }) => {
    handleUpgrade(request: IncomingMessage, stream: Duplex, head: Buffer, done: (socket: WebSocket) => void): void
  }
}

registerHooks({
  resolve(specifier, context, next) {
    if (specifier === 'yjs') return next(specifier, { ...context, parentURL: import.meta.url })
    const ours = specifier.startsWith('@y/protocols/')
    return ours
      ? next(specifier.replace('@y/protocols', 'y-protocols'), { ...context, parentURL: import.meta.url })
      : next(specifier, context)
  },
})
const { setupWSConnection } = await import('@y/websocket-server/utils')

// reason: the package's own ws is version 6, which has no types here
const { Server } = createRequire(import.meta.resolve('@y/websocket-server/package.json'))('ws') as OldWs
const sockets = new Server({ noServer: true })
const server = createServer((_request, response) => response.end('okay'))
server.on('upgrade', (request, stream, head) => {
  sockets.handleUpgrade(request, stream, head, (socket) => setupWSConnection(socket, request))
})
server.listen(0, '127.0.0.1', 4096, () => sayReady(portOf(server)))
