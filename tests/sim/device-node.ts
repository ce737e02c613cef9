// A device of the simulation: the real engine core on a memory disk, in a process that can die, with a line to the relay.
import { type Core, type CoreLink, createCore } from '#app/engine/core/core.ts'
import type { Change, UnsentWords } from '#app/engine/core/ports.ts'
import { createSilence, type Silence } from '#app/engine/silence.ts'
import type { EntryId } from '#shared/base/ids.ts'
import type { Clock } from '#shared/base/ports.ts'
import type { Prng } from '#shared/base/prng.ts'
import { encodeUp, parseDown } from '#shared/protocol/frame-codec.ts'
import type { FrameDown, FrameUp } from '#shared/protocol/frames.ts'
import { type MemoryDisk, openMemoryDeviceStore } from '../fakes/memory-device-store.ts'
import { type CertifiedDevice, hasher, type Identity, verifier } from './fake-crypto.ts'
import type { Mutant } from './mutants.ts'
import { createLine, type Line, type RelayEnd } from './network.ts'
import { createProcess, createRoom, type Room, type SimProcess, WorldBroke } from './process.ts'

export interface Person extends Identity {
  /** The account's private document, as far as the core needs it: words that were refused. */
  unsent: Map<EntryId, UnsentWords>
}

export type Trace = (node: DeviceNode, way: 'up' | 'down', frame: FrameUp | FrameDown) => void

export interface DeviceWorld {
  prng: Prng
  /** What a right clock shows; each device's own is off by its skew. */
  clock: Clock
  /** What timers run by: it only goes forward. */
  time(): number
  mutant: Mutant
  eager(): boolean
  /** undefined: the relay is down. */
  dial(line: Line, token: string): RelayEnd
  /** Words were settled on one device of the account. */
  settled(from: DeviceNode, id: EntryId): void
  /** The rules are broken. */
  failed(error: unknown): void
  crashed(): void
  /** For whoever looks for the reason of a failure. */
  trace: Trace | undefined
  /** The relay closed the line, and why. */
  closed(node: DeviceNode, code: number): void
  /** The core closed the line, and why. */
  gaveUp(node: DeviceNode, why: string): void
  /** A frame is about to be read. */
  hears(node: DeviceNode, frame: FrameDown): void
  /** Somebody who looks would see something else from now on. */
  drew(node: DeviceNode, changes: ReadonlySet<Change>): void
}

export interface DeviceNode {
  readonly name: string
  readonly person: Person
  readonly device: CertifiedDevice
  readonly token: string
  /** How far its clock is off, ms. */
  skew: number
  disk: MemoryDisk
  readonly room: Room
  /** It has no network: nobody dials for it. */
  away: boolean
  process: SimProcess | undefined
  core: Core | undefined
  line: Line | undefined
  link: CoreLink | undefined
  /** On the simulation's clock; 0 = it asked for nothing. */
  wakeAt: number
  beatAt: number
  silence: Silence | undefined
}

export function createDevice({
  name,
  person,
  device,
  token,
  skew,
  disk,
}: Pick<DeviceNode, 'name' | 'person' | 'device' | 'token' | 'skew' | 'disk'>): DeviceNode {
  return {
    name,
    person,
    device,
    token,
    skew,
    disk,
    room: createRoom(),
    away: false,
    process: undefined,
    core: undefined,
    line: undefined,
    link: undefined,
    wakeAt: 0,
    beatAt: 0,
    silence: undefined,
  }
}

/** Starts its engine; `core` is there once its rows are read. */
export function bootDevice(world: DeviceWorld, node: DeviceNode): void {
  const { prng, clock, mutant } = world
  const died = () => {
    world.crashed()
    stopDevice(node)
  }
  const process = createProcess({ eager: world.eager, died, room: node.room })
  node.process = process
  node.wakeAt = 0
  const inner = openMemoryDeviceStore(node.disk)
  const gated = process.port(mutant.device?.(inner) ?? inner, { mayFail: true, writes: ['commit'] })
  const words = {
    keep: (unsent: UnsentWords) => void node.person.unsent.set(unsent.id, unsent),
    find: (id: EntryId) => node.person.unsent.get(id),
    settle: (id: EntryId) => {
      node.person.unsent.delete(id)
      world.settled(node, id)
    },
  }
  createCore({
    store: mutant.deviceOutside?.(gated) ?? gated,
    clock: { now: () => clock.now() + node.skew },
    random: prng,
    signer: { dev: node.device.dev, sign: async (message) => node.device.signer.sign(message) },
    me: { account: node.person.account, username: node.person.username },
    words,
    crypto: async () => ({ ...hasher, ...verifier }),
    wakeAt: process.entry((time) => {
      node.wakeAt = time === 0 ? 0 : time - node.skew
    }),
    changed: process.entry((changes: ReadonlySet<Change>) => world.drew(node, changes)),
    failed: process.entry((error) => {
      if (!(error instanceof WorldBroke)) world.failed(error)
      process.kill()
      stopDevice(node)
    }),
  }).then(
    process.entry((core) => {
      node.core = core
    }),
    process.entry((error) => {
      if (!(error instanceof WorldBroke)) world.failed(error)
      process.kill()
      stopDevice(node)
    }),
  )
}

/** The process is no more: its line breaks. */
export function stopDevice(node: DeviceNode): void {
  node.process?.kill()
  node.line?.breakAtDevice()
  node.process = undefined
  node.core = undefined
  node.line = undefined
  node.link = undefined
  node.wakeAt = 0
}

/** Dials; `undefined` where it cannot. */
export function connectDevice(world: DeviceWorld, node: DeviceNode): Line | undefined {
  const { core, process } = node
  if (!core || !process?.alive || node.line || node.away) return undefined
  let line: Line
  const lost = () => {
    if (node.line !== line) return
    node.line = undefined
    node.link?.closed()
    node.link = undefined
  }
  line = createLine(
    world.prng,
    {
      receive: process.entry((bytes) => {
        node.silence?.heard()
        const frame = parseDown(bytes)
        if (frame && frame.kind !== 'unknown') world.trace?.(node, 'down', frame)
        if (!frame) world.failed(new Error('must hold: a device can read what the relay sends'))
        else if (frame.kind !== 'unknown' && node.line === line) {
          world.hears(node, frame)
          node.link?.receive(frame)
        }
      }),
      closed: process.entry((code) => {
        world.closed(node, code)
        lost()
      }),
    },
    (made) => world.dial(made, node.token),
  )
  node.line = line
  node.beatAt = world.time()
  node.silence = createSilence({ now: () => world.clock.now() + node.skew })
  node.link = core.connect(
    {
      send: process.entry((frame) => {
        world.trace?.(node, 'up', frame)
        line.sendUp(encodeUp(frame))
      }),
      close: process.entry((why) => {
        world.gaveUp(node, why)
        line.breakAtDevice()
        lost()
      }),
    },
    node.token,
  )
  return line
}

/** Every ten seconds: it says that it is there, or finds that the relay is not. @returns whether the line was given up */
export function beatDevice(world: DeviceWorld, node: DeviceNode): boolean {
  node.beatAt = world.time()
  const isDead = world.mutant.neverSilent ? false : node.silence?.isDead()
  if (isDead) cutDevice(node)
  else node.core?.beat()
  return isDead ?? false
}

/** The device finds its line dead. */
export function cutDevice(node: DeviceNode): void {
  const { line, link } = node
  node.line = undefined
  node.link = undefined
  line?.breakAtDevice()
  link?.closed()
}
