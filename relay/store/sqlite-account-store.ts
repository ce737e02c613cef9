// Accounts, devices and sessions in SQLite.
import type { SQLInputValue, SQLOutputValue } from 'node:sqlite'
import { assert } from '#shared/base/assert.ts'
import type { Bytes } from '#shared/base/bytes.ts'
import { type AccountId, type DeviceId, parseAccountId, parseDeviceId } from '#shared/base/ids.ts'
import type { DeviceKey } from '#shared/protocol/frames.ts'
import type { AccountRow, AccountStore, SessionRow } from './account-store.ts'
import type { Database } from './database.ts'
import type { RedactionJournal } from './redaction-journal.ts'
import { rewriteTable } from './rewrite-table.ts'

type Row = Record<string, SQLOutputValue>

/** @param journal where erased accounts are written down, so that a backup which is put back does not bring them back */
export function createSqliteAccountStore(database: Database, journal?: Pick<RedactionJournal, 'add'>): AccountStore {
  const { sql } = database
  const prepare = {
    byId: sql.prepare('SELECT * FROM account WHERE id = ? AND erased = 0'),
    byUsername: sql.prepare('SELECT * FROM account WHERE username = ? AND erased = 0'),
    byEmail: sql.prepare('SELECT * FROM account WHERE email_folded = ? AND erased = 0'),
    isUsed: sql.prepare('SELECT 1 FROM account WHERE id = ?'),
    isMarked: sql.prepare('SELECT 1 FROM account WHERE username = ? AND erased = 1'),
    count: sql.prepare('SELECT count(*) AS n FROM account'),
    create: sql.prepare('INSERT INTO account VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)'),
    usernames: sql.prepare('SELECT id, username FROM account WHERE id IN (SELECT value FROM json_each(?)) AND erased = 0'),
    setSecrets: sql.prepare(
      `UPDATE account SET salt = ?, password_digest = ?, vault = ?, vault_rev = vault_rev + 1
        WHERE id = ? AND vault_rev = ? AND erased = 0`,
    ),
    // Name and address must differ from all others': a mark and an id do, and neither is a name or an address.
    erase: sql.prepare(
      `UPDATE account SET username = ?2, email = '', email_folded = id, email_confirmed = 0, salt = x'', password_digest = '',
        vault = x'', vault_rev = 0, avatar = '', created = 0, operator = 0, erased = 1 WHERE id = ?1 AND erased = 0`,
    ),
    eraseSessions: sql.prepare('DELETE FROM session WHERE account = ?'),
    eraseDevices: sql.prepare(
      "UPDATE device SET until_at = CASE until_at WHEN 0 THEN ?2 ELSE until_at END, revocation = '', revocation_sig = '' WHERE account = ?1",
    ),
    putErasing: sql.prepare('INSERT INTO erasing VALUES (?)'),
    erasing: sql.prepare('SELECT account FROM erasing ORDER BY account'),
    finishErasing: sql.prepare('DELETE FROM erasing WHERE account = ?'),
    session: sql.prepare('SELECT * FROM session WHERE id_hash = ?'),
    // Who signed in while the account was being erased gets nothing.
    putSession: sql.prepare(
      'INSERT OR REPLACE INTO session SELECT ?1, ?2, ?3, ?4, ?5 WHERE EXISTS (SELECT 1 FROM account WHERE id = ?2 AND erased = 0)',
    ),
    updateSession: sql.prepare('UPDATE session SET dev = ?, expires = ? WHERE id_hash = ?'),
    deleteSession: sql.prepare('DELETE FROM session WHERE id_hash = ?'),
    sessionsOf: sql.prepare('SELECT * FROM session WHERE account = ? ORDER BY created, id_hash'),
    deleteExpired: sql.prepare('DELETE FROM session WHERE expires <= ?'),
    putDevice: sql.prepare("INSERT OR REPLACE INTO device VALUES (?, ?, ?, ?, ?, ?, ?, ?, '', '')"),
    revokeDevice: sql.prepare(
      'UPDATE device SET until_at = ?, revocation = ?, revocation_sig = ? WHERE dev = ? AND until_at = 0',
    ),
    devices: sql.prepare('SELECT * FROM device WHERE dev IN (SELECT value FROM json_each(?)) ORDER BY dev'),
    devicesOf: sql.prepare('SELECT * FROM device WHERE account = ? ORDER BY from_at, dev'),
  }
  const account = (row: Row | undefined) => (row ? readAccount(row) : undefined)

  return {
    byId: async (id) => account(prepare.byId.get(id)),
    byUsername: async (username) => account(prepare.byUsername.get(username)),
    byEmail: async (email) => account(prepare.byEmail.get(email.toLowerCase())),
    count: async () => Number(prepare.count.get()?.n),
    create: async (row) =>
      database.transaction(() => {
        if (prepare.byUsername.get(row.username)) return 'username_taken'
        if (prepare.byEmail.get(row.email.toLowerCase())) return 'email_taken'
        if (prepare.isUsed.get(row.id)) return 'identity_taken'
        prepare.create.run(...accountColumns({ ...row, operator: prepare.count.get()?.n === 0 }))
        return 'created'
      }),
    usernames: async (ids) =>
      new Map(prepare.usernames.all(JSON.stringify(ids)).map((row) => [accountId(row.id), String(row.username)])),
    async setSecrets(id, { salt, passwordDigest, vault }, vaultRev) {
      const changed = prepare.setSecrets.run(salt, passwordDigest, vault, id, vaultRev).changes === 1
      // The old vault and digest can be attacked by whoever has the old password: they leave the log too.
      if (changed) database.noteErased()
      return changed
    },
    async erase(id, until, mark) {
      database.transaction(() => {
        if (prepare.erase.run(id, mark).changes === 0) return
        prepare.eraseSessions.run(id)
        prepare.eraseDevices.run(id, until)
        prepare.putErasing.run(id)
      })
      database.noteErased()
    },
    isMarked: async (mark) => prepare.isMarked.get(mark) !== undefined,
    erasing: async () => prepare.erasing.all().map((row) => accountId(row.account)),
    async finishErasing(id) {
      // Behind the erasing and not before it: one that failed must not happen after a restore. Cut short here, it is finished again.
      journal?.add([{ kind: 'erased', account: id }])
      // Names and addresses lie in the leaves of these.
      for (const table of ['account', 'member']) rewriteTable(sql, table)
      database.noteErased()
      prepare.finishErasing.run(id)
    },

    async session(idHash) {
      const row = prepare.session.get(idHash)
      return row ? readSession(row) : undefined
    },
    async putSession({ idHash, account, dev, created, expires }) {
      prepare.putSession.run(idHash, account, dev, created, expires)
    },
    updateSession: async ({ idHash, dev, expires }) => prepare.updateSession.run(dev, expires, idHash).changes === 1,
    async deleteSession(idHash) {
      prepare.deleteSession.run(idHash)
    },
    sessionsOf: async (id) => prepare.sessionsOf.all(id).map(readSession),
    async deleteExpiredSessions(now) {
      prepare.deleteExpired.run(now)
    },

    async putDevice({ dev, account, identity, key, certificate, sig, from, until }) {
      prepare.putDevice.run(dev, account, identity, key, certificate, sig, from, until)
    },
    revokeDevice: async (dev, { until, statement, sig }) => prepare.revokeDevice.run(until, statement, sig, dev).changes === 1,
    devices: async (devs) => prepare.devices.all(JSON.stringify(devs)).map(readDevice),
    devicesOf: async (id) => prepare.devicesOf.all(id).map(readDevice),
  }
}

