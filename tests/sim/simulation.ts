// One run: a relay, people with devices and a liar, in a world that loses, doubles, reorders, cuts, kills and restores. All of it follows from
// the seed: the schedule decides which frame, which disk call and which mishap comes next, and nothing else runs in between.
import assert from 'node:assert/strict'
import type { HubSettings } from '#relay/hub-ports.ts'
import { toBase64Url, utf8 } from '#shared/base/bytes.ts'
import type { AccountId, ChannelId, DeviceId } from '#shared/base/ids.ts'
import type { Clock } from '#shared/base/ports.ts'
import { createPrng, type Prng } from '#shared/base/prng.ts'
import { encodeUp, parseUp } from '#shared/protocol/frame-codec.ts'
import { closeCodes, protocolVersion } from '#shared/protocol/frames.ts'
import { createMemoryAccountStore } from '../fakes/memory-account-store.ts'
import { createMemoryDisk } from '../fakes/memory-device-store.ts'
import { createMemoryMetaStore } from '../fakes/memory-log-store.ts'
import type { ActionWorld } from './actions.ts'
import { createDevice, type DeviceNode, type DeviceWorld, type Person, type Trace } from './device-node.ts'
import { certifyDevice, createIdentity } from './fake-crypto.ts'
import type { Operation } from './history.ts'
import { createLedger, type Ledger } from './ledger.ts'
import type { Liar } from './liar.ts'
import { honest, type Mutant, type MutantWorld } from './mutants.ts'
import { createLine, type Line, type RelayEnd } from './network.ts'
import { createRoom, type Room, settle, WorldBroke } from './process.ts'
import { copyRelayDisk, createRelayDisk, type RelayDisk } from './relay-disk.ts'
import { bootRelay, type RelayNode, type RelaySession, type RelayWorld } from './relay-node.ts'
import { createRelayOracle, type RelayOracle } from './relay-oracle.ts'
import { openBoth, openModel, type SqliteFile } from './sqlite-stores.ts'
import { createWatcher } from './watcher.ts'

export interface Stats {
  accepted: number
  redacted: number
  segments: number
  annexes: number
  commands: number
  framesDown: number
  steps: number
  cuts: number
  crashes: number
  failures: number
  /** Calls that a full disk refused, of the relay and of devices. */
  fullRelay: number
  fullDevices: number
  clockJumps: number
  slowLines: number
  halfOpen: number
  /** Lines that were given up for their silence. */
  silent: number
  stale: number
  restores: number
  /** Of these, with the whole disk set back, so that only a mark could tell. */
  silentRestores: number
  /** … and none of whose devices had heard that it was further. */
  unnoticed: number
  rolledBack: number
  clones: number
  oldCopies: number
  lies: number
  removals: number
  /** People who were removed, let in again, and came back with what they had written meanwhile. */
  returns: number
  /** Looks at channels and answers to writes, for the judge of histories. */
  reads: number
  verdicts: number
  devices: number
  closed: number
}

export const emptyStats = (): Stats => ({
  accepted: 0,
  redacted: 0,
  segments: 0,
  annexes: 0,
  commands: 0,
  framesDown: 0,
  steps: 0,
  cuts: 0,
  crashes: 0,
  failures: 0,
  fullRelay: 0,
  fullDevices: 0,
  clockJumps: 0,
  slowLines: 0,
  halfOpen: 0,
  silent: 0,
  stale: 0,
  restores: 0,
  silentRestores: 0,
  unnoticed: 0,
  rolledBack: 0,
  clones: 0,
  oldCopies: 0,
  lies: 0,
  removals: 0,
  returns: 0,
  reads: 0,
  verdicts: 0,
  devices: 0,
  closed: 0,
})

/** What happened for good, whatever the relay's disk says after a restore. */
export interface History {
  accepted: Set<string>
  /** `space account`: was not a member for a while. */
  wasOut: Set<string>
  accountsOut: Set<AccountId>
  channelsDeleted: Set<ChannelId>
  /** What devices were told and saw. */
  operations: Operation[]
}

