// What must be so when everything has come together again: looked up on the disks, of the relay and of every device.
import assert from 'node:assert/strict'
import { toBase64Url } from '#shared/base/bytes.ts'
import type { AccountId, ChannelId, DeviceId, EntryId, SegmentId, SpaceId } from '#shared/base/ids.ts'
import { checkRecord, stateHash } from '#shared/community/chain.ts'
import type { CommunityHead } from '#shared/community/state.ts'
import { createReplica } from '#shared/log/document.ts'
import { type Element, readElement } from '#shared/log/entry-codec.ts'
import { elementsOfTape, runsFrom } from '#shared/log/tape.ts'
import { encodeUpdate } from '#shared/log/update-bytes.ts'
import type { MemoryDisk } from '../fakes/memory-device-store.ts'
import { hasher, verifier } from './fake-crypto.ts'
import { acceptedIn, type RelayDisk, recordOf, spacesOf } from './relay-disk.ts'

export interface DeviceDisk {
  name: string
  account: AccountId
  disk: MemoryDisk
}

export interface OracleWorld {
  relay: RelayDisk
  devices: readonly DeviceDisk[]
  /** Text that must be nowhere. */
  deleted: readonly string[]
  keyOf(dev: DeviceId): { account: AccountId; key: Uint8Array } | undefined
}

/** Holds at any time, whether it came to rest or not. @returns what stands, by channel */
export function checkRelay(world: Pick<OracleWorld, 'relay' | 'keyOf'>): Map<ChannelId, Element[]> {
  const elements = new Map<ChannelId, Element[]>()
  for (const channel of world.relay.tables.channels.keys()) elements.set(channel, checkChannel(world.relay, channel))
  for (const space of world.relay.community.spaces.keys()) checkChain(world, space)
  return elements
}

/** Everybody holds what he may, all of it and nothing else. */
export function checkTogether({ relay, devices }: OracleWorld, elements: Map<ChannelId, Element[]>): void {
  for (const device of devices) {
    checkHoldsWhatItMay(relay, device, elements)
    checkOutbox(relay, device)
  }
}

/** seq 1..N without gaps, each accepted entry once, records and tape in agreement. @returns the standing elements, in the order of seq */
function checkChannel(disk: RelayDisk, channel: ChannelId): Element[] {
  const accepted = acceptedIn(disk, channel)
  const count = disk.tables.channels.get(channel)?.seq ?? 0
  const seqs = accepted.map((record) => record.seq).sort((a, b) => a - b)
  assert.deepEqual(
    seqs,
    Array.from({ length: count }, (_, i) => i + 1),
    'seq counts from 1 without gaps',
  )
  const standing = new Map<EntryId, Element>()
  for (const segment of disk.tables.segments.values()) {
    if (segment.channel !== channel) continue
    let count = 0
    for (const row of disk.tables.rows.get(segment.id) ?? []) {
      assert.equal(row.clock, count, 'rows follow on each other')
      count += row.count
      for (const { clock, text } of elementsOfTape(row.tape, row.clock)) {
        const element = readElement(text)
        assert(element.ok, 'what is stored can be read')
        const { id, seq } = element.value
        const record = recordOf(disk, channel, id)
        assert(!standing.has(id), 'an entry is there once')
        assert(record?.kind === 'accepted' && !record.gone, 'what stands is accepted and not deleted')
        assert.deepEqual([record.segment, record.clock, record.seq], [segment.id, clock, seq], 'it stands where its record says')
        standing.set(id, element.value)
      }
    }
    assert.equal(segment.next, count, 'a segment counts its elements')
  }
  for (const record of accepted) assert(record.gone || standing.has(record.id), 'what was accepted is stored')
  for (const { op, ref, by } of standing.values()) {
    const target = op === 'redact' && ref !== 0 ? recordOf(disk, channel, ref) : undefined
    if (target?.kind === 'accepted' && target.by === by) assert(target.gone, 'a message that its author took back is gone')
  }
  return [...standing.values()].sort((a, b) => a.seq - b.seq)
}

/** The chain from nothing: signatures, effects, hashes, and the state at its end. */
function checkChain({ relay, keyOf }: Pick<OracleWorld, 'relay' | 'keyOf'>, space: SpaceId): void {
  const held = relay.community.spaces.get(space)
  assert(held)
  let head: CommunityHead | undefined
  for (const record of held.records) {
    const checked = checkRecord({ hasher, verifier }, space, head, record, keyOf)
    assert(checked.ok, `the chain holds (${checked.ok ? '' : checked.code})`)
    head = checked.value
  }
  assert(head, 'a community begins with a command')
  assert.equal(toBase64Url(head.hash), toBase64Url(held.head.hash), 'the chain leads to its head')
  assert.equal(
    toBase64Url(stateHash(hasher, head.state)),
    toBase64Url(stateHash(hasher, held.head.state)),
    'the chain leads to the state',
  )
  const live = [...relay.tables.channels.values()].filter((channel) => channel.space === space).map((channel) => channel.id)
  assert.deepEqual(live.sort(), Object.keys(head.state.channels).sort(), 'the state names the channels that there are')
}

