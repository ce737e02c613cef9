// What a new device fetches of the seeded community, and how long that takes: a device in Node, its line counted on the way.
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { startNodeDevice } from '../fakes/node-device.ts'
import type { Figure } from './figures.ts'

/** @param url of a relay that is running @param username of somebody whose password is the Node devices' */
export async function measureFirstSync(url: string, username: string): Promise<Figure[]> {
  const line = await countLine(Number(new URL(url).port))
  const device = await startNodeDevice(line.url, username, false)
  const signedIn = performance.now()
  const before = line.bytes()
  const { channel, segment } = device.core.world.tables
  await device.until(() => channel.size > 0 && [...channel.values()].every((row) => row.head === '' || row.heldRev > 0))
  const ms = performance.now() - signedIn
  const entries = [...segment.values()].reduce((sum, row) => sum + row.n, 0)
  await device.stop()
  line.close()
  const note = `${entries} entries in ${segment.size} segments of ${channel.size} channels`
  return [
    { name: 'first sync: received', value: line.bytes() - before, unit: 'bytes', note },
    { name: 'first sync: time', value: ms, unit: 'ms', note: 'signed in until all is held, device in Node' },
  ]
}

/** A line to the port that counts what comes back. */
async function countLine(port: number): Promise<{ url: string; bytes(): number; close(): void }> {
  let bytes = 0
  const open = new Set<Socket>()
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1')
    for (const socket of [near, far]) {
      open.add(socket)
      // One end gone is both gone: a device that hangs up is no failure of the line.
      socket.on('error', () => socket.destroy())
      socket.on('close', () => {
        near.destroy()
        far.destroy()
        open.delete(socket)
      })
    }
    far.on('data', (chunk) => {
      bytes += chunk.length
    })
    near.pipe(far)
    far.pipe(near)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  // reason: a server that listens on a port has an address of this kind
  const address = server.address() as AddressInfo
  return {
    url: `http://localhost:${address.port}`,
    bytes: () => bytes,
    close() {
      server.close()
      for (const socket of open) socket.destroy()
    },
  }
}
