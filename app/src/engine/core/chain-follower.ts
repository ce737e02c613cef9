// Follows the command chain of each community: every record is checked and executed here before it counts.
// A chain that does not check is asked for once more from its beginning; a relay that cheats twice on one link is not followed.

import { parseBase64Url } from '#shared/base/bytes.ts'
import type { AccountId, DeviceId, SpaceId } from '#shared/base/ids.ts'
import { chainStart, checkRecord } from '#shared/community/chain.ts'
import { parseCommand } from '#shared/community/command-codec.ts'
import { channelEntries } from '#shared/community/position.ts'
import type { CommunityState } from '#shared/community/state.ts'
import type { ControlDown } from '#shared/protocol/frames.ts'
import type { CommandRecord } from '#shared/protocol/records.ts'
import type { SpaceRow } from '../device-store.ts'
import { finishCommands } from './commands.ts'
import { hasKey, wantKey } from './device-keys.ts'
import { cryptoAtHand } from './keys-at-hand.ts'
import { loseChannel, meetChannel } from './losing.ts'
import { type ChainProgress, changed, drop, type Link, put, rosterOf, send, type World } from './state.ts'

const faultsMax = 2

export function followChain(world: World, link: Link, space: SpaceId): void {
  const progress = progressOf(link, space)
  const row = world.tables.space.get(space)
  if (progress.asked || progress.faults >= faultsMax) return
  const after = row ? Math.min(row.n, row.membersN) : 0
  progress.asked = { after, answered: false }
  send(world, { kind: 'control', message: { t: 'chain', space, after } })
}

export async function onRecord(world: World, link: Link, frame: Extract<ControlDown, { t: 'record' }>): Promise<void> {
  // A community that was just joined or made here tells its chain before it is named.
  if (!world.tables.space.has(frame.space)) {
    put(world, 'space', { id: frame.space, n: 0, hash: chainStart, state: undefined, membersN: 0 })
    link.namedSpaces.add(frame.space)
  }
  const progress = progressOf(link, frame.space)
  if (progress.faults >= faultsMax) return
  // What is asked for is older than any news, so only the answer can begin right there.
  if (progress.asked && frame.records[0]?.n === progress.asked.after + 1) progress.asked.answered = true
  progress.records.push(...frame.records)
  await applyRecords(world, link, frame.space)
}

/** While an answer is due the roster has a hole, and only the end of that answer closes it: rows that are news count, but prove nothing. */
export function onMembers(world: World, link: Link, frame: Extract<ControlDown, { t: 'members' }>): void {
  const roster = rosterOf(world, frame.space)
  for (const row of frame.rows) {
    const known = roster.get(row.account)
    if (known && known.n > row.n) continue
    put(world, 'member', { ...row, space: frame.space })
    roster.set(row.account, row)
  }
  changed(world, `members ${frame.space}`)
  changed(world, 'communities')
  const space = world.tables.space.get(frame.space)
  if (!space || frame.more) return
  const progress = progressOf(link, frame.space)
  if (progress.asked && !progress.asked.answered) return
  progress.asked = undefined
  if (frame.n > space.membersN) put(world, 'space', { ...space, membersN: frame.n })
  // Left over from a chain that is no more: this one knows nothing of them.
  for (const [account, row] of roster) if (row.n === 0) forgetMember(world, space.id, account)
}

/** Keys came: chains that waited for them go on. */
export async function resumeChains(world: World, link: Link): Promise<void> {
  for (const [space, progress] of link.chains) if (progress.records.length > 0) await applyRecords(world, link, space)
}

/** State and roster stay to be looked at until the chain has been followed again; then whatever it says takes their place. */
export function restartChain(world: World, space: SpaceRow): SpaceRow {
  const row = { ...space, n: 0, hash: chainStart, membersN: 0 }
  put(world, 'space', row)
  const roster = rosterOf(world, space.id)
  for (const [account, member] of roster) {
    put(world, 'member', { ...member, n: 0, space: space.id })
    roster.set(account, { ...member, n: 0 })
  }
  return row
}

function forgetMember(world: World, space: SpaceId, account: AccountId): void {
  drop(world, 'member', `${space} ${account}`)
  rosterOf(world, space).delete(account)
}

async function applyRecords(world: World, link: Link, space: SpaceId): Promise<void> {
  const progress = progressOf(link, space)
  const crypto = await cryptoAtHand(world)
  if (!crypto) return link.wire.close('libsodium did not load')
  for (let record = progress.records[0]; record; record = progress.records[0]) {
    const row = world.tables.space.get(space)
    if (!row) return
    if (record.n <= row.n) {
      progress.records.shift()
      continue
    }
    if (record.n > row.n + 1) {
      // News overtook us: all between is asked for, and this one comes again with it.
      progress.records = []
      followChain(world, link, space)
      return
    }
    const head = row.n > 0 && row.state ? { space, n: row.n, hash: row.hash, state: row.state } : undefined
    const checked = checkRecord({ hasher: crypto, verifier: crypto }, space, head, record, (dev) => keyOf(world, dev))
    if (checked.ok) {
      progress.records.shift()
      const { n, hash, state } = checked.value
      takeState(world, { ...row, n, hash: new Uint8Array(hash), state }, head?.state)
      continue
    }
    if (checked.code === 'newer') {
      // An act of a later version: this app shows the community as it was before it.
      progress.records = []
      progress.faults = faultsMax
      return
    }
    if (checked.code === 'key' && awaitsKey(world, link, record)) return
    progress.records = []
    progress.faults++
    progress.asked = undefined
    restartChain(world, row)
    followChain(world, link, space)
    return
  }
}

/** @param before as this chain had it: one that is followed anew says nothing of what the old one had, and lost channels are lost for good */
function takeState(world: World, row: SpaceRow, before: CommunityState | undefined): void {
  const state = row.state
  if (!state) return
  // Names are still needed for what was not sent there, so channels are lost before the state changes.
  for (const [channel] of before ? channelEntries(before.channels) : []) {
    if (!Object.hasOwn(state.channels, channel)) loseChannel(world, channel, 'nochannel')
  }
  put(world, 'space', row)
  for (const [channel] of channelEntries(state.channels)) meetChannel(world, row.id, channel)
  finishCommands(world, row.id, row.n)
  changed(world, 'communities')
}

function keyOf(world: World, dev: DeviceId) {
  const row = world.tables.key.get(dev)
  const key = row && parseBase64Url(row.key)
  return row && key ? { account: row.account, key } : undefined
}

function awaitsKey(world: World, link: Link, record: CommandRecord): boolean {
  const parsed = parseCommand(record.text, record.sig)
  if (!parsed.ok || hasKey(world, parsed.value.command.dev)) return false
  return wantKey(world, link, parsed.value.command.dev)
}

function progressOf(link: Link, space: SpaceId): ChainProgress {
  let progress = link.chains.get(space)
  if (!progress) {
    progress = { asked: undefined, records: [], faults: 0 }
    link.chains.set(space, progress)
  }
  return progress
}
