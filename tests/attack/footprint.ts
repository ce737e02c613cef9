// What a relay takes: memory of its process, bytes of its files, links and frames that it holds. Compared before and after an attack.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { RelayProcess } from '../fakes/relay-process.ts'

export interface Footprint {
  /** Resident bytes of the process; 0 where the system does not tell. */
  memory: number
  /** The database and all small files. */
  files: number
  /** SQLite's write-ahead log: grows to its checkpoint and is written over then. */
  log: number
}

export interface Load {
  links: number
  waiting: number
}

export async function footprintOf({ pid, dataDir }: RelayProcess): Promise<Footprint> {
  const sizes = readdirSync(dataDir).map((name) => ({ name, size: statSync(join(dataDir, name)).size }))
  const sum = (isLog: boolean) => sizes.reduce((all, { name, size }) => all + (name.endsWith('-wal') === isLog ? size : 0), 0)
  return { memory: residentBytes(pid), files: sum(false), log: sum(true) }
}

/** Signed-in links and waiting frames, as the relay counts them. */
export async function loadOf({ url }: RelayProcess): Promise<Load> {
  const health: unknown = await (await fetch(`${url}/health`)).json()
  // reason: the shape of our own relay's answer; a figure that is missing fails the comparison
  return health as Load
}

function residentBytes(pid: number): number {
  const path = `/proc/${pid}/status`
  const found = existsSync(path) ? /VmRSS:\s+(\d+) kB/.exec(readFileSync(path, 'utf8')) : undefined
  return Number(found?.[1] ?? 0) * 1024
}
