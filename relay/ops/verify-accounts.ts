// Accounts, their devices, sessions and private documents, read markers, and rows of any table that belong to nothing.
import { parseBase64Url } from '#shared/base/bytes.ts'
import { isId, parseAccountId } from '#shared/base/ids.ts'
import type { Hasher, Verifier } from '#shared/crypto/ports.ts'
import { accountIdOf, deviceIdOf, verifyStatement } from '#shared/crypto/statements.ts'
import type { DatabaseFile, Row } from '../store/database-file.ts'
import type { Findings } from './verify-report.ts'
import type { KnownKey } from './verify-tapes.ts'

interface AccountPorts {
  database: DatabaseFile
  hasher: Hasher
  verifier: Verifier
}

export function verifyAccounts({ database, hasher, verifier }: AccountPorts, findings: Findings): { accounts: number } {
  let accounts = 0
  for (const row of database.iterate('SELECT * FROM account ORDER BY id')) {
    accounts++
    const where = `account ${row.id}`
    const identity = row.identity instanceof Uint8Array && row.identity.length === 32 ? row.identity : undefined
    if (!identity || accountIdOf(hasher, identity) !== row.id)
      findings.add('account', where, 'its id is not that of its identity key: no device could believe it')
    if (row.erased === 1) {
      const personal = row.email !== '' || row.password_digest !== '' || (row.vault instanceof Uint8Array && row.vault.length > 0)
      if (personal) findings.add('erased', where, 'was erased, but address, digest or vault is still there')
    } else if (row.email_folded !== String(row.email).toLowerCase())
      findings.add('account', where, 'its address is not found by how it is written: it could be taken twice')
  }
  for (const row of database.iterate(
    'SELECT device.*, account.identity AS key_of FROM device LEFT JOIN account ON account.id = device.account ORDER BY dev',
  ))
    verifyDevice(row, hasher, verifier, findings)
  return { accounts }
}

function verifyDevice(row: Row, hasher: Hasher, verifier: Verifier, findings: Findings): void {
  const where = `device ${row.dev} of account ${row.account}`
  const key = parseBase64Url(String(row.key))
  const identity = row.key_of instanceof Uint8Array ? row.key_of : undefined
  const account = parseAccountId(row.account)
  if (key?.length !== 32 || deviceIdOf(hasher, key) !== row.dev)
    findings.add('device', where, 'its id is not that of its key: what it signed cannot be checked')
  if (!identity || !account) return
  const said = verifyStatement(verifier, String(row.certificate), String(row.sig), { account, identity })
  const isIts = said.ok && said.value.t === 'dev.add' && said.value.key === row.key
  if (!isIts)
    findings.add(
      'certificate',
      where,
      `its account’s identity does not vouch for it (${said.ok ? 'another key' : said.code}): others would not believe what it wrote`,
    )
}

/** All device keys, by device. */
export function readKeys(database: DatabaseFile): Map<string, KnownKey> {
  const keys = new Map<string, KnownKey>()
  for (const row of database.iterate('SELECT dev, account, key FROM device')) {
    const key = parseBase64Url(String(row.key))
    if (key) keys.set(String(row.dev), { account: String(row.account), key })
  }
  return keys
}

