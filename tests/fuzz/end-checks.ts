// What must hold when a round is over: everything stored loads in stock Yjs and equals the tape, every text that stands is byte for byte what was signed,
// nothing that was deleted is left, the counts agree, and the chain of commands can be followed by a device.
import * as Y from 'yjs'
import { nodeHasher } from '#relay/crypto.ts'
import { parseBase64Url, utf8 } from '#shared/base/bytes.ts'
import type { SegmentId } from '#shared/base/ids.ts'
import { checkRecord } from '#shared/community/chain.ts'
import type { CommunityHead } from '#shared/community/state.ts'
import { elementsOfTape } from '#shared/log/tape.ts'
import { readUpdate, serveSegment } from '#shared/log/update-bytes.ts'
import { sodium } from './fuzz-world.ts'
import type { SpaceModel } from './oracle-command.ts'
import type { ChannelModel } from './oracle-entry.ts'
import { asId, type Round } from './round.ts'

export async function checkEnd(round: Round): Promise<void> {
  for (const [channel, model] of round.channels) await checkChannel(round, channel, model)
  for (const [space, model] of round.community.spaces) await checkSpace(round, space, model)
  await checkHonest(round)
}

async function checkChannel(round: Round, channel: string, model: ChannelModel): Promise<void> {
  const { channels } = round.world.relay
  const facts = await channels.facts(asId(channel), [], [])
  equal('a channel is stored', facts !== undefined, true)
  equal('entries accepted', facts?.channel.seq, model.seq)
  equal('newest standing post', facts?.channel.last, model.last())
  const standing = new Map([...model.accepted].filter(([, one]) => !one.gone).map(([id, one]) => [one.seq, { id, one }]))
  const erased = [...model.accepted.values()].filter((one) => one.gone).map((one) => Buffer.from(one.bytes))
  let counted = 0
  const { list } = await channels.segments(asId(channel), '', 100_000)
  for (const { seg, n } of list) {
    const segment = await channels.segment(seg)
    if (!segment) throw new Error('a listed segment is stored')
    const stored = await channels.tape(seg, 0)
    const update = serveSegment(segment, stored, 0)
    if (!readUpdate(update)) throw new Error('what is served is an update that a device takes')
    const doc = new Y.Doc({ gc: false })
    Y.applyUpdate(doc, update)
    const live = doc.getArray<string>('log').toArray()
    equal('elements of a segment in Yjs', Y.getState(doc.store, segment.client), n)
    equal('Yjs and tape', JSON.stringify(live), JSON.stringify([...elementsOfTape(stored.tape)].map(({ text }) => text)))
    for (const element of live) {
      counted++
      const [rawSeq = '', rawAt = ''] = element.split('.', 2)
      const found = standing.get(Number.parseInt(rawSeq, 36))
      if (!found) throw new Error(`an element stands that was not accepted, or was deleted: ${element.slice(0, 300)}`)
      const { one } = found
      equal(
        'an element as it was signed',
        element,
        `${one.seq.toString(36)}.${one.at.toString(36)}.${Buffer.from(one.bytes).toString('utf8')}`,
      )
      equal('time of an element', Number.parseInt(rawAt, 36), one.at)
    }
    const whole = Buffer.from(stored.tape)
    for (const bytes of erased) if (whole.includes(bytes)) throw new Error('a deleted entry is still on the tape')
    doc.destroy()
  }
  equal('standing elements', counted, standing.size)
}

async function checkSpace(round: Round, space: string, model: SpaceModel): Promise<void> {
  const { community, accounts } = round.world.relay
  const head = await community.head(asId(space))
  equal('number of the last command', head?.n, model.n)
  const channels = Object.fromEntries(model.channels)
  equal(
    'state of a community',
    JSON.stringify(sorted(head?.state)),
    JSON.stringify(sorted({ v: 1, name: model.name, owner: model.owner, channels })),
  )
  const rows = await community.members(asId(space), 0)
  const members = rows.filter((row) => row.left === 0).map((row) => row.account)
  equal(
    'members',
    [...members].sort().join(),
    [...model.members]
      .filter(([, row]) => row.in)
      .map(([account]) => account)
      .sort()
      .join(),
  )

  let followed: CommunityHead | undefined
  let before = 0
  for (const record of await community.records(asId(space), 0, 1_000_000)) {
    const [dev] = await accounts.devices([JSON.parse(record.text)[2]])
    const key = dev && parseBase64Url(dev.key)
    const checked = checkRecord({ hasher: nodeHasher, verifier: sodium }, asId(space), followed, record, () =>
      dev && key ? { account: dev.account, key } : undefined,
    )
    if (!checked.ok) throw new Error(`command ${record.n} cannot be followed: ${checked.code} ${record.text.slice(0, 500)}`)
    if (record.at <= before) throw new Error('the time of commands rises')
    before = record.at
    followed = checked.value
  }
  equal(
    'head of the chain',
    Buffer.from(followed?.hash ?? utf8('none')).toString('hex'),
    Buffer.from(head?.hash ?? utf8('nothing')).toString('hex'),
  )
}

/** The device that applied every update as it came holds what is stored now. */
async function checkHonest({ world, honest }: Round): Promise<void> {
  for (const [seg, doc] of honest.documents) {
    const stored = await world.relay.channels.tape(asId<SegmentId>(seg), 0)
    const texts = [...elementsOfTape(stored.tape)].map(({ text }) => text)
    equal('the honest copy', JSON.stringify(doc.getArray<string>('log').toArray()), JSON.stringify(texts))
  }
}

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, sorted(item)]),
  )
}

function equal(what: string, given: unknown, expected: unknown): void {
  if (given !== expected) throw new Error(`${what}: ${String(given).slice(0, 600)}, not ${String(expected).slice(0, 600)}`)
}
