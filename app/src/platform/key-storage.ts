// Can this browser keep a CryptoKey in IndexedDB? Only trying tells: some clone the key and lose it, some throw.

/** The part of `indexedDB` that is used here; written down so that the file reads the same without a browser's types. */
export interface KeyStorage {
  open(name: string): StorageRequest<KeyDatabase> & { addEventListener(type: 'upgradeneeded', listen: () => void): void }
  deleteDatabase(name: string): StorageRequest<unknown>
}
interface StorageRequest<Value> {
  readonly result: Value
  readonly error: unknown
  addEventListener(type: 'success' | 'error' | 'blocked', listen: () => void): void
}
interface KeyDatabase {
  createObjectStore(name: string): unknown
  transaction(store: string, mode: 'readwrite'): { objectStore(name: string): KeyTable }
  close(): void
}
interface KeyTable {
  put(value: unknown, key: string): StorageRequest<unknown>
  get(key: string): StorageRequest<unknown>
}

const store = 'key'

type Subtle = typeof globalThis.crypto.subtle
type PrivateKey = Parameters<Subtle['sign']>[1]

/** What `device-key.ts` asks before it relies on a key: does the browser keep it, and does it still sign afterwards? */
export function createKeyProbe(storage: KeyStorage, subtle: Subtle): (key: PrivateKey) => Promise<boolean> {
  return (key) =>
    keepsKey(storage, 'dupecord-probe', key, async (kept) => {
      // reason: what was a key when it was put is a key when it comes out, or signing throws, which is an answer too
      const signature = await subtle.sign('Ed25519', kept as PrivateKey, new Uint8Array(32))
      return signature.byteLength === 64
    })
}

/** Puts the key into a database of its own, reads it back, and lets `works` try what came out. The database is gone afterwards. */
export async function keepsKey(
  storage: KeyStorage,
  name: string,
  key: unknown,
  works: (kept: unknown) => Promise<boolean>,
): Promise<boolean> {
  const opening = storage.open(name)
  opening.addEventListener('upgradeneeded', () => void opening.result.createObjectStore(store))
  const database = await settled(opening)
  try {
    await settled(database.transaction(store, 'readwrite').objectStore(store).put(key, store))
    return await works(await settled(database.transaction(store, 'readwrite').objectStore(store).get(store)))
  } catch {
    return false // DataCloneError and its kin: exactly what was asked
  } finally {
    database.close()
    storage.deleteDatabase(name) // not waited for: it is empty of use, and goes when the connection has closed
  }
}

function settled<Value>(request: StorageRequest<Value>): Promise<Value> {
  return new Promise((resolve, reject) => {
    request.addEventListener('success', () => resolve(request.result))
    request.addEventListener('error', () => reject(request.error))
  })
}
