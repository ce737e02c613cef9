// The machine that the figures are of: what it is, whether processes can be pinned to its cores, and how long its disk takes for one write.
import { spawnSync } from 'node:child_process'
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { arch, cpus, release, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const tmpfs = 0x01021994
const root = fileURLToPath(new URL('../../..', import.meta.url))

const hasTaskset = spawnSync('taskset', ['-c', '0', process.execPath, '--version']).status === 0
export const canPin = hasTaskset && cpus().length > 1

/** The core of the server, that of the generator, and both for a relay that verifies on a second one. */
export const cores = { server: '0', generator: '1', both: '0,1' } as const

/** @param on cores as taskset names them, '' = any */
export function pinned(on: string, command: [string, ...string[]]): [string, ...string[]] {
  return canPin && on !== '' ? ['taskset', '-c', on, ...command] : command
}

export function machineFacts(): Record<string, string | number | boolean> {
  return {
    cpu: cpus()[0]?.model ?? '',
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    system: `${process.platform}-${arch()} ${release()}`,
    node: process.versions.node,
    pinned: canPin,
    dataUnder: diskFolder(),
  }
}

/** A new folder on a disk: a database in memory would commit for nothing. */
export function newFolder(): string {
  return mkdtempSync(join(diskFolder(), 'dupecord-bench-'))
}

function diskFolder(): string {
  return statfsSync(tmpdir()).type === tmpfs ? root : tmpdir()
}

/** How long each of `count` appends of 4 KB takes until it is on the disk, ms, sorted. */
export function measureDisk(count: number): number[] {
  const folder = newFolder()
  const file = openSync(join(folder, 'appends'), 'a')
  const block = Buffer.alloc(4096, 7)
  const taken: number[] = []
  for (let i = 0; i < count; i++) {
    const start = performance.now()
    writeSync(file, block)
    fdatasyncSync(file)
    taken.push(performance.now() - start)
  }
  closeSync(file)
  rmSync(folder, { recursive: true })
  return taken.sort((a, b) => a - b)
}
