// Every community carried out once more from its first command: signatures, hashes and state, the roster, the invites and the structure document
// must come out as they are stored.
import { toBase64Url } from '#shared/base/bytes.ts'
import { parseSpaceId, type SpaceId } from '#shared/base/ids.ts'
import { canonicalJson } from '#shared/community/canonical-json.ts'
import { type ChainFault, checkRecord } from '#shared/community/chain.ts'
import type { Command } from '#shared/community/command.ts'
import { parseCommand } from '#shared/community/command-codec.ts'
import type { CommunityHead, CommunityState } from '#shared/community/state.ts'
import type { Hasher } from '#shared/crypto/ports.ts'
import { openStructure } from '#shared/structure/structure-document.ts'
import type { DatabaseFile, Row } from '../store/database-file.ts'
import type { Findings } from './verify-report.ts'
import type { TapePorts } from './verify-tapes.ts'

export interface CommunityPorts extends TapePorts {
  hasher: Hasher
}

interface ExpectedMember {
  joined: number
  left: number
  n: number
}

interface ExpectedInvite {
  by: string
  created: number
  until: number
  usesMax: number
  uses: number
  revoked: boolean
}

/** What the chain says beside the state. */
interface Replayed {
  head: CommunityHead | undefined
  /** All records could be carried out. */
  whole: boolean
  members: Map<string, ExpectedMember>
  invites: Map<string, ExpectedInvite>
}

/** The structure engine must be loaded. Answers how many commands there are. */
export function verifyCommunities(ports: CommunityPorts, findings: Findings): { communities: number; commands: number } {
  const counts = { communities: 0, commands: 0 }
  for (const row of ports.database.all('SELECT * FROM space ORDER BY id')) {
    const space = parseSpaceId(row.id)
    if (!space) {
      findings.add('id', `community ${row.id}`, 'its id is none')
      continue
    }
    counts.communities++
    const replayed = replay(ports, space, findings)
    counts.commands += replayed.head?.n ?? 0
    if (!replayed.whole || !replayed.head) continue
    verifyHead(row, replayed.head, findings)
    verifyMembers(ports.database, space, replayed.members, findings)
    verifyInvites(ports.database, space, replayed.invites, findings)
    verifyChannelRows(ports.database, space, replayed.head.state, findings)
    verifyStructure(ports.database, space, replayed.head.state, findings)
  }
  return counts
}

const faults: { readonly [Fault in ChainFault]: string } = {
  order: 'is not the next one: a command is missing or double',
  newer: 'is of a kind that this relay does not know: a newer one wrote it',
  shape: 'cannot be read as a command',
  key: 'is signed by a device that is not known: nobody can check it',
  signature: 'does not carry a signature of its author: it was changed after it was signed',
  effect: 'cannot be carried out on what stands before it',
  state: 'leads to another state than it says',
}

function replay({ database, hasher, verifier, keyOf, clock }: CommunityPorts, space: SpaceId, findings: Findings): Replayed {
  const replayed: Replayed = { head: undefined, whole: true, members: new Map(), invites: new Map() }
  let before = -1
  for (const row of database.iterate('SELECT * FROM command WHERE space = ? ORDER BY n', space)) {
    const where = `command ${row.n} of community ${space}`
    const record = {
      n: Number(row.n),
      at: Number(row.at),
      text: String(row.text),
      sig: String(row.sig),
      state: String(row.state),
    }
    const checked = checkRecord({ hasher, verifier }, space, replayed.head, record, (dev) => {
      const known = keyOf(dev)
      // reason: `checkRecord` only compares it with the author that the command names
      return known && { account: known.account as Command['by'], key: known.key }
    })
    if (!checked.ok) {
      findings.add('chain', where, `${faults[checked.code]}; what follows it was not looked at, and no device goes on behind it`)
      return { ...replayed, whole: false }
    }
    replayed.head = checked.value
    if (record.at <= before) findings.add('chain-time', where, 'is not later than the one before it')
    if (record.at > clock)
      findings.add('clock', where, `was accepted at ${record.at}, after all that the relay’s clock ever showed`)
    before = record.at
    const parsed = parseCommand(record.text, record.sig)
    if (!parsed.ok) continue
    const { command } = parsed.value
    if (row.id !== command.id || row.by !== command.by)
      findings.add(
        'command-row',
        where,
        'its row names another id or author than its text: sent again, it would be carried out twice',
      )
    follow(replayed, command, record, where, findings)
  }
  if (!replayed.head) findings.add('chain', `community ${space}`, 'has no command: nobody knows where its state comes from')
  return replayed
}

/** The roster and the invites, which are outside the state. */
function follow(
  { members, invites }: Replayed,
  command: Command,
  { n, at }: { n: number; at: number },
  where: string,
  findings: Findings,
): void {
  const leaves = (account: string) => {
    const member = members.get(account)
    if (member) members.set(account, { ...member, left: at, n })
    else findings.add('chain-member', where, `lets ${account} go, who was no member`)
  }
  switch (command.act) {
    case 'community.create':
      members.set(command.by, { joined: at, left: 0, n })
      return
    case 'member.join': {
      members.set(command.by, { joined: at, left: 0, n })
      const invite = invites.get(command.args.hash)
      if (invite) invites.set(command.args.hash, { ...invite, uses: invite.uses + 1 })
      else findings.add('chain-member', where, 'joins by an invite that nobody made')
      return
    }
    case 'member.leave':
      leaves(command.by)
      return
    case 'member.remove':
      leaves(command.args.account)
      return
    case 'invite.create': {
      const { hash, until, uses } = command.args
      invites.set(hash, { by: command.by, created: at, until, usesMax: uses, uses: 0, revoked: false })
      return
    }
    case 'invite.revoke': {
      const invite = invites.get(command.args.hash)
      if (invite) invites.set(command.args.hash, { ...invite, revoked: true })
    }
  }
}

