// A device's disk in memory: rows are copied in and out, so that nothing is shared with the core above it.
// A copy of the disk (a cloned profile, a backup) and a failing disk are what the tests need beyond the port.
import {
  type DeviceBatch,
  type DeviceRows,
  type DeviceStore,
  FencedError,
  type TableName,
  type Tables,
  tableNames,
} from '#app/engine/device-store.ts'
import type { SegmentId } from '#shared/base/ids.ts'

export interface MemoryDisk {
  tables: { [Name in TableName]: Map<string, Tables[Name]> }
  bytes: Map<SegmentId, Uint8Array[]>
  epoch: number
}

export interface MemoryDeviceStore extends DeviceStore {
  readonly disk: MemoryDisk
  /** Called with the number of each commit, from 1; may throw to play a crash `before` or `after` it is saved. */
  onCommit: (nr: number, when: 'before' | 'after') => void
}

export function createMemoryDisk(): MemoryDisk {
  const tables = Object.fromEntries(tableNames.map((name) => [name, new Map()]))
  // reason: fromEntries forgets that each table name is there
  return { tables: tables as MemoryDisk['tables'], bytes: new Map(), epoch: 0 }
}

export function copyDisk(disk: MemoryDisk): MemoryDisk {
  return structuredClone(disk)
}

/** Opens the disk as the newest engine: stores opened before on the same disk are fenced off. */
export function openMemoryDeviceStore(disk: MemoryDisk = createMemoryDisk()): MemoryDeviceStore {
  const epoch = ++disk.epoch
  let commits = 0
  const store: MemoryDeviceStore = {
    disk,
    onCommit: () => {},
    load: async () => {
      const rows = Object.fromEntries(tableNames.map((name) => [name, structuredClone([...disk.tables[name].values()])]))
      // reason: fromEntries forgets that each table name is there
      return rows as DeviceRows
    },
    loadSegment: async (segment) => structuredClone(disk.bytes.get(segment) ?? []),
    commit: async (batch) => {
      if (disk.epoch !== epoch) throw new FencedError('another engine leads')
      commits++
      store.onCommit(commits, 'before')
      write(disk, structuredClone(batch))
      store.onCommit(commits, 'after')
    },
    close: () => {},
  }
  return store
}

function write(disk: MemoryDisk, batch: DeviceBatch): void {
  for (const name of tableNames) {
    // reason: the same name picks the table and the rows, which TypeScript cannot follow through a union
    const table = disk.tables[name] as Map<string, unknown>
    for (const [key, row] of batch.rows[name]) {
      if (row === undefined) table.delete(key)
      else table.set(key, row)
    }
  }
  for (const [segment, changes] of batch.bytes) {
    let parts = disk.bytes.get(segment) ?? []
    for (const change of changes) {
      if (change.kind === 'append') parts = [...parts, change.update]
      else parts = change.kind === 'snapshot' ? [change.state] : []
    }
    if (parts.length === 0) disk.bytes.delete(segment)
    else disk.bytes.set(segment, parts)
  }
}
