// The relay's loop. Frames of all links queue up; a turn is one event, or all appends that wait together; facts are gathered, a core decides,
// the store commits, and only then anything is sent. Turns of appends overlap with the disk's work on the one before; whatever else happens waits
// until all of them are told. Nobody ever sees half of one.
// It knows no socket, no HTTP and no database, keeps nothing durable, and runs on no timer of its own: `tick` is called from outside.
import { unreachable } from '#shared/base/assert.ts'
import type { AccountId } from '#shared/base/ids.ts'
import { parseUp } from '#shared/protocol/frame-codec.ts'
import { type ControlUp, closeCodes, type FrameUp } from '#shared/protocol/frames.ts'
import { takeAllowance } from './channel/frame-allowance.ts'
import { writeMark } from './channel/mark.ts'
import { createTokenBuckets } from './channel/token-bucket.ts'
import { type ReadyTurn, readTurn } from './hub-ahead.ts'
import { type Append, type EntryBuckets, runAppends, type Untold } from './hub-append.ts'
import { markRead, sendChain, sendKeys } from './hub-asks.ts'
import { runCommand } from './hub-command.ts'
import { countOne, createCounters } from './hub-counters.ts'
import { createEraser } from './hub-erase.ts'
import { greet, type HubParts } from './hub-hello.ts'
import { createInbox, type OneFrame } from './hub-inbox.ts'
import { createLinks, type Link } from './hub-links.ts'
import { createMemory } from './hub-memory.ts'
import type { HubEvent, HubPorts, Wire } from './hub-ports.ts'
import { createPosts, type Posts } from './hub-posts.ts'
import { askForOwed, type PrivateSizes, runPrivate, tidyPrivate } from './hub-private.ts'
import { createReaders, type Readers } from './hub-readers.ts'
import { createRoom, unlessFull } from './hub-room.ts'
import { listSegments, openSegment } from './hub-segments.ts'
import { createServed } from './hub-served.ts'
import { createSessionWatch } from './hub-sessions.ts'

export interface LinkHandle {
  /** One whole frame. The bytes may not change afterwards. */
  receive(bytes: Uint8Array): void
  /** The wire has room again: answers that waited go on. Without this call they go on at the next tick. */
  drained(): void
  /** The wire is gone. */
  closed(): void
  /** It has said whose it is, and that was true. */
  isGreeted(): boolean
}

export interface HubHealth {
  /** Signed-in devices of the moment. */
  links: number
  /** Stock readers of the moment. */
  readers: number
  /** Frames that wait for their turn. */
  waiting: number
  commits: number
  storeFailures: number
  /** There is no room: writes are refused. */
  full: boolean
  /** Open segments, over all links. */
  subscriptions: number
  /** Bytes that wait in the lines of devices and stock readers. */
  queuedBytes: number
}

export interface Hub {
  connect(wire: Wire): LinkHandle
  /** A stock y-websocket client that reads one segment. */
  read: Readers['connect']
  /** Entries that come by a request: they wait, and are decided, among those of all links. */
  append: Posts['submit']
  /** The session was ended (sign-out, revoked): its link is dead when this returns. `renewed`: its device comes back with another token. */
  endSession(idHash: string, why?: 'renewed'): void
  /** The account was erased: its lines are dead when this returns, and what it left goes in turns from now on. */
  erase(account: AccountId): void
  /** Beats, silent links, links that never said hello. Once a second is enough. */
  tick(): void
  /** Resolves when nothing waits for its turn. */
  idle(): Promise<void>
  health(): HubHealth
  /**
   * Takes nothing new, answers what came before (for a bounded time), tells every device when to come back, and closes every link.
   * Resolves when nothing runs any more.
   */
  stop(): Promise<void>
}

/** So many devices a second come back after a stop, on average. */
const returnsPerSecond = 250

