// Watches the relay from outside: every commit against the rules, and every frame that leaves against what is on the disk at that moment.
import assert from 'node:assert/strict'
import type { CommandBatch } from '#relay/store/community-store.ts'
import { parseBase64Url, utf8 } from '#shared/base/bytes.ts'
import type { AccountId, ChannelId, DeviceId, SpaceId } from '#shared/base/ids.ts'
import { entrySignedBytes } from '#shared/crypto/signed-bytes.ts'
import { type Element, readElement } from '#shared/log/entry-codec.ts'
import type { ChannelBatch } from '#shared/log/facts.ts'
import { elementsOfTape } from '#shared/log/tape.ts'
import { readUpdate } from '#shared/log/update-bytes.ts'
import { parseDown } from '#shared/protocol/frame-codec.ts'
import type { ControlDown } from '#shared/protocol/frames.ts'
import { verifier } from './fake-crypto.ts'
import { channelOfSegment, isMemberOf, type RelayDisk, recordOf, rightsIn, spaceOfChannel } from './relay-disk.ts'

export interface RelayOracle {
  /** Look at this disk from here on: at the start, and after a restore. */
  look(disk: RelayDisk): void
  /** Right after a commit of the log store. */
  entriesCommitted(batches: readonly ChannelBatch[]): void
  commandCommitted(batch: CommandBatch): void
  /** A frame leaves for this account's device. */
  frameLeaves(bytes: Uint8Array, account: AccountId): void
}

export interface OracleStats {
  accepted: number
  redacted: number
  segments: number
  annexes: number
  commands: number
  framesDown: number
  stale: number
}

export interface OracleDevices {
  keyOf(dev: DeviceId): { account: AccountId; key: Uint8Array } | undefined
}

export function createRelayOracle(devices: OracleDevices, stats: OracleStats): RelayOracle {
  let disk: RelayDisk
  let lastAt = 0
  const seqs = new Map<ChannelId, number>()

  function checkElement(element: Element, channel: ChannelId, space: SpaceId, before: RelayDisk): void {
    const { id, by, dev, op, ref, sig, text } = element
    const owner = devices.keyOf(dev)
    assert(owner, 'an accepted entry comes from a device that there is')
    assert.equal(owner.account, by, 'an accepted entry is by the account of its device')
    const signature = parseBase64Url(sig)
    assert(
      signature && verifier.verify(signature, entrySignedBytes(space, channel, utf8(text)), owner.key),
      'an accepted entry is signed',
    )
    const rights = rightsIn(before, by, channel)
    assert(rights?.view && [...rights.may].some((one) => one === op), `an accepted ${op} was allowed`)
    const target = ref === 0 ? undefined : recordOf(before, channel, ref)
    if (op === 'edit') assert(target?.kind === 'accepted' && target.by === by, 'an edit is of a message of one’s own')
    if (op === 'react' || op === 'unreact' || op === 'pin' || op === 'unpin')
      assert(target?.kind === 'accepted' && target.op === 'post', `a ${op} is on a message`)
    // One that came before its target took nothing away, unless it binds.
    if (op === 'redact' && target?.kind === 'accepted' && target.seq < element.seq)
      assert(
        target.gone && (target.by === by || rights.manage),
        `a redact deletes one’s own message, or its author may manage (${id})`,
      )
  }

  return {
    look(next) {
      disk = next
      lastAt = disk.tables.meta.clock
      seqs.clear()
      for (const channel of disk.tables.channels.values()) seqs.set(channel.id, channel.seq)
    },
    entriesCommitted(batches) {
      for (const { channel, segments, rows, entries } of batches) {
        const space = spaceOfChannel(disk, channel.id)
        assert.equal(space, channel.space, 'entries are stored in a channel that there is')
        let seq = seqs.get(channel.id) ?? 0
        const fresh = entries.filter((entry) => entry.kind === 'accepted' && entry.seq > seq)
        // A record that was a reservation before stands where that stood, so not in the order of seq.
        const taken = fresh.flatMap((entry) => (entry.kind === 'accepted' ? [entry.seq] : [])).sort((a, b) => a - b)
        for (const one of taken) assert.equal(one, ++seq, 'seq has no gaps')
        seqs.set(channel.id, seq)
        assert.equal(channel.seq, seq, 'a channel counts its entries')
        stats.accepted += fresh.length
        stats.redacted += entries.filter((entry) => entry.kind === 'accepted' && entry.gone).length
        for (const segment of segments) if (segment.next <= fresh.length) stats[segment.of === 0 ? 'segments' : 'annexes']++
        for (const row of rows)
          for (const { clock, text } of elementsOfTape(row.tape, row.clock)) {
            const element = readElement(text)
            assert(element.ok, 'what is stored can be read')
            const record = recordOf(disk, channel.id, element.value.id)
            assert(record?.kind === 'accepted' && !record.gone, 'what is stored is accepted and stands')
            assert.deepEqual(
              [record.segment, record.clock, record.seq],
              [row.segment, clock, element.value.seq],
              'an element stands where its record says',
            )
            assert(element.value.arrived >= lastAt, 'the relay’s clock never goes back')
            lastAt = element.value.arrived
            checkElement(element.value, channel.id, channel.space, disk)
          }
      }
    },
    commandCommitted({ record, channelsMade, channelsDeleted }) {
      stats.commands++
      assert(record.at > lastAt, 'a command’s time lies above all that was accepted before')
      lastAt = record.at
      for (const channel of channelsMade) seqs.set(channel, 0)
      for (const channel of channelsDeleted) seqs.delete(channel)
    },
    frameLeaves(bytes, account) {
      stats.framesDown++
      const frame = parseDown(bytes)
      assert(frame, 'the relay sends what can be read')
      if (frame.kind === 'update') {
        const channel = channelOfSegment(disk, frame.seg)
        assert(channel, 'an update is of a segment that there is')
        assertViews(disk, account, channel)
        const content = readUpdate(frame.update)
        assert(content, 'an update can be read')
        for (const cell of content.cells) if (cell !== undefined) checkSent(disk, channel, cell)
      }
      if (frame.kind === 'control' && frame.message.t === 'stale') stats.stale++
      if (frame.kind === 'control') checkControl(disk, account, frame.message)
    },
  }
}

