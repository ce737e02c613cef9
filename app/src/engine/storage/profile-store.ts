// What this browser profile keeps beside its accounts' data: who is signed in, the device keys, and the number of the newest engine.
import { type AccountId, type DeviceId, parseAccountId, parseDeviceId } from '#shared/base/ids.ts'
import type { StoredDeviceKey } from '../../platform/device-key.ts'
import { openFenced } from './fenced-database.ts'

export interface StoredSession {
  token: string
  account: AccountId
  username: string
  operator: boolean
  dev: DeviceId
}

export interface ProfileStore {
  /** Of the engine that opened it; greater than any before. */
  readonly epoch: number
  session(): Promise<StoredSession | undefined>
  deviceKey(account: AccountId): Promise<StoredDeviceKey | undefined>
  /** Session and key in one transaction: a session without its key could sign nothing. */
  signIn(session: StoredSession, key: StoredDeviceKey): Promise<void>
  /** The account's session and key go, and that its own database is to go is noted. */
  forget(account: AccountId): Promise<void>
  /** The account whose database is still to be deleted. */
  leaving(): Promise<AccountId | undefined>
  forgotten(): Promise<void>
  /** Is this still the newest engine? Asks the disk. */
  leads(): Promise<boolean>
  close(): void
}

const name = 'dupecord'
const version = 1
const store = 'profile'

/** @throws {FencedError} never: opening makes this engine the newest */
export async function openProfileStore(onClosed: () => void): Promise<ProfileStore> {
  const database = await openFenced(name, version, [store], 'next', onClosed)
  const read = (key: string) => database.read([store], (transaction): Promise<unknown> => transaction.objectStore(store).get(key))
  return {
    epoch: database.epoch,
    session: async () => parseSession(await read('session')),
    deviceKey: async (account) => {
      // reason: written by `signIn` below; a CryptoKey has no shape to check
      return (await read(`key ${account}`)) as StoredDeviceKey | undefined
    },
    signIn: (session, key) =>
      database.write([store], { strict: true }, async (transaction) => {
        const rows = transaction.objectStore(store)
        await Promise.all([rows.put(session, 'session'), rows.put(key, `key ${session.account}`)])
      }),
    forget: (account) =>
      database.write([store], { strict: true }, async (transaction) => {
        const rows = transaction.objectStore(store)
        await Promise.all([rows.delete('session'), rows.delete(`key ${account}`), rows.put(account, 'leaving')])
      }),
    leaving: async () => parseAccountId(await read('leaving')),
    forgotten: () =>
      database.write([store], { strict: true }, async (transaction) => {
        await transaction.objectStore(store).delete('leaving')
      }),
    leads: () => database.isNewest(),
    close: () => database.close(),
  }
}

function parseSession(raw: unknown): StoredSession | undefined {
  if (typeof raw !== 'object' || raw === null) return undefined
  // reason: an object of ours, perhaps of an older version; every field is checked below
  const { token, account: rawAccount, username, operator, dev: rawDev } = raw as Record<string, unknown>
  const account = parseAccountId(rawAccount)
  const dev = parseDeviceId(rawDev)
  if (typeof token !== 'string' || typeof username !== 'string' || !account || !dev) return undefined
  return { token, account, username, operator: operator === true, dev }
}
