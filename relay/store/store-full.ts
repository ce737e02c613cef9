// The one failure of a store that says what is so: there was no room, and nothing of what was asked is on the disk.
// Any other failure of a write leaves open whether it is there.

/** SQLITE_FULL (13), as SQLite and its stand-ins throw it. */
export function isStoreFull(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' && (error.errcode & 0xff) === 13
}

/** The same from what is stored without SQLite, and from a store that is played by a test. */
export function storeFull(): Error {
  return Object.assign(new Error('database or disk is full'), { errcode: 13 })
}
