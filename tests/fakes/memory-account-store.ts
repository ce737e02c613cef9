// Accounts, devices and sessions in memory: the contract's second implementation, for tests and the simulator.
import type { AccountRow, AccountStore, SessionRow } from '#relay/store/account-store.ts'
import type { AccountId, DeviceId } from '#shared/base/ids.ts'
import type { DeviceKey } from '#shared/protocol/frames.ts'

export function createMemoryAccountStore(): AccountStore {
  const accounts = new Map<AccountId, AccountRow>()
  const sessions = new Map<string, SessionRow>()
  const devices = new Map<DeviceId, DeviceKey>()
  const erased = new Map<AccountId, { mark: string; wholly: boolean }>()
  const find = (test: (row: AccountRow) => boolean) => copy([...accounts.values()].find(test))

  return {
    byId: async (id) => copy(accounts.get(id)),
    byUsername: async (username) => find((row) => row.username === username),
    byEmail: async (email) => find((row) => row.email.toLowerCase() === email.toLowerCase()),
    count: async () => accounts.size + erased.size,
    async create(row) {
      if (find((other) => other.username === row.username)) return 'username_taken'
      if (find((other) => other.email.toLowerCase() === row.email.toLowerCase())) return 'email_taken'
      if (accounts.has(row.id) || erased.has(row.id)) return 'identity_taken'
      accounts.set(row.id, copy({ ...row, operator: accounts.size + erased.size === 0 }))
      return 'created'
    },
    async usernames(ids) {
      const known = ids.map((id) => accounts.get(id)).filter((row) => row !== undefined)
      return new Map(known.map((row) => [row.id, row.username]))
    },
    async setSecrets(id, secrets, vaultRev) {
      const row = accounts.get(id)
      if (row?.vaultRev !== vaultRev) return false
      accounts.set(id, copy({ ...row, ...secrets, vaultRev: vaultRev + 1 }))
      return true
    },
    async erase(id, until, mark) {
      if (!accounts.delete(id)) return
      for (const row of [...sessions.values()]) if (row.account === id) sessions.delete(row.idHash)
      for (const row of devices.values())
        if (row.account === id) devices.set(row.dev, { ...row, until: row.until === 0 ? until : row.until })
      erased.set(id, { mark, wholly: false })
    },
    isMarked: async (mark) => [...erased.values()].some((one) => one.mark === mark),
    erasing: async () => [...erased].flatMap(([id, { wholly }]) => (wholly ? [] : [id])).sort(compare),
    async finishErasing(id) {
      const one = erased.get(id)
      if (one) one.wholly = true
    },

    session: async (idHash) => copy(sessions.get(idHash)),
    async putSession(row) {
      if (!erased.has(row.account)) sessions.set(row.idHash, copy(row))
    },
    async updateSession({ idHash, dev, expires }) {
      const row = sessions.get(idHash)
      if (row) sessions.set(idHash, { ...row, dev, expires })
      return row !== undefined
    },
    async deleteSession(idHash) {
      sessions.delete(idHash)
    },
    async sessionsOf(account) {
      const own = [...sessions.values()].filter((row) => row.account === account)
      return copy(own.sort((a, b) => a.created - b.created || compare(a.idHash, b.idHash)))
    },
    async deleteExpiredSessions(now) {
      for (const row of sessions.values()) if (row.expires <= now) sessions.delete(row.idHash)
    },

    async putDevice(row) {
      devices.set(row.dev, copy(row))
    },
    async revokeDevice(dev, { until }) {
      const row = devices.get(dev)
      if (row?.until !== 0) return false
      devices.set(dev, { ...row, until })
      return true
    },
    async devices(devs) {
      const known = [...new Set(devs)].map((dev) => devices.get(dev)).filter((row) => row !== undefined)
      return copy(known.sort((a, b) => compare(a.dev, b.dev)))
    },
    async devicesOf(account) {
      const own = [...devices.values()].filter((row) => row.account === account)
      return copy(own.sort((a, b) => a.from - b.from || compare(a.dev, b.dev)))
    },
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** A store hands out copies: what a caller does with its row must not change what is stored. */
function copy<Value>(value: Value): Value {
  return structuredClone(value)
}
