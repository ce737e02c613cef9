// What the core holds in memory: the account's rows, as they are stored, and what lives only as long as this core or this link.
// Memory may run ahead of the disk within one turn; nobody outside sees it before the turn is committed, and a failed commit ends the core.
import type { AccountId, ChannelId, CommandId, DeviceId, EntryId, SegmentId, SpaceId } from '#shared/base/ids.ts'
import type { Replica } from '#shared/log/document.ts'
import type { Element } from '#shared/log/entry-codec.ts'
import type { Timeline } from '#shared/log/timeline.ts'
import type { FrameUp } from '#shared/protocol/frames.ts'
import type { CommandRecord, MemberRow } from '#shared/protocol/records.ts'
import type { RefusalCode } from '#shared/protocol/refusals.ts'
import {
  type ByteChange,
  type DeviceBatch,
  type DeviceRows,
  emptyBatch,
  rowKeys,
  type TableName,
  type Tables,
  tableNames,
} from '../device-store.ts'
import type { Change, CorePorts, Wire } from './ports.ts'

/** A segment opened on this link. Updates count only while `req` is the newest sent for it and was answered by `opened`. */
export interface Stream {
  req: number
  channel: ChannelId
  opened: boolean
  /** Asked from the beginning because the stored copy does not fit. */
  swaps: boolean
  /** The copy that takes the place of the stored one in one transaction, when its first update has come. */
  fresh: Replica | undefined
}

/** What the relay says a channel consists of. */
export interface Listing {
  rev: number
  elements: Map<SegmentId, number>
  /** Chain segments listed so far: the place of the next. */
  roots: number
  complete: boolean
}

/** A wait by our own clock, which may be set while it lasts. */
export interface Pause {
  until: number
  ms: number
}

export interface AppendInFlight {
  channel: ChannelId
  ids: EntryId[]
  /** Sent although the channel waits: these only delete, and that needs no room. */
  onlyRedacts: boolean
}

/** Chain records and roster rows that were asked for or are waiting for device keys. */
export interface ChainProgress {
  /** Behind which command the chain was asked for, and whether the answer has begun; `undefined`: no answer is due, the roster is whole. */
  asked: { after: number; answered: boolean } | undefined
  records: CommandRecord[]
  /** It did not check once: asked again from the beginning. Twice: left alone on this link. */
  faults: number
}

export interface Link {
  wire: Wire
  phase: 'hello' | 'welcome' | 'ready'
  /** Relay's clock less our own, ms. */
  skew: number
  namedSpaces: Set<SpaceId>
  namedChannels: Set<ChannelId>
  nextReq: number
  nextNr: number
  streams: Map<SegmentId, Stream>
  streamOfReq: Map<number, SegmentId>
  /** Segments to open, most wanted first. */
  wanted: SegmentId[]
  /** Segments that the relay could not serve: not asked for again meanwhile. */
  stale: Map<SegmentId, Pause>
  /** Channels whose list of segments is to be asked for, most wanted first; one is asked at a time. */
  unlisted: ChannelId[]
  listings: Map<ChannelId, Listing>
  asking: ChannelId | ''
  appends: Map<number, AppendInFlight>
  /** Channels whose outbox waits. */
  paused: Map<ChannelId, Pause>
  /** … and its redacts, where not even those could be stored. */
  redactsPaused: Map<ChannelId, Pause>
  /** The relay's disk is full, as far as its last answer said: what waits goes when it takes something again. */
  noRoom: boolean
  /** One command in flight a space. */
  commands: Map<SpaceId, CommandId>
  /** Spaces whose queued commands wait. */
  commandsPaused: Map<SpaceId, Pause>
  chains: Map<SpaceId, ChainProgress>
  keysWanted: Set<DeviceId>
  keysAsked: Set<DeviceId>
  /** Not known to the relay either: what they signed cannot be checked. */
  keysMissing: Set<DeviceId>
  /** Read markers sent on this link. */
  markersSent: Map<ChannelId, { gen: number; seq: number }>
  /** Entries that were tried again on this link although their target was missing. */
  targetsTried: Set<EntryId>
  /** Posts of own rows under way that a redact deleted meanwhile, with its seq. */
  redacted: Map<EntryId, number>
}

/** A command that is not stored: it has meaning only while its author waits for it. */
export interface LiveCommand {
  row: Tables['command']
  secret: string
}

/** Who waits for a command to be done, and for its effect to be here. */
export interface CommandWaiter {
  space: SpaceId
  /** Answer `ok` when the link breaks: the command is stored and goes again. */
  queued: boolean
  answer(code: RefusalCode | 'ok', present: string): void
}

export interface ChannelView {
  timeline: Timeline
  /** Chain segments whose elements, and their annexes', are in the timeline. */
  roots: Set<SegmentId>
}

export interface Turn {
  batch: DeviceBatch
  strict: boolean
  frames: FrameUp[]
  changes: Set<Change>
  /** Run when the turn is saved: answers to calls, notes to other parts. */
  after: (() => void)[]
  /** When the core has something to do without being told; 0 = never. */
  wakeAt: number
}