export interface Simulation {
  readonly seed: number
  readonly prng: Prng
  readonly stats: Stats
  readonly ledger: Ledger
  readonly history: History
  /** The last one is the liar; he has an honest device too. */
  readonly people: readonly Person[]
  readonly nodes: DeviceNode[]
  readonly liar: Liar
  readonly deviceWorld: DeviceWorld
  readonly clock: Clock
  /** Lines that are not dead at both ends, the liar's too. */
  readonly lines: Line[]
  disk: RelayDisk
  relay: RelayNode | undefined
  liarLine: Line | undefined
  /** Whether calls of the disk happen at once. */
  calm: boolean
  /** The first broken rule. */
  fault: unknown
  /** What a right clock shows: it only goes forward. */
  now: number
  /** How far the relay's clock is off, ms. */
  relaySkew: number
  readonly relayRoom: Room
  readonly structure: boolean
  readonly sqlite: SqliteFile | undefined
  keyOf(dev: DeviceId): { account: AccountId; key: Uint8Array } | undefined
  addDevice(person: Person): Promise<DeviceNode>
  startRelay(): Promise<void>
  crashRelay(): void
  /** @param silently the whole disk is set back, the file with the incarnation too: only devices can tell */
  restoreRelay(backup: RelayDisk, silently: boolean): Promise<void>
  dialAsLiar(): void
  action(): ActionWorld
}

const startTime = 1_760_000_000_000

export interface SimulationOptions {
  mutant?: Mutant | undefined
  trace?: Trace | undefined
  /** The relay's stores are the real ones, on this file. It is never set back then. */
  sqlite?: SqliteFile | undefined
}

