// A relay process on data that was seeded before it started, and what lies in its database.
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type NodeDevice, startNodeDevice } from '../../fakes/node-device.ts'
import { type RelayProcess, startRelay } from '../../fakes/relay-process.ts'

export interface SeededRelay {
  relay: RelayProcess
  /** Signs in as another device and waits until it holds every segment of every channel that it may see. */
  visit(username: string): Promise<NodeDevice>
  /** Rows of the stopped relay's database. */
  rows(sql: string): Record<string, unknown>[]
  end(): Promise<void>
}

export async function startSeededRelay(seed: (dataDir: string) => Promise<unknown>): Promise<SeededRelay> {
  const relay = await startRelay()
  await relay.stop()
  await seed(relay.dataDir)
  await relay.start()
  const devices: NodeDevice[] = []
  return {
    relay,
    async visit(username) {
      const device = await startNodeDevice(relay.url, username, false)
      devices.push(device)
      const { channel } = device.core.world.tables
      await device.until(() => {
        const rows = [...channel.values()]
        return rows.length > 0 && rows.every((row) => row.head === '' || row.heldRev > 0)
      })
      return device
    },
    rows(sql) {
      const database = new DatabaseSync(join(relay.dataDir, 'relay.db'), { readOnly: true })
      try {
        return database.prepare(sql).all()
      } finally {
        database.close()
      }
    },
    async end() {
      for (const device of devices) await device.stop()
      await relay.remove()
    },
  }
}