export interface World {
  readonly ports: CorePorts
  readonly tables: { [Name in TableName]: Map<string, Tables[Name]> }
  /** The roster by space, as in `tables.member`: people are looked up for every line that is drawn. */
  readonly rosters: Map<SpaceId, Map<AccountId, MemberRow>>
  readonly replicas: Map<SegmentId, Replica>
  readonly views: Map<ChannelId, ChannelView>
  /** How many messages of a channel somebody looks at. */
  readonly watched: Map<ChannelId, number>
  /** The channel that was opened last: it is fetched first. */
  viewed: ChannelId | ''
  /** Where new messages begin, fixed when the channel was opened. */
  readonly readLines: Map<ChannelId, number>
  /** Elements whose signature was checked. By the very object: the same id with other words is not checked. */
  readonly checked: WeakMap<Element, boolean>
  readonly live: Map<CommandId, LiveCommand>
  readonly waiters: Map<CommandId, CommandWaiter>
  link: Link | undefined
  /** Greatest order number used in the outbox and the command queue. */
  lastN: number
  /** Commands that the relay has done, by its number: they stay laid over until that record is here. */
  readonly finished: Map<CommandId, { space: SpaceId; n: number }>
  turn: Turn
}

export function createWorld(ports: CorePorts, rows: DeviceRows): World {
  const tables = Object.fromEntries(
    tableNames.map((name) => {
      // reason: the same name picks the rows and their key, which TypeScript cannot follow through a union
      const keyOf = rowKeys[name] as (row: unknown) => string
      return [name, new Map(rows[name].map((row) => [keyOf(row), row]))]
    }),
  )
  const world: World = {
    ports,
    // reason: fromEntries forgets that each table name is there
    tables: tables as World['tables'],
    rosters: new Map(),
    replicas: new Map(),
    views: new Map(),
    watched: new Map(),
    viewed: '',
    readLines: new Map(),
    checked: new WeakMap(),
    live: new Map(),
    waiters: new Map(),
    link: undefined,
    finished: new Map(),
    lastN: [...rows.outbox, ...rows.command, ...rows.outcome].reduce((last, row) => Math.max(last, row.n), 0),
    turn: freshTurn(),
  }
  for (const row of rows.member) rosterOf(world, row.space).set(row.account, row)
  return world
}

export function freshTurn(): Turn {
  return { batch: emptyBatch(), strict: false, frames: [], changes: new Set(), after: [], wakeAt: 0 }
}

/** Tables that hold what a person made and nobody else has. */
const precious: ReadonlySet<TableName> = new Set<TableName>(['outbox', 'command'])

export function put<Name extends TableName>(world: World, name: Name, row: Tables[Name]): void {
  const key = rowKeys[name](row)
  world.tables[name].set(key, row)
  world.turn.batch.rows[name].set(key, row)
  if (precious.has(name)) world.turn.strict = true
}

export function drop<Name extends TableName>(world: World, name: Name, key: string): void {
  if (!world.tables[name].delete(key)) return
  world.turn.batch.rows[name].set(key, undefined)
}

export function changeBytes(world: World, segment: SegmentId, change: ByteChange): void {
  const changes = world.turn.batch.bytes.get(segment)
  if (changes) changes.push(change)
  else world.turn.batch.bytes.set(segment, [change])
}

export function send(world: World, frame: FrameUp): void {
  world.turn.frames.push(frame)
}

/** Asks for a turn at this time of our clock; the earliest of all that ask counts. */
export function wake(world: World, at: number): void {
  const { turn } = world
  turn.wakeAt = turn.wakeAt === 0 ? at : Math.min(turn.wakeAt, at)
}

/** Asks for a turn when it is over. */
export function pauseFor(world: World, ms: number): Pause {
  const pause = { until: world.ports.clock.now() + ms, ms }
  wake(world, pause.until)
  return pause
}

/** Asks for a turn at its end where it lasts. More than the whole of it left means that the clock was set back: it is over then. (OFF-20) */
export function lasts(world: World, pause: Pause | undefined): boolean {
  const left = pause ? pause.until - world.ports.clock.now() : 0
  if (!pause || left <= 0 || left > pause.ms) return false
  wake(world, pause.until)
  return true
}

export function changed(world: World, change: Change): void {
  world.turn.changes.add(change)
}

export function rosterOf(world: World, space: SpaceId): Map<AccountId, MemberRow> {
  let roster = world.rosters.get(space)
  if (!roster) {
    roster = new Map()
    world.rosters.set(space, roster)
  }
  return roster
}

export function nextN(world: World): number {
  world.lastN++
  return world.lastN
}

/** Whether the relay has room was its answer to a write: for whoever draws. */
export function heardOfRoom(world: World, link: Link, noRoom: boolean): void {
  if (link.noRoom === noRoom) return
  link.noRoom = noRoom
  changed(world, 'link')
}

/** Our clock as the relay's would show it; our own while its is not known. */
export function relayNow(world: World): number {
  return world.ports.clock.now() + (world.link?.skew ?? 0)
}

export function isReady(world: World): world is World & { link: Link } {
  return world.link?.phase === 'ready'
}

export function startLink(wire: Wire): Link {
  return {
    wire,
    phase: 'hello',
    skew: 0,
    namedSpaces: new Set(),
    namedChannels: new Set(),
    nextReq: 1,
    nextNr: 1,
    streams: new Map(),
    streamOfReq: new Map(),
    wanted: [],
    stale: new Map(),
    unlisted: [],
    listings: new Map(),
    asking: '',
    appends: new Map(),
    paused: new Map(),
    redactsPaused: new Map(),
    noRoom: false,
    commands: new Map(),
    commandsPaused: new Map(),
    chains: new Map(),
    keysWanted: new Set(),
    keysAsked: new Set(),
    keysMissing: new Set(),
    markersSent: new Map(),
    targetsTried: new Set(),
    redacted: new Map(),
  }
}