export function checkNothingDeleted({ relay, devices, deleted }: OracleWorld): void {
  const search = (bytes: Uint8Array, where: string) => {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
    // Every word begins alike: most bytes need one look.
    if (!text.includes(wordStart)) return
    for (const needle of deleted) assert(!text.includes(needle), `deleted text lies in ${where}: ${needle}`)
  }
  for (const rows of relay.tables.rows.values()) for (const row of rows) search(row.tape, 'the relay')
  for (const { name, disk } of devices) {
    for (const parts of disk.bytes.values()) for (const part of parts) search(part, `the store of ${name}`)
    for (const row of disk.tables.outbox.values())
      if (row.state.kind !== 'refused')
        search(Buffer.from(JSON.stringify(row)), `the outbox of ${name} (${row.op} ${row.state.kind})`)
  }
}

export const wordStart = 'secret~'

/** Exactly the communities and channels that its person may see, and of these all there is, as a fresh join would serve it. */
function checkHoldsWhatItMay(relay: RelayDisk, { name, account, disk }: DeviceDisk, elements: Map<ChannelId, Element[]>): void {
  const { tables } = disk
  const spaces = spacesOf(relay, account)
  assert.deepEqual([...tables.space.keys()].sort(), [...spaces].sort(), `${name} holds its person's communities`)
  for (const space of spaces) {
    const held = relay.community.spaces.get(space)
    const row = tables.space.get(space)
    assert(held && row?.state, `${name} has the state of ${space} (${JSON.stringify(row)})`)
    assert.equal(row.n, held.head.n, `${name} followed the chain to its end`)
    assert.equal(toBase64Url(row.hash), toBase64Url(held.head.hash), `${name} has the chain's hash`)
    assert.deepEqual(row.state, held.head.state, `${name} has the community's state`)
    assert.equal(row.membersN, held.head.n, `${name} has the whole roster`)
    const roster = [...tables.member.values()].filter((member) => member.space === space)
    const want = [...held.members.values()].map((member) => ({ ...member, space }))
    assert.deepEqual(sorted(roster, memberKey), sorted(want, memberKey), `${name} has the roster`)
  }
  for (const member of tables.member.values())
    assert(spaces.includes(member.space), `${name} knows nobody of a community that is not its person's`)

  const channels = [...relay.tables.channels.values()].filter((channel) => spaces.includes(channel.space))
  assert.deepEqual([...tables.channel.keys()].sort(), channels.map((channel) => channel.id).sort(), `${name} holds its channels`)
  const wanted = new Set<SegmentId>()
  for (const channel of channels) {
    const row = tables.channel.get(channel.id)
    assert.equal(row?.heldRev, channel.rev, `${name} knows that it holds all of a channel`)
    assert.equal(row?.head, channel.head === 0 ? '' : channel.head, `${name} knows the head`)
    assert.equal(row?.last, channel.last, `${name} knows the newest post`)
    const got: Element[] = []
    for (const segment of relay.tables.segments.values()) {
      if (segment.channel !== channel.id || segment.next === 0) continue
      wanted.add(segment.id)
      const copy = createReplica()
      for (const part of disk.bytes.get(segment.id) ?? []) assert(copy.apply(part).ok, `${name} can read its own copy`)
      const tape = Buffer.concat((relay.tables.rows.get(segment.id) ?? []).map((one) => one.tape))
      const join = createReplica()
      assert(join.apply(encodeUpdate(segment.client, runsFrom(tape, 0, 0), segment.deleted)).ok)
      assert.equal(toBase64Url(copy.state()), toBase64Url(join.state()), `${name} holds what a fresh join is served`)
      const stored = tables.segment.get(segment.id)
      assert.deepEqual(
        [stored?.n, stored?.client, stored?.of, stored?.tail],
        [segment.next, segment.client, segment.of === 0 ? '' : segment.of, join.tail()],
        `${name} knows its copy`,
      )
      for (const { text } of copy.elements()) {
        const element = readElement(text)
        if (element.ok) got.push(element.value)
      }
      copy.destroy()
      join.destroy()
    }
    const order = (list: Element[]) => list.sort((a, b) => a.seq - b.seq).map(({ seq, id }) => `${seq} ${id}`)
    assert.deepEqual(order(got), order(elements.get(channel.id) ?? []), `${name} has every entry once and in the relay's order`)
  }
  for (const segment of disk.bytes.keys()) assert(wanted.has(segment), `${name} holds no copy that it may not`)
  for (const row of tables.segment.values()) assert(row.n === 0 || wanted.has(row.id), `${name} names no copy that it may not`)
}

function checkOutbox(relay: RelayDisk, { name, account, disk }: DeviceDisk): void {
  const { tables } = disk
  for (const row of tables.outbox.values()) {
    const record = recordOf(relay, row.channel, row.id)
    if (row.state.kind === 'notarget')
      assert(
        row.ref !== 0 && recordOf(relay, row.channel, row.ref)?.kind !== 'accepted',
        `${name} waits only for what is not there`,
      )
    else assert.equal(row.state.kind, 'refused', `${name} has a row that did not end: ${row.op} ${row.state.kind}`)
    // Who is out may not know what became of what was under way.
    const mayKnow = tables.channel.has(row.channel)
    const isThere = record?.kind === 'accepted' && !record.gone && record.by === account
    assert(!mayKnow || !isThere, `${name} calls refused what the relay has: ${row.op} ${row.id} ${JSON.stringify(row.state)}`)
  }
  for (const row of tables.command.values()) assert.fail(`${name} has a command that did not end: ${row.command.act} ${row.id}`)
}

function memberKey(row: { account: AccountId }): string {
  return row.account
}

function sorted<Row>(rows: readonly Row[], keyOf: (row: Row) => string): Row[] {
  return [...rows].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
}
