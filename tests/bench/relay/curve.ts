// What one more member or channel costs, from 10 of them to 10,000: one entry, one hello, one command, and memory, in this process, over the
// real stores and hub. Commits do not wait for the disk here: its time would drown what is looked for.
import { rmSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { nodeRandom } from '#relay/crypto.ts'
import type { ChannelId, SpaceId } from '#shared/base/ids.ts'
import { encodeUp } from '#shared/protocol/frame-codec.ts'
import { type ControlUp, protocolVersion } from '#shared/protocol/frames.ts'
import { makeCommunity } from '../../seed/seed-community.ts'
import { type SeedPerson, seatPerson } from '../../seed/seed-person.ts'
import { openSeedRelay, type SeedRelay } from '../../seed/seed-relay.ts'
import { newFolder } from './machine.ts'
import { quantile } from './quantiles.ts'
import { inColumns } from './tables.ts'
import { enterCrowd, joinAll } from './world/crowd.ts'

export interface CurvePoint {
  of: 'members' | 'channels'
  count: number
  /** CPU, µs. */
  entry: number
  hello: number
  command: number
  /** Heap for each member that is connected, or for each channel that was looked at, bytes. */
  bytesEach: number
}

export interface CurveFigures {
  points: CurvePoint[]
  /** Of a segment that was opened and closed, bytes. */
  segmentBytes: number
  steepest: { name: string; ratio: number }[]
}

setFlagsFromString('--expose-gc')
// reason: the flag puts this function there
const collectGarbage = runInNewContext('gc') as () => void
const rounds = 5
const perRound = 60
/** Of one community; the person who says hello is in one, and the relay has many. */
const channelsEach = 10
/** With fewer, what the garbage collector leaves says nothing of one. */
const memoryFrom = 1_000

export async function measureCurve(quick: boolean): Promise<CurveFigures> {
  const counts = quick ? [10, 100, 1_000] : [10, 100, 1_000, 10_000]
  const points: CurvePoint[] = []
  for (const count of counts) points.push(await onRelay((relay, owner) => membersPoint(relay, owner, count)))
  for (const count of counts) points.push(await onRelay((relay, owner) => channelsPoint(relay, owner, count)))
  const steepest = (['members', 'channels'] as const).flatMap((of) =>
    (['entry', 'hello', 'command'] as const).map((what) => {
      const values = points.filter((point) => point.of === of).map((point) => point[what])
      return { name: `one ${what} beside many ${of}`, ratio: Math.max(...values) / Math.min(...values) }
    }),
  )
  return { points, segmentBytes: points.at(-1)?.bytesEach ?? Number.NaN, steepest }
}

export function curveTable({ points }: CurveFigures): string {
  return inColumns([
    ['One more member or channel', 'one entry, µs', 'one hello, µs', 'one command, µs', 'bytes each'],
    ...points.map(({ of, count, entry, hello, command, bytesEach }) => [
      `${count.toLocaleString('en')} ${of}`,
      ...[entry, hello, command].map((us) => us.toFixed(0)),
      Number.isNaN(bytesEach) ? '' : bytesEach.toFixed(0),
    ]),
  ])
}

async function onRelay(measure: (relay: SeedRelay, owner: SeedPerson) => Promise<CurvePoint>): Promise<CurvePoint> {
  const folder = newFolder()
  const relay = await openSeedRelay(folder, Date.now())
  try {
    // Signed by the native libsodium: what a device spends on it is not looked for here.
    const [first] = await enterCrowd(relay, relay.clock.time, 'owner', 1)
    if (!first) throw new Error('a crowd of one has a first')
    return await measure(relay, await seatPerson(relay, nodeRandom, first))
  } finally {
    await relay.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function membersPoint(relay: SeedRelay, owner: SeedPerson, count: number): Promise<CurvePoint> {
  const { space, channels } = await makeCommunity(relay, nodeRandom, [owner], 'Members', [plain('general')])
  const crowd = await enterCrowd(relay, relay.clock.time, 'member', count)
  await joinAll(relay, owner, space, crowd)
  const costs = await costsOf(relay, owner, space, channels, crowd[0]?.token ?? '')
  const before = heapNow()
  const links = []
  for (const { token } of crowd) links.push(await connect(relay, token))
  const bytesEach = count < memoryFrom ? Number.NaN : (heapNow() - before) / count
  for (const link of links) link.closed()
  return { of: 'members', count, ...costs, bytesEach }
}

async function channelsPoint(relay: SeedRelay, owner: SeedPerson, count: number): Promise<CurvePoint> {
  const all: { space: SpaceId; channel: ChannelId }[] = []
  let last: { space: SpaceId; channels: ChannelId[] } | undefined
  for (let made = 0; made < count; made += channelsEach) {
    const names = Array.from({ length: Math.min(channelsEach, count - made) }, (_, i) => plain(`channel-${i}`))
    const [first, ...rest] = names
    if (!first) break
    last = await makeCommunity(relay, nodeRandom, [owner], `Community ${made}`, [first, ...rest])
    for (const channel of last.channels) {
      all.push({ space: last.space, channel })
      await write(owner, last.space, channel)
    }
  }
  if (!last) throw new Error('a curve has channels')
  const [guest] = await enterCrowd(relay, relay.clock.time, 'guest', 1)
  if (!guest) throw new Error('a crowd of one has a first')
  await joinAll(relay, owner, last.space, [guest])
  const costs = await costsOf(relay, owner, last.space, last.channels.slice(0, 10), guest.token)

  const reader = await enterCrowd(relay, relay.clock.time, 'reader', 1)
  for (const space of new Set(all.map((one) => one.space))) await joinAll(relay, owner, space, reader)
  const link = await connect(relay, reader[0]?.token ?? '')
  const before = heapNow()
  let req = 0
  for (const { channel } of all) {
    const head = (await relay.log.segments(channel, '', 1)).list[0]
    if (!head) continue
    link.receive(control({ t: 'open', req: ++req, seg: head.seg, n: 0, view: 0, tail: '' }))
    link.receive(control({ t: 'close', seg: head.seg }))
    await relay.hub.idle()
  }
  const bytesEach = count < memoryFrom ? Number.NaN : (heapNow() - before) / count
  link.closed()
  return { of: 'channels', count, ...costs, bytesEach }
}

async function costsOf(
  relay: SeedRelay,
  owner: SeedPerson,
  space: SpaceId,
  channels: readonly ChannelId[],
  token: string,
): Promise<Pick<CurvePoint, 'entry' | 'hello' | 'command'>> {
  const channelAt = (i: number) => {
    const channel = channels[i % channels.length]
    if (!channel) throw new Error('there is a channel')
    return channel
  }
  let topic = ''
  const entry = await cpuOf((i) => write(owner, space, channelAt(i)))
  const hello = await cpuOf(async () => (await connect(relay, token)).closed())
  const command = await cpuOf(async (i) => {
    const channel = channelAt(0)
    const next = `topic ${i % 2}`
    await owner.command(space, { act: 'channel.topic', args: { channel, topic: next }, was: topic })
    topic = next
  })
  return { entry, hello, command }
}

/** µs of CPU for one; the median of some rounds, after one to warm up. */
async function cpuOf(work: (i: number) => Promise<void>): Promise<number> {
  const taken: number[] = []
  for (let round = 0; round <= rounds; round++) {
    const start = process.cpuUsage()
    for (let i = 0; i < perRound; i++) await work(i)
    const { user, system } = process.cpuUsage(start)
    if (round > 0) taken.push((user + system) / perRound)
  }
  return quantile(
    taken.sort((a, b) => a - b),
    0.5,
  )
}

async function write(owner: SeedPerson, space: SpaceId, channel: ChannelId): Promise<void> {
  const verdicts = await owner.append(channel, [
    owner.sign({ space, channel }, { op: 'post', ref: 0, body: { t: 'a message of about seven words, not more' } }).bytes,
  ])
  if (verdicts[0]?.kind !== 'accepted') throw new Error(`not accepted: ${JSON.stringify(verdicts)}`)
}

/** A device that says hello, and hears without listening. */
async function connect({ hub }: SeedRelay, token: string): Promise<ReturnType<SeedRelay['hub']['connect']>> {
  const link = hub.connect({ send: () => {}, close: () => {}, queuedBytes: () => 0 })
  link.receive(control({ t: 'hello', v: protocolVersion, token, incarnation: '', mark: '' }))
  await hub.idle()
  return link
}

function control(message: ControlUp): Uint8Array {
  return encodeUp({ kind: 'control', message })
}

function plain(name: string) {
  return { name, topic: '', kind: 'text' as const }
}

function heapNow(): number {
  collectGarbage()
  collectGarbage()
  return process.memoryUsage().heapUsed
}
