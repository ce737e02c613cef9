// Engine cores over memory disks and the real hub, all in one process: a frame that is sent arrives at once, time stands until it is moved.
// A device can lose its line, lose its process at any commit, be booted again from its disk, and be cloned.
import { createHmac } from 'node:crypto'
import type { CallAnswer } from '#app/engine/api.ts'
import type { CoreCallName, CoreCalls } from '#app/engine/core/calls.ts'
import { type Core, type CoreLink, createCore } from '#app/engine/core/core.ts'
import type { UnsentWords } from '#app/engine/core/ports.ts'
import { timelineView } from '#app/engine/views/message-views.ts'
import { createCommandDesk } from '#relay/community/command-desk.ts'
import type { StructureAuthor } from '#relay/community/structure-author.ts'
import { createHub, type LinkHandle } from '#relay/hub.ts'
import { type HubSettings, hubDefaults } from '#relay/hub-ports.ts'
import { toBase64Url } from '#shared/base/bytes.ts'
import { type AccountId, type ChannelId, type DeviceId, type EntryId, makeTimeId, type SpaceId } from '#shared/base/ids.ts'
import { createPrng } from '#shared/base/prng.ts'
import { encodeUp, parseDown } from '#shared/protocol/frame-codec.ts'
import type { DeviceKey, FrameDown, FrameUp } from '#shared/protocol/frames.ts'
import { createCommunityDisk, createMemoryCommunityStore } from '../../fakes/memory-community-store.ts'
import {
  copyDisk,
  createMemoryDisk,
  type MemoryDeviceStore,
  type MemoryDisk,
  openMemoryDeviceStore,
} from '../../fakes/memory-device-store.ts'
import { createMemoryLogStore, createMemoryMetaStore } from '../../fakes/memory-log-store.ts'
import { createMemoryPrivateStore } from '../../fakes/memory-private-store.ts'
import { createMemoryTables, worldOf } from '../../fakes/memory-relay-tables.ts'
import { certifyDevice, createIdentity, hasher, type Identity, verifier } from '../../sim/fake-crypto.ts'

export interface TestDevice {
  readonly core: Core
  readonly store: MemoryDeviceStore
  readonly disk: MemoryDisk
  /** Frames as they left, for whoever wants to see them. */
  readonly sent: FrameUp[]
  readonly words: Map<EntryId, UnsentWords>
  /** What `failed` was called with. */
  readonly failures: unknown[]
  online: boolean
  connect(): Promise<void>
  cut(): Promise<void>
  /** The process ends where it stands and starts again from the disk, offline. */
  reboot(): Promise<void>
  /** The same profile, copied: same key, same disk, two processes. */
  clone(): Promise<TestDevice>
  call<Name extends CoreCallName>(name: Name, args: CoreCalls[Name], id?: EntryId): Promise<CallAnswer<Name>>
  /** Texts on screen, in order. */
  texts(channel: ChannelId): Promise<string[]>
}