export async function createSimulation(seed: number, options: SimulationOptions = {}): Promise<Simulation> {
  const { mutant = honest, trace, sqlite } = options
  const prng = createPrng(seed)
  const stats = emptyStats()
  const ledger = createLedger(seed)
  const history: History = {
    accepted: new Set(),
    wasOut: new Set(),
    accountsOut: new Set(),
    channelsDeleted: new Set(),
    operations: [],
  }
  const accounts = createMemoryAccountStore()
  const sessions = new Map<string, RelaySession>()
  const keys = new Map<DeviceId, { account: AccountId; key: Uint8Array }>()
  const calmness = prng.pick([0, 0.5, 0.9])
  const eager = () => sim.calm || prng.chance(calmness)
  const clock: Clock = { now: () => sim.now }
  const relayClock: Clock = { now: () => sim.now + sim.relaySkew }
  const watcher = createWatcher(history, stats)
  const failed = (error: unknown) => {
    sim.fault ??= error
  }
  const brought = new Set<string>()
  const mutantWorld: MutantWorld = { brought: (id) => brought.has(id) }
  const oracle = watchHistory(createRelayOracle({ keyOf: (dev) => keys.get(dev) }, stats), history, ledger, stats)
  const settings = someSettings(prng)
  const structure = seed % 8 === 0
  const relayRoom = createRoom()
  const relayWorld: RelayWorld = {
    prng,
    clock: relayClock,
    time: () => sim.now,
    room: relayRoom,
    stores: (disk) => (sqlite ? openBoth(sqlite, disk, prng) : openModel(disk, () => toBase64Url(prng.bytes(16)))),
    accounts,
    sessions,
    oracle,
    mutant,
    mutantWorld,
    settings,
    structure,
    verifiesAhead: seed % 3 !== 0,
    eager,
    failed,
    report: (event) => {
      if (event.kind === 'store-failed' || event.kind === 'read-failed') stats.failures++
      const { error } = event.kind === 'store-failed' || event.kind === 'read-failed' ? event : { error: undefined }
      if (error instanceof Error && !(error instanceof WorldBroke)) failed(error)
    },
  }
  const deviceWorld: DeviceWorld = {
    prng,
    clock,
    time: () => sim.now,
    mutant,
    eager,
    failed,
    crashed: () => void stats.crashes++,
    trace,
    settled: (from, id) => {
      for (const node of sim.nodes) if (node !== from && node.person === from.person) node.core?.settleUnsent(id)
    },
    closed: (node, code) => {
      stats.closed++
      const never: number[] = [closeCodes.malformed, closeCodes.forbidden, closeCodes.unauthorized, closeCodes.version]
      if (never.includes(code)) failed(new Error(`must hold: ${node.name} gives no cause to be closed with ${code}`))
    },
    gaveUp: (node, why) => {
      if (node.process?.alive && why !== 'the engine starts anew')
        failed(new Error(`must hold: the relay gives no cause: ${why}`))
    },
    hears: watcher.hears,
    drew: watcher.drew,
    dial: (line, token) => dial(line, token),
  }

  function dial(line: Line, token: string): RelayEnd {
    sim.lines.push(line)
    const { relay } = sim
    if (!relay) throw new Error('must hold: one dials a relay that is up')
    let account: AccountId | undefined
    const end = relay.connect(line, () => account)
    return {
      receive: (bytes) => {
        const frame = parseUp(bytes)
        if (frame?.kind === 'control' && frame.message.t === 'hello') account = sessions.get(token)?.account
        if (frame?.kind === 'append') {
          for (const entry of frame.entries) brought.add(Buffer.from(entry.slice(88, 110)).toString('latin1'))
          // Doubled on the way: by whatever retries below us.
          if (prng.chance(0.08)) end.receive(bytes)
        }
        end.receive(bytes)
      },
      drained: () => end.drained(),
      closed: () => end.closed(),
    }
  }

  async function enrol(username: string): Promise<Person> {
    const person: Person = { ...createIdentity(username, utf8(`${seed} ${username}`)), unsent: new Map() }
    await accounts.create({
      id: person.account,
      username,
      email: `${username}@example.org`,
      emailConfirmed: false,
      salt: new Uint8Array(16),
      passwordDigest: '',
      identity: person.signer.publicKey,
      vault: new Uint8Array(1),
      vaultRev: 1,
      avatar: '',
      created: startTime,
    })
    return person
  }

  async function register(name: string, person: Person) {
    const device = certifyDevice(person, utf8(`${seed} ${name}`), startTime)
    const token = `token of ${name}`
    await accounts.putDevice(device.key)
    sessions.set(token, { account: person.account, dev: device.dev })
    keys.set(device.dev, { account: person.account, key: device.signer.publicKey })
    return { device, token }
  }

  const people: Person[] = []
  for (let i = 0; i < 3 + prng.below(3); i++) people.push(await enrol(`p${i}`))
  const liarPerson = people[people.length - 1]
  assert(liarPerson)
  const { device: liarDevice, token: liarToken } = await register('liar', liarPerson)

  const sim: Simulation = {
    seed,
    prng,
    stats,
    ledger,
    history,
    people,
    nodes: [],
    liar: { identity: liarPerson, device: liarDevice },
    deviceWorld,
    clock,
    lines: [],
    disk: createRelayDisk('first'),
    relay: undefined,
    liarLine: undefined,
    calm: true,
    fault: undefined,
    now: startTime,
    relaySkew: 0,
    relayRoom,
    structure,
    sqlite,
    keyOf: (dev) => keys.get(dev),
    async addDevice(person) {
      const name = `${person.username}-${sim.nodes.filter((node) => node.person === person).length + 1}`
      const skew = prng.pick([0, 0, 0, 40, -3_000, 90_000, 500_000, -86_400_000])
      const node = createDevice({ name, person, ...(await register(name, person)), skew, disk: createMemoryDisk() })
      sim.nodes.push(node)
      stats.devices++
      return node
    },
    async startRelay() {
      if (sim.relay) return
      sim.relay = await bootRelay(relayWorld, sim.disk, () => {
        stats.crashes++
        sim.crashRelay()
      })
    },
    crashRelay() {
      sim.relay?.process.kill()
      sim.relay = undefined
      for (const line of sim.lines) line.breakAtRelay()
    },
    async restoreRelay(backup, silently) {
      sim.crashRelay()
      // A commit that was just done is seen before the disk is another.
      await settle()
      const { incarnation: era, commits } = sim.disk.tables.meta
      const losesNothing = commits === backup.tables.meta.commits && era === backup.tables.meta.incarnation
      const tellers = sim.nodes
        .filter(({ disk }) => isFurther(disk.tables.meta.get('meta'), backup.tables.meta))
        .map(({ name }) => name)
      history.operations.push({
        kind: 'relay-set-back',
        era,
        to: backup.tables.meta.incarnation,
        noticed: !silently || losesNothing,
        tellers,
      })
      const before = sim.disk
      sim.disk = copyRelayDisk(backup)
      for (const [channel, records] of before.tables.entries)
        for (const id of records.keys()) if (!sim.disk.tables.entries.get(channel)?.has(id)) stats.rolledBack++
      stats.restores++
      if (silently) stats.silentRestores++
      else await createMemoryMetaStore(sim.disk.tables, () => toBase64Url(prng.bytes(16))).renew()
      await sim.startRelay()
    },
    dialAsLiar() {
      sim.liarLine = createLine(prng, { receive: () => {}, closed: () => {} }, (made) => dial(made, liarToken))
      const hello = { t: 'hello', v: protocolVersion, token: liarToken, incarnation: '', mark: '' } as const
      sim.liarLine.sendUp(encodeUp({ kind: 'control', message: hello }))
    },
    action: () => ({
      prng,
      now: sim.now,
      disk: sim.disk,
      ledger,
      history: history.operations,
      people: sim.people.map((person) => person.account),
    }),
  }
  return sim
}

