// Which shells of older builds may go. A page that is open runs on the build that it was loaded with until it is reloaded, and fetches parts of
// it late (a dialog, its next engine, libsodium); the relay has only the newest, so the shells of the last builds stay as long as they may be needed.

const prefix = 'shell-'
/** Older builds kept beside the newest: a tab that slept through two updates still works. */
const olderMax = 2

/** @param names of all caches, oldest first, as `caches.keys()` gives them */
export function outdatedShells(names: readonly string[], current: string): string[] {
  return names.filter((name) => name.startsWith(prefix) && name !== current).slice(0, -olderMax)
}