/** Rows by a question that finds none where all is well; the columns make the place. */
const orphans: readonly { what: string; means: string; query: string }[] = [
  {
    what: 'tape row',
    means: 'its segment is not there: text that nobody can read, and nobody redact',
    query: 'SELECT segment, clock FROM tape_row WHERE segment NOT IN (SELECT id FROM segment)',
  },
  {
    what: 'snapshot',
    means: 'its segment is not there: text that nobody can read, and nobody redact',
    query: 'SELECT segment FROM tape_snapshot WHERE segment NOT IN (SELECT id FROM segment)',
  },
  {
    what: 'segment',
    means: 'its channel is not there',
    query: 'SELECT id, channel FROM segment WHERE channel NOT IN (SELECT id FROM channel)',
  },
  {
    what: 'entries',
    means: 'their channel is not there',
    query: 'SELECT channel, count(*) AS n FROM entry WHERE channel NOT IN (SELECT id FROM channel) GROUP BY channel',
  },
  {
    what: 'channel',
    means: 'its community is not there',
    query: 'SELECT id, space FROM channel WHERE space NOT IN (SELECT id FROM space)',
  },
  {
    what: 'member',
    means: 'its community is not there',
    query: 'SELECT space, account FROM member WHERE space NOT IN (SELECT id FROM space)',
  },
  {
    what: 'member',
    means: 'its account is not there',
    query: 'SELECT space, account FROM member WHERE account NOT IN (SELECT id FROM account)',
  },
  {
    what: 'commands',
    means: 'their community is not there',
    query: 'SELECT space, count(*) AS n FROM command WHERE space NOT IN (SELECT id FROM space) GROUP BY space',
  },
  {
    what: 'invite',
    means: 'its community is not there',
    query: 'SELECT hash, space FROM invite WHERE space NOT IN (SELECT id FROM space)',
  },
  {
    what: 'structure changes',
    means: 'their community is not there',
    query: 'SELECT space, count(*) AS n FROM structure_change WHERE space NOT IN (SELECT id FROM space) GROUP BY space',
  },
  {
    what: 'read marker',
    means: 'its channel is not there',
    query: 'SELECT account, channel FROM read_marker WHERE channel NOT IN (SELECT id FROM channel)',
  },
  {
    what: 'read marker',
    means: 'its account is not there',
    query: 'SELECT account, channel FROM read_marker WHERE account NOT IN (SELECT id FROM account)',
  },
  {
    what: 'private document',
    means: 'its account is not there',
    query: 'SELECT account, count(*) AS n FROM private_blob WHERE account NOT IN (SELECT id FROM account) GROUP BY account',
  },
  {
    what: 'session',
    means: 'its account is not there',
    query: 'SELECT account FROM session WHERE account NOT IN (SELECT id FROM account)',
  },
  {
    what: 'device',
    means: 'its account is not there',
    query: 'SELECT dev, account FROM device WHERE account NOT IN (SELECT id FROM account)',
  },
  {
    what: 'session',
    means: 'its device is not one of its account: nobody can sign in by it',
    query:
      "SELECT account, dev FROM session WHERE dev <> '' AND dev NOT IN (SELECT dev FROM device WHERE device.account = session.account)",
  },
]

export function verifyBelongings(database: DatabaseFile, findings: Findings): void {
  for (const { what, means, query } of orphans)
    for (const row of database.iterate(query))
      findings.add(
        'orphan',
        `${what} ${Object.entries(row)
          .map(([name, value]) => `${name}=${value}`)
          .join(' ')}`,
        means,
      )
  const ahead = `SELECT read_marker.account, read_marker.channel, read_marker.seq, read_marker.gen, channel.seq AS most FROM read_marker
    JOIN channel ON channel.id = read_marker.channel WHERE read_marker.seq > channel.seq OR read_marker.seq < 0 OR read_marker.gen < 0`
  for (const row of database.iterate(ahead))
    findings.add(
      'read-marker',
      `read marker of account ${row.account} in channel ${row.channel}`,
      `says that ${row.seq} is read, there are ${row.most} entries: what comes next would never be unread`,
    )
  for (const row of database.iterate('SELECT account, nr FROM private_blob WHERE nr < 1 OR length(bytes) <= 1002'))
    findings.add('private', `private document of account ${row.account}`, `a part of it has number ${row.nr} or nothing in it`)
}

/** What the relay remembers of itself. Answers its clock. */
export function verifyMeta(database: DatabaseFile, findings: Findings): number {
  const values = new Map(database.all('SELECT key, value FROM meta').map((row) => [row.key, String(row.value)]))
  const clock = Number(values.get('clock') ?? 0)
  const commits = Number(values.get('commits') ?? 0)
  if (!isId(values.get('incarnation')))
    findings.add('meta', 'meta', 'it has no incarnation: it is no relay’s database, or was never started')
  if (!Number.isSafeInteger(clock) || !Number.isSafeInteger(commits))
    findings.add('meta', 'meta', 'its clock or its commits are no numbers')
  return clock
}