function assertViews(disk: RelayDisk, account: AccountId, channel: ChannelId): void {
  assert(rightsIn(disk, account, channel)?.view, 'something of a channel went to one who may not see it')
}

function assertMember(disk: RelayDisk, account: AccountId, space: SpaceId): void {
  assert(isMemberOf(disk, space, account), 'something of a community went to one who is no member')
}

function checkSent(disk: RelayDisk, channel: ChannelId, cell: string): void {
  const element = readElement(cell)
  assert(element.ok, 'what is sent can be read')
  const record = recordOf(disk, channel, element.value.id)
  assert(record?.kind === 'accepted' && record.seq === element.value.seq, 'an entry left the relay before it was stored')
  assert(!record.gone, 'deleted text left the relay')
}

function checkControl(disk: RelayDisk, account: AccountId, message: ControlDown): void {
  switch (message.t) {
    case 'space':
      assertMember(disk, account, message.id)
      for (const channel of message.channels) assertViews(disk, account, channel.id)
      break
    case 'segment':
    case 'segments':
      assertViews(disk, account, message.channel)
      break
    case 'record':
    case 'members':
      assertMember(disk, account, message.space)
      break
    case 'result':
      for (const verdict of message.verdicts) {
        if (verdict.kind === 'refused' || (verdict.kind === 'known' && verdict.gone)) continue
        const stored = [...disk.tables.entries.values()].some((records) => {
          const record = records.get(verdict.id)
          return record?.kind === 'accepted' && record.seq === verdict.seq
        })
        assert(stored, 'a verdict left the relay before its commit')
      }
      break
    case 'done':
      if ('n' in message)
        assert(
          (disk.community.spaces.get(message.space)?.head.n ?? 0) >= message.n,
          'a command was called done before its commit',
        )
      break
    default:
      break
  }
}
