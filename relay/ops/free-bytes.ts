// How much the data's file system still takes of us.
import { statfsSync } from 'node:fs'

/** @returns `undefined` where the system does not say */
export function readFreeBytes(folder: string): number | undefined {
  try {
    const { bavail, bsize } = statfsSync(folder)
    return bavail * bsize
  } catch {
    // Nothing is known then, and nothing is refused over it: a commit that finds no room says so itself.
    return undefined
  }
}