function verifyHead(row: Row, head: CommunityHead, findings: Findings): void {
  const where = `community ${head.space}`
  if (Number(row.n) !== head.n)
    findings.add('chain', where, `says it has ${row.n} commands, there are ${head.n}: the next one would not fit`)
  if (!(row.hash instanceof Uint8Array) || toBase64Url(row.hash) !== toBase64Url(head.hash))
    findings.add('chain-hash', where, 'its chain’s hash is another than its commands give: no device could follow it')
  if (canonicalOf(String(row.state)) !== canonicalJson(head.state))
    findings.add('state', where, 'its state is not what its commands lead to: members would see another community than the relay')
}

function verifyMembers(
  database: DatabaseFile,
  space: SpaceId,
  expected: ReadonlyMap<string, ExpectedMember>,
  findings: Findings,
): void {
  const left = new Map(expected)
  for (const row of database.iterate(
    `SELECT member.*, account.erased, EXISTS (SELECT 1 FROM erasing WHERE erasing.account = member.account) AS is_going
      FROM member LEFT JOIN account ON account.id = member.account AND account.erased = 1 WHERE space = ? ORDER BY member.account`,
    space,
  )) {
    const where = `member ${row.account} of community ${space}`
    const member = left.get(String(row.account))
    left.delete(String(row.account))
    if (row.erased === 1) {
      // No command says so: the account is no more, and its name must not stand here, at the latest when the erasing has come to its end.
      if (row.is_going === 0 && (row.left_at === 0 || row.username !== ''))
        findings.add('erased', where, 'its account was erased, but it stands here still')
    } else if (!member) findings.add('member', where, 'no command let this account in')
    else if (Number(row.joined) !== member.joined || Number(row.left_at) !== member.left || Number(row.n) !== member.n)
      findings.add(
        'member',
        where,
        `its row says ${row.left_at === 0 ? 'a member' : 'no member'} by command ${row.n}, the commands say ${member.left === 0 ? 'a member' : 'no member'} by ${member.n}`,
      )
  }
  for (const account of left.keys())
    findings.add('member', `member ${account} of community ${space}`, 'a command let this account in, but there is no row')
}

function verifyInvites(
  database: DatabaseFile,
  space: SpaceId,
  expected: ReadonlyMap<string, ExpectedInvite>,
  findings: Findings,
): void {
  const left = new Map(expected)
  for (const row of database.iterate('SELECT * FROM invite WHERE space = ? ORDER BY hash', space)) {
    const where = `invite ${row.hash} of community ${space}`
    const invite = left.get(String(row.hash))
    left.delete(String(row.hash))
    if (!invite) {
      findings.add('invite', where, 'no command made it: it lets people in whom nobody invited')
      continue
    }
    const stored: ExpectedInvite = {
      by: String(row.by),
      created: Number(row.created),
      until: Number(row.until_at),
      usesMax: Number(row.uses_max),
      uses: Number(row.uses),
      revoked: row.revoked === 1,
    }
    const [says, should] = [JSON.stringify(stored), JSON.stringify(invite)]
    if (says !== should) findings.add('invite', where, `its row says ${says}, the commands say ${should}`)
  }
  for (const hash of left.keys())
    findings.add('invite', `invite ${hash} of community ${space}`, 'a command made it, but there is no row: it lets nobody in')
}

function verifyChannelRows(database: DatabaseFile, space: SpaceId, state: CommunityState, findings: Findings): void {
  const stored = new Set(database.all('SELECT id FROM channel WHERE space = ?', space).map((row) => String(row.id)))
  for (const channel of Object.keys(state.channels))
    if (!stored.delete(channel))
      findings.add(
        'channel',
        `channel ${channel} of community ${space}`,
        'is in the community’s state, but has no row: nothing can be written in it',
      )
  for (const channel of stored)
    findings.add(
      'channel',
      `channel ${channel} of community ${space}`,
      'has a row, but the community’s state does not know it: it was deleted, or never made',
    )
}

function verifyStructure(database: DatabaseFile, space: SpaceId, state: CommunityState, findings: Findings): void {
  const epochs = database.all('SELECT DISTINCT epoch FROM structure_change WHERE space = ? ORDER BY epoch', space)
  const where = `structure document of community ${space}`
  if (epochs.length === 0) findings.add('structure', where, 'is not there')
  for (const { epoch } of epochs) {
    const rows = database.all(
      'SELECT nr, bytes FROM structure_change WHERE space = ? AND epoch = ? ORDER BY nr',
      space,
      Number(epoch),
    )
    if (rows.some((row, i) => row.nr !== i + 1))
      findings.add('structure', `${where}, epoch ${epoch}`, 'its changes are not numbered from 1 without a gap: one is lost')
    try {
      const document = openStructure(rows.map((row) => (row.bytes instanceof Uint8Array ? row.bytes : new Uint8Array())))
      const isSame = epoch !== epochs.at(-1)?.epoch || canonicalJson(document.state()) === canonicalJson(state)
      document.free()
      if (!isSame)
        findings.add('structure', where, 'says something else than the community’s state: history would show what never was')
    } catch (error) {
      findings.add(
        'structure',
        `${where}, epoch ${epoch}`,
        `cannot be opened: ${error instanceof Error ? error.message : String(error)}`,
      )
    }
  }
}

function canonicalOf(json: string): string {
  try {
    return canonicalJson(JSON.parse(json))
  } catch {
    // JSON.parse has no other way to say that this is not JSON.
    return ''
  }
}
