// The hub on memory stores with people who really sign, and devices that are nothing but a list of the frames they got.
import { createHmac } from 'node:crypto'
import { createCommandDesk } from '#relay/community/command-desk.ts'
import type { StructureAuthor } from '#relay/community/structure-author.ts'
import { nodeHasher } from '#relay/crypto.ts'
import { createHub, type LinkHandle } from '#relay/hub.ts'
import { type HubEvent, type HubPorts, type HubSettings, hubDefaults } from '#relay/hub-ports.ts'
import type { DiskSight } from '#relay/hub-room.ts'
import type { LogStore } from '#relay/store/log-store.ts'
import { storeFull } from '#relay/store/store-full.ts'
import { toBase64Url, utf8 } from '#shared/base/bytes.ts'
import { type AccountId, type ChannelId, type EntryId, makeTimeId, type SegmentId, type SpaceId } from '#shared/base/ids.ts'
import type { Clock } from '#shared/base/ports.ts'
import { createPrng } from '#shared/base/prng.ts'
import type { CommandAct } from '#shared/community/command.ts'
import { inviteHash } from '#shared/community/invite-code.ts'
import { entrySignedBytes } from '#shared/crypto/signed-bytes.ts'
import type { EntryFields } from '#shared/log/entry.ts'
import { encodeEntry, writeEntryText } from '#shared/log/entry-codec.ts'
import { readUpdate } from '#shared/log/update-bytes.ts'
import { encodeUp, parseDown } from '#shared/protocol/frame-codec.ts'
import type { ControlDown, ControlUp, DeviceKey, FrameDown, FrameUp } from '#shared/protocol/frames.ts'
import { createMemoryAccountStore } from '../../fakes/memory-account-store.ts'
import { createCommunityDisk, createMemoryCommunityStore } from '../../fakes/memory-community-store.ts'
import { createMemoryLogStore, createMemoryMetaStore } from '../../fakes/memory-log-store.ts'
import { createMemoryPrivateStore } from '../../fakes/memory-private-store.ts'
import { createMemoryTables, worldOf } from '../../fakes/memory-relay-tables.ts'
import { createPeople, type Person, sodium } from '../community/people.ts'

export type HubWorld = ReturnType<typeof createHubWorld>

export interface TestDevice {
  person: Person
  frames: FrameDown[]
  /** Set when the relay closed the link. */
  readonly closedWith: number
  /** Bytes that the fake line pretends to hold. */
  set queued(bytes: number)
  /** The line is full as soon as it has carried so many frames more. */
  set fillsAt(frames: number)
  link: LinkHandle
  up(frame: FrameUp): void
  say(message: ControlUp): void
  of<T extends ControlDown['t']>(t: T): (ControlDown & { t: T })[]
  /** Texts of all update frames of a segment, in order. */
  texts(segment: SegmentId): string[]
  forgetFrames(): void
}

