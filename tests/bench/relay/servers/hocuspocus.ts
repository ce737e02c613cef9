// Hocuspocus as its guide starts it, without an extension: it checks no write and stores nothing.
import { Server } from '@hocuspocus/server'
import { sayReady } from './measured.ts'

const server = new Server({ port: 0, address: '127.0.0.1', quiet: true })
await server.listen()
sayReady(server.address.port)