export function createEngineWorld(given: { settings?: Partial<HubSettings>; seed?: number } = {}) {
  const prng = createPrng(given.seed ?? 5)
  const clock = { time: 1_800_000_000_000, now: () => clock.time }
  const tokens = new Map<string, { account: Identity['account']; dev: ReturnType<typeof certifyDevice>['dev'] }>()
  const keys = new Map<DeviceId, DeviceKey>()
  const names = new Map<AccountId, string>()
  const devices: TestDevice[] = []
  const noStructure: StructureAuthor = { write: async () => undefined, forget: () => {}, close: () => {} }
  let deliveries = 0
  let tables = createMemoryTables()
  let communityDisk = createCommunityDisk()
  let incarnations = 0
  /** Frames down that a test wants to hold back or drop. */
  let filter: (device: TestDevice, frame: FrameDown) => boolean = () => true

  const makeHub = () => {
    const community = createMemoryCommunityStore(communityDisk, worldOf(tables))
    return createHub({
      log: createMemoryLogStore(tables),
      community,
      private: createMemoryPrivateStore(tables),
      meta: createMemoryMetaStore(tables, () => `incarnation-${incarnations++}`),
      accounts: {
        devices: async (devs) => devs.flatMap((dev) => keys.get(dev) ?? []),
        usernames: async (ids) => new Map(ids.map((id) => [id, names.get(id) ?? ''])),
        finishErasing: async () => {},
      },
      sessions: {
        check: async (token) => {
          const session = tokens.get(token)
          return session && { ...session, idHash: token }
        },
        prolong: async () => Number.POSITIVE_INFINITY,
      },
      desk: createCommandDesk({ store: community, structure: noStructure, hasher, verifier }),
      verifier,
      mac: { hmacSha256: (key, bytes) => new Uint8Array(createHmac('sha256', key).update(bytes).digest()) },
      markKey: new Uint8Array(32).fill(7),
      random: prng,
      clock,
      nextTurn: async () => {},
      report: (event) => {
        if (event.kind === 'store-failed' || event.kind === 'read-failed') throw event.error
      },
      settings: { ...hubDefaults, entryBurst: 10_000, ...given.settings },
    })
  }
  let hub = makeHub()

  /** Until nobody has anything to do. */
  const settle = async () => {
    let before: number
    do {
      before = deliveries
      await hub.idle()
      for (const device of devices) await device.core.idle()
    } while (before !== deliveries)
  }

  const person = (username: string): Identity => {
    const identity = createIdentity(username, prng.bytes(16))
    names.set(identity.account, username)
    return identity
  }

  const device = async (
    identity: Identity,
    from?: { disk: MemoryDisk; device: ReturnType<typeof certifyDevice> },
  ): Promise<TestDevice> => {
    const certified = from?.device ?? certifyDevice(identity, prng.bytes(16), clock.time)
    keys.set(certified.dev, certified.key)
    const token = `token-${certified.dev}`
    tokens.set(token, { account: identity.account, dev: certified.dev })
    const disk = from?.disk ?? createMemoryDisk()
    const words = new Map<EntryId, UnsentWords>()
    const failures: unknown[] = []
    const sent: FrameUp[] = []
    let link: CoreLink | undefined
    let handle: LinkHandle | undefined
    let store = openMemoryDeviceStore(disk)
    const start = (over: MemoryDeviceStore) =>
      createCore({
        store: over,
        clock,
        random: prng,
        signer: { dev: certified.dev, sign: async (message) => certified.signer.sign(message) },
        me: { account: identity.account, username: identity.username },
        words: { keep: (one) => void words.set(one.id, one), find: (id) => words.get(id), settle: (id) => void words.delete(id) },
        crypto: async () => ({ ...hasher, ...verifier }),
        wakeAt: () => {},
        changed: () => {},
        failed: (error) => void failures.push(error),
      })
    let core = await start(store)
    const drop = () => {
      const [ending, end] = [link, handle]
      link = undefined
      handle = undefined
      ending?.closed()
      end?.closed()
    }
    const made: TestDevice = {
      get core() {
        return core
      },
      get store() {
        return store
      },
      disk,
      sent,
      words,
      failures,
      get online() {
        return link !== undefined
      },
      connect: async () => {
        drop()
        const opened = hub.connect({
          send: (bytes) => {
            deliveries++
            const frame = parseDown(bytes)
            if (!frame || frame.kind === 'unknown') throw new Error('the relay sends frames that can be read')
            if (handle === opened && filter(made, frame)) link?.receive(frame)
          },
          close: () => {
            deliveries++
            if (handle === opened) drop()
          },
          queuedBytes: () => 0,
        })
        handle = opened
        link = core.connect(
          {
            send: (frame) => {
              deliveries++
              sent.push(frame)
              opened.receive(encodeUp(frame))
            },
            close: () => drop(),
          },
          token,
        )
        await settle()
      },
      cut: async () => {
        drop()
        await settle()
      },
      reboot: async () => {
        drop()
        await core.stop()
        store = openMemoryDeviceStore(disk)
        core = await start(store)
      },
      clone: () => device(identity, { disk: copyDisk(disk), device: certified }),
      call: async (name, args, id = makeTimeId<'entry'>(clock.time, prng.bytes(16))) => {
        const answer = core.call(id, name, args)
        await settle()
        return answer
      },
      texts: async (channel) => {
        core.watch(channel, 1_000)
        await settle()
        return timelineView(core.world, channel, 1_000).messages.map((message) => message.text)
      },
    }
    devices.push(made)
    return made
  }

  const world = {
    clock,
    person,
    device,
    settle,
    get hub() {
      return hub
    },
    set filter(next: typeof filter) {
      filter = next
    },
    /** A person with one device, connected. */
    join: async (username: string) => {
      const one = await device(person(username))
      await one.connect()
      return one
    },
    /** A community of the first, with everybody in it. */
    community: async (owner: TestDevice, ...others: TestDevice[]): Promise<{ space: SpaceId; channel: ChannelId }> => {
      const made = await owner.call('createCommunity', { name: 'Two Cups' })
      if (!made.ok) throw new Error(made.code)
      for (const other of others) await world.invite(owner, other, made.value.space)
      return made.value
    },
    invite: async (owner: TestDevice, other: TestDevice, space: SpaceId) => {
      const invite = await owner.call('createInvite', { space, days: 0, uses: 0 })
      if (!invite.ok) throw new Error(invite.code)
      const joined = await other.call('join', { code: invite.value.code, space })
      if (!joined.ok) throw new Error(joined.code)
    },
    backup: () => structuredClone({ tables, communityDisk }),
    /** The relay's disk is an older one, and it knows. */
    restore: async (backup: { tables: typeof tables; communityDisk: typeof communityDisk }) => {
      await hub.stop()
      tables = structuredClone(backup.tables)
      communityDisk = structuredClone(backup.communityDisk)
      await createMemoryMetaStore(tables, () => toBase64Url(prng.bytes(16))).renew()
      hub = makeHub()
      for (const one of devices) await one.cut()
    },
  }
  return world
}