export function createHubWorld(
  given: {
    settings?: Partial<HubSettings>
    wrapLog?: (log: LogStore) => LogStore
    nextTurn?: () => Promise<void>
    disk?: DiskSight
    steady?: Clock
    verifyAhead?: HubPorts['verifyAhead']
  } = {},
) {
  const random = createPrng(11)
  const people = createPeople(5)
  const clock = { time: 1_800_000_000_000, now: () => clock.time }
  const tables = createMemoryTables()
  /** While it holds, every write fails as SQLite's do on a full disk: nothing of it is there. */
  let fails = false
  const onDisk = <Store extends object>(store: Store, ...writes: (keyof Store)[]): Store => {
    const failing = Object.fromEntries(
      writes.map((name) => [
        name,
        async (...args: unknown[]) => {
          if (fails) throw storeFull()
          // reason: named by the caller as one of the store's own methods
          return (store[name] as (...args: unknown[]) => unknown)(...args)
        },
      ]),
    )
    return { ...store, ...failing }
  }
  const community = onDisk(createMemoryCommunityStore(createCommunityDisk(), worldOf(tables)), 'commit', 'eraseMember')
  const memoryLog = onDisk(createMemoryLogStore(tables), 'commit', 'compact', 'markRead')
  const log = given.wrapLog?.(memoryLog) ?? memoryLog
  const accounts = createMemoryAccountStore()
  const devices = new Map<string, DeviceKey>()
  const usernames = new Map<string, string>()
  const tokens = new Map<string, Person>()
  const expiries = new Map<string, number>()
  const erased = new Set<AccountId>()
  const events: HubEvent[] = []
  const noStructure: StructureAuthor = { write: async () => undefined, forget: () => {}, close: () => {} }
  const makeHub = () =>
    createHub({
      log,
      community,
      private: onDisk(createMemoryPrivateStore(tables), 'put'),
      meta: createMemoryMetaStore(tables, () => toBase64Url(random.bytes(16))),
      accounts: {
        devices: accounts.devices,
        usernames: async (ids) => new Map(ids.map((id) => [id, usernames.get(id) ?? ''])),
        finishErasing: async (id) => void erased.add(id),
      },
      sessions: {
        async check(token) {
          const person = tokens.get(token)
          return person && { account: person.account, dev: person.dev, idHash: `hash of ${token}` }
        },
        prolong: async (idHash) => expiries.get(idHash) ?? Number.POSITIVE_INFINITY,
      },
      desk: createCommandDesk({ store: community, structure: noStructure, hasher: nodeHasher, verifier: sodium }),
      verifier: sodium,
      verifyAhead: given.verifyAhead,
      mac: { hmacSha256: (key, bytes) => new Uint8Array(createHmac('sha256', key).update(bytes).digest()) },
      markKey: new Uint8Array(32).fill(7),
      random,
      clock,
      steady: given.steady,
      nextTurn: given.nextTurn ?? (async () => {}),
      report: (event) => void events.push(event),
      disk: given.disk,
      settings: { ...hubDefaults, ...given.settings },
    })
  const world = {
    hub: makeHub(),
    clock,
    tables,
    events,
    people,
    tokens,
    /** By session; what is not in it lives for ever. */
    expiries,
    erased,
    communities: community,
    log,
    random,
    set diskFails(now: boolean) {
      fails = now
    },
    /** The relay's process ends, and another begins on the same disk. */
    restart() {
      world.hub = makeHub()
    },
    async person(username: string): Promise<Person> {
      const person = people.person(username)
      return await world.enroll(person)
    },
    /** Another device of the same person. */
    async device(person: Person): Promise<Person> {
      const other = people.person(person.username)
      return await world.enroll({ ...other, account: person.account })
    },
    async enroll(person: Person): Promise<Person> {
      const { dev, account, key } = person
      const row: DeviceKey = { dev, account, identity: '', key: toBase64Url(key), certificate: '', sig: '', from: 0, until: 0 }
      devices.set(dev, row)
      await accounts.putDevice(row)
      usernames.set(account, person.username)
      tokens.set(`token-${dev}`, person)
      return person
    },
    revoke: (person: Person) => accounts.putDevice({ ...required(devices.get(person.dev)), until: 1 }),
    connect(person: Person): TestDevice {
      let closedWith = 0
      let queued = 0
      let fillsAt = 0
      const frames: FrameDown[] = []
      const link = world.hub.connect({
        send(bytes) {
          const frame = parseDown(bytes)
          if (!frame || frame.kind === 'unknown') throw new Error('the relay sends frames that can be read')
          frames.push(frame)
          if (fillsAt > 0 && --fillsAt === 0) queued = 1_000
        },
        close(code) {
          closedWith = code
        },
        queuedBytes: () => queued,
      })
      const device: TestDevice = {
        person,
        frames,
        link,
        get closedWith() {
          return closedWith
        },
        set queued(bytes: number) {
          queued = bytes
        },
        set fillsAt(count: number) {
          fillsAt = count
        },
        up: (frame) => device.link.receive(encodeUp(frame)),
        say: (message) => device.up({ kind: 'control', message }),
        // reason: the filter keeps only messages of that kind
        of: (t) => device.frames.flatMap((f) => (f.kind === 'control' && f.message.t === t ? [f.message as never] : [])),
        texts: (segment) =>
          device.frames.flatMap((f) =>
            f.kind === 'update' && f.seg === segment
              ? (readUpdate(f.update)?.cells ?? []).map((cell) => (cell === undefined ? '-' : wordsOf(cell)))
              : [],
          ),
        forgetFrames: () => void device.frames.splice(0),
      }
      return device
    },
    async online(person: Person, mark = '', incarnation = ''): Promise<TestDevice> {
      const device = world.connect(person)
      device.say({ t: 'hello', v: 1, token: `token-${person.dev}`, incarnation, mark })
      await world.hub.idle()
      return device
    },
    async command(device: TestDevice, space: SpaceId, act: CommandAct, secret = '') {
      const { text, sig, id } = people.frame(device.person, space, act, secret)
      device.say({ t: 'command', space, text, sig, secret })
      await world.hub.idle()
      const done = device.of('done').find((message) => message.id === id)
      return { done, frame: { t: 'command' as const, space, text, sig, secret } }
    },
    /** A community of `owner`'s with one channel, everyone else joined. */
    async community(owner: TestDevice, ...others: TestDevice[]): Promise<{ space: SpaceId; channel: ChannelId }> {
      const space = people.space()
      const channel = people.channel()
      await world.command(owner, space, {
        act: 'community.create',
        args: { name: 'Cord', channel, channelName: 'general' },
        was: 0,
      })
      for (const other of others) await world.join(owner, other, space)
      return { space, channel }
    },
    async join(owner: TestDevice, other: TestDevice, space: SpaceId): Promise<void> {
      const code = toBase64Url(random.bytes(16))
      const hash = inviteHash(nodeHasher, code)
      await world.command(owner, space, { act: 'invite.create', args: { hash, until: 0, uses: 0 }, was: 0 })
      await world.command(other, space, { act: 'member.join', args: { hash }, was: 0 }, code)
    },
    entry(
      person: Person,
      space: SpaceId,
      channel: ChannelId,
      fields: Partial<EntryFields> = {},
    ): { id: EntryId; bytes: Uint8Array } {
      const { account: by, dev, signer } = person
      const at = clock.time
      const id = fields.id ?? makeTimeId<'entry'>(at, random.bytes(16))
      const text = writeEntryText({ id, by, dev, at, op: 'post', ref: 0, ext: 0, body: { t: 'Hello, world!' }, ...fields })
      const sig = toBase64Url(signer.sign(entrySignedBytes(space, channel, utf8(text))))
      return { id, bytes: encodeEntry(sig, text) }
    },
    async append(device: TestDevice, channel: ChannelId, ...entries: { bytes: Uint8Array }[]) {
      const nr = ++world.nr
      device.up({ kind: 'append', nr, channel, entries: entries.map(({ bytes }) => bytes) })
      await world.hub.idle()
      return device.of('result').find((result) => result.nr === nr)
    },
    async post(device: TestDevice, space: SpaceId, channel: ChannelId, t: string) {
      const entry = world.entry(device.person, space, channel, { body: { t } })
      return { id: entry.id, result: await world.append(device, channel, entry) }
    },
    async open(device: TestDevice, seg: SegmentId, n = 0, tail = '') {
      const req = ++world.nr
      device.say({ t: 'open', req, seg, n, view: 0, tail })
      await world.hub.idle()
      return req
    },
    head(channel: ChannelId): SegmentId {
      const head = tables.channels.get(channel)?.head
      if (!head) throw new Error('no head yet')
      return head
    },
    nr: 0,
  }
  return world
}

function required<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error('must be there')
  return value
}

/** The words of an element, or its op. */
function wordsOf(element: string): string {
  const text = element.slice(element.indexOf('.', element.indexOf('.') + 1) + 1 + 86)
  const [, , , , op, , , body] = JSON.parse(text)
  return op === 'post' ? body.t : op
}
