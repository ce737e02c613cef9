// The one failure of a store that says what is so: there was no room, and nothing of what was asked is on the disk.
// Any other failure of a write leaves open whether it is there.

/** SQLITE_FULL (13), as SQLite and its stand-ins throw it; or what the system says of a file that is written before a commit. */
export function isStoreFull(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if ('errcode' in error) return typeof error.errcode === 'number' && (error.errcode & 0xff) === 13
  return 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT')
}

/** The same from what is stored without SQLite, and from a store that is played by a test. */
export function storeFull(): Error {
  return Object.assign(new Error('database or disk is full'), { errcode: 13 })
}