/** In the order of the table's columns. */
function accountColumns(row: AccountRow): SQLInputValue[] {
  const { id, username, email, emailConfirmed, salt, passwordDigest, identity, vault, vaultRev, avatar, created, operator } = row
  const folded = email.toLowerCase()
  const [confirmed, operates] = [Number(emailConfirmed), Number(operator)]
  return [id, username, email, folded, confirmed, salt, passwordDigest, identity, vault, vaultRev, avatar, created, operates]
}

function readAccount(row: Row): AccountRow {
  return {
    id: accountId(row.id),
    username: String(row.username),
    email: String(row.email),
    emailConfirmed: row.email_confirmed === 1,
    salt: blob(row.salt),
    passwordDigest: String(row.password_digest),
    identity: blob(row.identity),
    vault: blob(row.vault),
    vaultRev: Number(row.vault_rev),
    avatar: String(row.avatar),
    created: Number(row.created),
    operator: row.operator === 1,
  }
}

function readSession(row: Row): SessionRow {
  return {
    idHash: String(row.id_hash),
    account: accountId(row.account),
    dev: row.dev === '' ? '' : deviceId(row.dev),
    created: Number(row.created),
    expires: Number(row.expires),
  }
}

function readDevice(row: Row): DeviceKey {
  return {
    dev: deviceId(row.dev),
    account: accountId(row.account),
    identity: String(row.identity),
    key: String(row.key),
    certificate: String(row.certificate),
    sig: String(row.sig),
    from: Number(row.from_at),
    until: Number(row.until_at),
  }
}

function accountId(value: SQLOutputValue | undefined): AccountId {
  const id = parseAccountId(value)
  assert(id, 'a stored account id is canonical')
  return id
}

function deviceId(value: SQLOutputValue | undefined): DeviceId {
  const id = parseDeviceId(value)
  assert(id, 'a stored device id is canonical')
  return id
}

function blob(value: SQLOutputValue | undefined): Bytes {
  assert(value instanceof Uint8Array, 'the column holds a blob')
  return value
}