function someSettings(prng: Prng): Partial<HubSettings> {
  const hurried = prng.chance(0.3)
  return {
    segmentPostsMax: 3 + prng.below(8),
    segmentBytesMax: prng.pick([2_000, 1_000_000]),
    segmentElementsFull: 6 + prng.below(14),
    segmentBytesFull: prng.pick([6_000, 2_000_000]),
    segmentRowsMax: 1 + prng.below(12),
    entryBurst: hurried ? 4 : 300,
    entriesPerMinute: hurried ? 120 : 6_000,
    commandBurst: 60,
    commandsPerMinute: 600,
    turnEntriesMax: prng.pick([4, 512]),
    linkQueueBytesMax: prng.pick([20_000, 4_194_304]),
  }
}

/** As the mark says, `incarnation.start.commits.seal`. */
function isFurther(
  held: { mark: string } | undefined,
  { incarnation, commits }: { incarnation: string; commits: number },
): boolean {
  const [ofIncarnation, , ofCommits] = held?.mark.split('.') ?? []
  return ofIncarnation === incarnation && Number(ofCommits) > commits
}

function watchHistory(oracle: RelayOracle, history: History, ledger: Ledger, stats: Stats): RelayOracle {
  return {
    ...oracle,
    entriesCommitted(batches) {
      oracle.entriesCommitted(batches)
      for (const entry of batches.flatMap((batch) => batch.entries)) {
        if (entry.kind === 'accepted') history.accepted.add(entry.id)
        // Somebody with the right to it took it back: a restore may lose both.
        if (entry.kind !== 'reserved' && !entry.gone) continue
        ledger.mayBeGone(entry.id)
        history.operations.push({ kind: 'taken-back', id: entry.id })
      }
    },
    commandCommitted(batch) {
      oracle.commandCommitted(batch)
      for (const channel of batch.channelsDeleted) {
        history.channelsDeleted.add(channel)
        history.operations.push({ kind: 'channel-deleted', channel })
      }
      for (const row of batch.members) {
        if (row.left === 0) continue
        stats.removals++
        history.wasOut.add(`${batch.space} ${row.account}`)
        history.accountsOut.add(row.account)
      }
    },
  }
}
