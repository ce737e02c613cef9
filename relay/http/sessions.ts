// Sessions, and the door of lucia. A session is a token of 256 random bits that a device keeps; the store has only its hash.
// Lucia's part is the life of a session; everything around it sees `Sessions` alone, so that the package can go.
// Invariants: idle for `idleMs`, or `absoluteMs` old, means dead. Without a certified device it lives an hour and may only bring one.
import { type Adapter, Lucia, TimeSpan } from 'lucia'
import { toBase64Url, utf8 } from '#shared/base/bytes.ts'
import type { AccountId, DeviceId } from '#shared/base/ids.ts'
import { limits } from '#shared/base/limits.ts'
import type { Clock, Random } from '#shared/base/ports.ts'
import { taggedHash } from '#shared/crypto/signed-bytes.ts'
import { nodeHasher } from '../crypto.ts'
import type { AccountStore, SessionRow } from '../store/account-store.ts'
import { isStoreFull } from '../store/store-full.ts'
import type { HttpSettings } from './settings.ts'

declare module 'lucia' {
  interface Register {
    Lucia: Lucia<{ row: SessionRow }>
    DatabaseSessionAttributes: { row: SessionRow }
    UserId: AccountId
  }
}

export interface LiveSession {
  account: AccountId
  /** '' until a device was certified: then nothing but certifying one is allowed. */
  dev: DeviceId | ''
  /** What names the session where the token must not stand: in a live socket, a log. */
  idHash: string
}

export interface Sessions {
  start(account: AccountId): Promise<string>
  /** Whose token is it? Using it prolongs it. */
  check(token: string): Promise<LiveSession | undefined>
  /** A live socket is use as well. Answers until when the session lives, ms; 0: it has ended. */
  prolong(idHash: string): Promise<number>
  /** Would this device be one too many with a live session? */
  hasRoomFor(session: LiveSession, dev: DeviceId): Promise<boolean>
  /** The session now speaks for a certified device. false: it ended meanwhile. */
  bind(session: LiveSession, dev: DeviceId): Promise<boolean>
  /** Another token for the same device, whose life begins now. The old one and its live socket are dead when it resolves. */
  renew(session: LiveSession): Promise<string>
  /** Token and live socket are dead when it resolves. */
  end(idHash: string): Promise<void>
  /** All of an account but those that are spared. */
  endAll(account: AccountId, isSpared?: (row: SessionRow) => boolean): Promise<void>
}

const tokenShape = /^[A-Za-z0-9_-]{43}$/

export function createSessions(ports: {
  store: AccountStore
  clock: Clock
  random: Random
  settings: HttpSettings['session']
  /** Closes the live socket of that session, if there is one; `renewed`: its device has another token by now. */
  endSession(idHash: string, why?: 'renewed'): void
}): Sessions {
  const { store, clock, random, settings } = ports
  const lifeEnd = (row: SessionRow) =>
    Math.min(clock.now() + (row.dev === '' ? settings.uncertifiedMs : settings.idleMs), row.created + settings.absoluteMs)
  // The package reads the system's clock; its dates are moved by how far ours is from it.
  const toDate = (time: number) => new Date(time - clock.now() + Date.now())

  const lucia = new Lucia<{ row: SessionRow }>(createAdapter(), {
    sessionExpiresIn: new TimeSpan(settings.idleMs, 'ms'),
    getSessionAttributes: ({ row }) => ({ row }),
  })

  async function begin(account: AccountId, dev: DeviceId | ''): Promise<string> {
    const token = toBase64Url(random.bytes(32))
    const row: SessionRow = { idHash: hashToken(token), account, dev, created: clock.now(), expires: 0 }
    await lucia.createSession(account, { row: { ...row, expires: lifeEnd(row) } }, { sessionId: token })
    return token
  }

  async function end(idHash: string): Promise<void> {
    await store.deleteSession(idHash)
    ports.endSession(idHash)
  }

  /** Answers until when it lives now. */
  async function prolong(row: SessionRow): Promise<number> {
    const expires = lifeEnd(row)
    if (row.dev === '' || expires - row.expires < settings.renewMs) return row.expires
    try {
      await store.updateSession({ ...row, expires })
      return expires
    } catch (error) {
      // Without room one reads on as long as the session was to live anyway; it is prolonged when there is some.
      if (!isStoreFull(error)) throw error
      return row.expires
    }
  }

  return {
    async start(account) {
      await lucia.deleteExpiredSessions()
      await dropOldestUncertified(account)
      return begin(account, '')
    },
    async check(token) {
      if (!tokenShape.test(token)) return undefined
      const { session } = await lucia.validateSession(token)
      if (!session) return undefined
      const { row } = session
      await prolong(row)
      return { account: row.account, dev: row.dev, idHash: row.idHash }
    },
    async prolong(idHash) {
      const row = await store.session(idHash)
      return row && row.expires > clock.now() ? prolong(row) : 0
    },
    async hasRoomFor({ account, idHash }, dev) {
      const now = clock.now()
      const others = (await store.sessionsOf(account)).filter(
        (row) => row.idHash !== idHash && row.dev !== '' && row.expires > now,
      )
      const live = new Set(others.map((row) => row.dev))
      return live.has(dev) || live.size < limits.devicesPerAccountMax
    },
    async bind({ idHash }, dev) {
      const row = await store.session(idHash)
      if (!row) return false
      const bound = { ...row, dev }
      return store.updateSession({ ...bound, expires: lifeEnd(bound) })
    },
    async renew({ account, dev, idHash }) {
      await store.deleteSession(idHash)
      ports.endSession(idHash, 'renewed')
      return begin(account, dev)
    },
    end,
    async endAll(account, isSpared = () => false) {
      for (const row of await store.sessionsOf(account)) if (!isSpared(row)) await end(row.idHash)
    },
  }

  /** Whoever knows the password and never certifies must not fill the table. */
  async function dropOldestUncertified(account: AccountId): Promise<void> {
    const waiting = (await store.sessionsOf(account)).filter((row) => row.dev === '')
    const tooMany = waiting.slice(0, Math.max(0, waiting.length + 1 - limits.devicesPerAccountMax))
    for (const row of tooMany) await store.deleteSession(row.idHash)
  }

  function createAdapter(): Adapter {
    return {
      async getSessionAndUser(token) {
        const row = await store.session(hashToken(token))
        if (!row) return [null, null]
        const session = { id: token, userId: row.account, expiresAt: toDate(row.expires), attributes: { row } }
        return [session, { id: row.account, attributes: {} }]
      },
      async getUserSessions(account) {
        const rows = await store.sessionsOf(account)
        return rows.map((row) => ({
          id: row.idHash,
          userId: account,
          expiresAt: toDate(row.expires),
          attributes: { row },
        }))
      },
      setSession: ({ attributes }) => store.putSession(attributes.row),
      // The package prolongs in the second half of a life only, so that 16 idle days could end a session; `check` does it instead.
      updateSessionExpiration: async () => undefined,
      deleteSession: (token) => store.deleteSession(hashToken(token)),
      async deleteUserSessions(account) {
        for (const row of await store.sessionsOf(account)) await store.deleteSession(row.idHash)
      },
      deleteExpiredSessions: () => store.deleteExpiredSessions(clock.now()),
    }
  }
}

/** SHA-256 of the token: who reads the store cannot use what is in it. */
function hashToken(token: string): string {
  return toBase64Url(taggedHash(nodeHasher, 'session', utf8(token)))
}
