// DATA_DIR/incarnation: the one file that is never in a backup.
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import type { IncarnationFile } from './relay-meta.ts'

export function createIncarnationFile(path: string): IncarnationFile {
  return {
    read() {
      try {
        return readFileSync(path, 'utf8').trim()
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return ''
        throw error
      }
    },
    write(incarnation) {
      const file = openSync(`${path}.new`, 'w', 0o600)
      writeSync(file, `${incarnation}\n`)
      fsyncSync(file)
      closeSync(file)
      renameSync(`${path}.new`, path)
    },
  }
}