export function createHub(given: HubPorts): Hub {
  const { settings } = given
  // Only the relay's own time goes by a clock that people set. Whatever lasts goes by one that only goes on.
  const clock = given.steady ?? given.clock
  const counters = given.counters ?? createCounters()
  const ports: HubPorts = { ...given, clock, report }
  const links = createLinks(settings, report, counters)
  const memory = createMemory(given)
  const inbox = createInbox(settings)
  const readers = createReaders(ports, memory, counters, wake)
  const room = createRoom(ports.disk, settings, clock)
  const served = createServed(settings.servedBytesMax)
  const hub: HubParts = { ports, links, memory, readers, room, served, counters }
  const posts = createPosts(ports, memory, enqueue, dequeue)
  const entryBuckets: EntryBuckets = {
    people: createTokenBuckets(settings.entryBurst, settings.entriesPerMinute),
    channels: createTokenBuckets(settings.channelBurst, settings.channelEntriesPerMinute),
  }
  const commandBuckets = createTokenBuckets<string>(settings.commandBurst, settings.commandsPerMinute)
  const privateSizes: PrivateSizes = new Map()
  const eraser = createEraser(hub, privateSizes, (account) => {
    for (const link of links.ofAccount(account)) close(link, closeCodes.unauthorized, 'erased')
  })
  const sessions = createSessionWatch(ports, endSession)
  let loop: Promise<void> | undefined
  /** Resolves when all turns of appends that were begun are told. */
  let told: Promise<void> = Promise.resolve()
  /** Nothing new is taken; what came before is answered until `stopBy`. */
  let stopping = false
  let stopBy = 0
  let stopped = false
  let wasFull = room.full

  function report(event: HubEvent): void {
    if (event.kind === 'closed') countOne(counters.closed, event.code)
    else if (event.kind === 'store-failed') counters.storeFailures++
    else if (event.kind === 'read-failed') counters.readFailures++
    given.report(event)
  }

  const isOver = () => stopped || (stopping && clock.now() >= stopBy)

  function wake(): void {
    loop ??= run().finally(() => {
      loop = undefined
      if (hasTurn() && !isOver()) wake()
    })
  }

  const mayErase = () => !stopping && eraser.hasTurn()
  const hasTurn = () => inbox.hasTurn() || readers.hasTurn() || mayErase()

  function enqueue(link: Link, frame: FrameUp, bytes: number): boolean {
    const hasRoom = !stopping && inbox.add(link, frame, bytes)
    if (hasRoom) wake()
    return hasRoom
  }

  function dequeue(link: Link): void {
    inbox.forget(link)
    links.forget(link)
  }

  async function run(): Promise<void> {
    await ports.nextTurn()
    let turn = takeTurn()
    while ((turn || readers.hasTurn() || mayErase()) && !isOver()) {
      // With another thread for signatures, the next turn's are checked there while this one runs here.
      if (turn?.kind === 'appends') await turn.checked
      const next: ReadyTurn | undefined = ports.verifyAhead && takeTurn()
      if (turn?.kind === 'appends') await startAppends(turn.appends)
      else if (turn) await runTurn(turn)
      if (readers.hasTurn()) await told
      await readers.takeTurn()
      if (mayErase()) {
        await told
        await attempt(undefined, eraseSome)
      }
      await ports.nextTurn()
      turn = next ?? takeTurn()
    }
    await told
  }

  /** Turns of appends overlap: one is decided while the disk works on the one before. They are told in their order. */
  async function startAppends(appends: readonly Append[]): Promise<void> {
    // Read anew, memory would know of commits that are counted once more when they are told.
    if (!memory.knownMeta) await told
    await attempt(undefined, async () => {
      const untold = await runAppends(hub, entryBuckets, await posts.admit(appends))
      const before = told
      told = attempt(undefined, () => tellWhenDurable(untold, before))
      // Two under way are enough to keep both busy, and what fails takes no more than two along.
      await before
    })
  }

  async function tellWhenDurable(untold: Untold, before: Promise<void>): Promise<void> {
    const there = await unlessFull(room, () => untold.durable)
    await before
    if (there) await untold.tell()
    else untold.takeBack()
  }

  /** Without room it comes again, as after any failure. */
  async function eraseSome(): Promise<void> {
    await unlessFull(room, eraser.takeTurn)
  }

  function takeTurn(): ReadyTurn | undefined {
    const { people, channels } = entryBuckets
    return readTurn(hub, inbox.takeTurn(), ({ link, frame }) =>
      link.session ? Math.min(people.left(link.session.account, clock.now()), channels.left(frame.channel, clock.now())) : 0,
    )
  }

  async function runTurn(turn: Exclude<ReadyTurn, { kind: 'appends' }>): Promise<void> {
    // Whatever else happens sees only what was told.
    await told
    if (turn.kind === 'reads') return attempt(turn.reads, () => markRead(hub, turn.reads))
    if (turn.link.closed) return
    await runFrame(turn.link, turn.frame)
    // An answer that goes in parts put its rest back.
    inbox.resume(turn.link)
  }

  async function runFrame(link: Link, frame: OneFrame): Promise<void> {
    if (frame.kind === 'stock') return attempt(undefined, () => runPrivate(hub, privateSizes, link, frame.stream, frame.bytes))
    const { message } = frame
    switch (message.t) {
      case 'hello':
        return attempt([{ link }], () => hello(link, message))
      case 'command':
        return attempt(undefined, () => runCommand(hub, commandBuckets, link, message))
      case 'open':
        return attempt([{ link }], () => openSegment(hub, link, message))
      case 'close':
        return links.unsubscribe(link, message.seg)
      case 'segments':
        return attempt([{ link }], () => listSegments(hub, link, message))
      case 'chain':
        return attempt([{ link }], () => sendChain(hub, link, message))
      case 'keys':
        return attempt([{ link }], () => sendKeys(hub, link, message))
      case 'beat':
        return
      default:
        return unreachable(message)
    }
  }

  /** @param askers whose question it is, where nothing but its answer can be lost; else memory may differ from the disk afterwards */
  async function attempt(askers: readonly { link: Link }[] | undefined, work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (askers) {
        ports.report({ kind: 'read-failed', error })
        for (const { link } of askers) links.close(link, closeCodes.busy, 'busy')
        return
      }
      ports.report({ kind: 'store-failed', error })
      startAfresh()
    }
  }

  /** Whatever was in memory may be ahead of the disk or behind it: it is read again, by devices that come back and say what they hold. */
  function startAfresh(): void {
    memory.forgetAll()
    privateSizes.clear()
    served.forgetAll()
    for (const link of [...links.all]) close(link, closeCodes.restarting, 'restarting')
    endOthers()
  }

  function endOthers(): void {
    posts.endAll()
    readers.closeAll(closeCodes.restarting, 'restarting')
  }

  function close(link: Link, code: number, reason: string): void {
    inbox.forget(link)
    links.close(link, code, reason)
  }

  function endSession(idHash: string, why?: 'renewed'): void {
    for (const link of links.ofSession(idHash))
      if (why === 'renewed') close(link, closeCodes.restarting, 'another token')
      else close(link, closeCodes.unauthorized, 'signed out')
    posts.endSession(idHash)
    readers.endSession(idHash)
  }

  function* liveSessions(): Generator<string> {
    for (const { session } of links.all) if (session) yield session.idHash
    yield* readers.sessions()
  }

  async function hello(link: Link, message: ControlUp & { t: 'hello' }): Promise<void> {
    if ((await greet(hub, link, message)) !== 'restored') return
    ports.report({ kind: 'restored' })
    await attempt(undefined, async () => void (await ports.meta.renew()))
    startAfresh()
  }

  function receive(link: Link, bytes: Uint8Array): void {
    if (link.closed || stopping) return
    link.heardAt = clock.now()
    counters.framesIn++
    counters.bytesIn += bytes.length
    if (!takeAllowance(link, bytes.length, link.heardAt, settings)) {
      close(link, closeCodes.busy, 'too fast')
      return
    }
    const frame = parseUp(bytes)
    const isHello = frame?.kind === 'control' && frame.message.t === 'hello'
    // The first frame is a hello, and none behind it is.
    if (!frame || isHello === link.helloSeen) {
      close(link, closeCodes.malformed, 'malformed')
      return
    }
    link.helloSeen = true
    if (!enqueue(link, frame, bytes.length)) close(link, closeCodes.busy, 'too much at once')
  }

  /** Its device comes back at a time of its own, between what it is told and twice that. */
  function sendAway(link: Link): void {
    const ms = Math.max(settings.restartPauseMs, Math.round((1_000 * links.all.size) / returnsPerSecond))
    links.send(link, { t: 'restarting', ms })
  }

  /** Writes are refused from here on, or taken again: then what could not be kept of private documents is asked for. */
  function lookForRoom(): void {
    room.look()
    if (room.full === wasFull) return
    wasFull = room.full
    report({ kind: 'room', full: wasFull })
    if (!wasFull) for (const link of links.all) askForOwed(hub, privateSizes, link)
  }

  return {
    read(wire, segment, token) {
      const reader = readers.connect(wire, segment, token)
      if (stopping) readers.closeAll(closeCodes.restarting, 'restarting')
      return reader
    },
    append: posts.submit,
    connect(wire) {
      const link = links.add(wire, clock.now())
      if (stopping) {
        sendAway(link)
        links.close(link, closeCodes.restarting, 'restarting')
      }
      return {
        receive: (bytes) => receive(link, bytes),
        drained() {
          inbox.resume(link)
          if (inbox.hasTurn()) wake()
        },
        closed() {
          inbox.forget(link)
          if (!link.closed) links.forget(link)
        },
        isGreeted: () => link.session !== undefined,
      }
    },
    endSession,
    erase(account) {
      eraser.add(account)
      wake()
    },
    tick() {
      const now = clock.now()
      lookForRoom()
      const meta = memory.knownMeta
      const mark = meta ? writeMark(ports.mac, ports.markKey, meta) : ''
      for (const link of [...links.all]) {
        if (!link.session && now - link.connectedAt >= settings.helloTimeoutMs) close(link, closeCodes.busy, 'no hello')
        else if (now - link.heardAt >= settings.silenceMs) close(link, closeCodes.busy, 'silent')
        else if (link.session && now - link.beatAt >= settings.beatIntervalMs) {
          link.beatAt = now
          links.send(link, { t: 'beat', mark, now: memory.now() })
        }
        tidyPrivate(hub, privateSizes, link)
        inbox.resume(link)
      }
      readers.tick(now)
      // A session ends at a time of the calendar, whatever passes on the steady clock.
      sessions.tick(given.clock.now(), liveSessions())
      if (hasTurn()) wake()
    },
    async idle() {
      while (loop) await loop
    },
    health: () => ({
      links: [...links.all].filter((link) => link.session).length,
      readers: readers.count,
      waiting: inbox.waiting(),
      commits: memory.knownMeta?.commits ?? 0,
      storeFailures: counters.storeFailures,
      full: room.full,
      subscriptions: [...links.all].reduce((sum, link) => sum + link.subscriptions.size, 0),
      queuedBytes: [...links.all].reduce((sum, link) => sum + link.wire.queuedBytes(), readers.queuedBytes),
    }),
    async stop() {
      stopBy = clock.now() + settings.stopDrainMs
      stopping = true
      // Those behind a turn are begun by `wake`, hence a loop of its own.
      while (loop) await loop
      stopped = true
      for (const link of links.all) sendAway(link)
      for (const link of [...links.all]) close(link, closeCodes.restarting, 'restarting')
      endOthers()
      await loop
    },
  }
}
