// The relay's loop. Frames of all links queue up; a turn is one event, or all appends that wait together; facts are gathered, a core decides,
// the store commits, and only then anything is sent. One turn at a time: nobody ever sees half of one.
// It knows no socket, no HTTP and no database, keeps nothing durable, and runs on no timer of its own: `tick` is called from outside.
import { unreachable } from '#shared/base/assert.ts'
import type { AccountId } from '#shared/base/ids.ts'
import { parseUp } from '#shared/protocol/frame-codec.ts'
import { type ControlUp, closeCodes, type FrameUp } from '#shared/protocol/frames.ts'
import { writeMark } from './channel/mark.ts'
import { createTokenBuckets } from './channel/token-bucket.ts'
import { type ReadyTurn, readTurn } from './hub-ahead.ts'
import { type Append, runAppends } from './hub-append.ts'
import { markRead, sendChain, sendKeys } from './hub-asks.ts'
import { runCommand } from './hub-command.ts'
import { createEraser } from './hub-erase.ts'
import { greet, type HubParts } from './hub-hello.ts'
import { createInbox } from './hub-inbox.ts'
import { createLinks, type Link } from './hub-links.ts'
import { createMemory } from './hub-memory.ts'
import type { HubPorts, Wire } from './hub-ports.ts'
import { createPosts, type Posts } from './hub-posts.ts'
import { type PrivateSizes, runPrivate } from './hub-private.ts'
import { createReaders, type Readers } from './hub-readers.ts'
import { listSegments, openSegment } from './hub-segments.ts'
import { createSessionWatch } from './hub-sessions.ts'

export interface LinkHandle {
  /** One whole frame. The bytes may not change afterwards. */
  receive(bytes: Uint8Array): void
  /** The wire has room again: answers that waited go on. Without this call they go on at the next tick. */
  drained(): void
  /** The wire is gone. */
  closed(): void
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
}

export interface Hub {
  connect(wire: Wire): LinkHandle
  /** A stock y-websocket client that reads one segment. */
  read: Readers['connect']
  /** Entries that come by a request: they wait, and are decided, among those of all links. */
  append: Posts['submit']
  /** The session was ended (sign-out, revoked): its link is dead when this returns. */
  endSession(idHash: string): void
  /** The account was erased: its lines are dead when this returns, and what it left goes in turns from now on. */
  erase(account: AccountId): void
  /** Beats, silent links, links that never said hello. Once a second is enough. */
  tick(): void
  /** Resolves when nothing waits for its turn. */
  idle(): Promise<void>
  health(): HubHealth
  /** Closes every link; resolves when the turn under way has ended. */
  stop(): Promise<void>
}

export function createHub(ports: HubPorts): Hub {
  const { settings, clock } = ports
  const links = createLinks(settings, ports.report)
  const memory = createMemory(ports)
  const inbox = createInbox(settings)
  const readers = createReaders(ports, memory, wake)
  const hub: HubParts = { ports, links, memory, readers }
  const posts = createPosts(ports, memory, enqueue, dequeue)
  const entryBuckets = createTokenBuckets<string>(settings.entryBurst, settings.entriesPerMinute)
  const commandBuckets = createTokenBuckets<string>(settings.commandBurst, settings.commandsPerMinute)
  const privateSizes: PrivateSizes = new Map()
  const eraser = createEraser(hub, privateSizes, (account) => {
    for (const link of links.ofAccount(account)) close(link, closeCodes.unauthorized, 'erased')
  })
  const sessions = createSessionWatch(ports, endSession)
  let loop: Promise<void> | undefined
  let stopped = false
  let storeFailures = 0

  function wake(): void {
    loop ??= run().finally(() => {
      loop = undefined
      if (hasTurn()) wake()
    })
  }

  const mayErase = () => !stopped && eraser.hasTurn()
  const hasTurn = () => inbox.hasTurn() || readers.hasTurn() || mayErase()

  function enqueue(link: Link, frame: FrameUp, bytes: number): boolean {
    const hasRoom = !stopped && inbox.add(link, frame, bytes)
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
    while ((turn || readers.hasTurn() || mayErase()) && !stopped) {
      // With another thread for signatures, the next turn's are checked there while this one runs here.
      if (turn?.kind === 'appends') await turn.checked
      const next: ReadyTurn | undefined = ports.verifyAhead && takeTurn()
      if (turn) await runTurn(turn)
      await readers.takeTurn()
      if (mayErase()) await attempt(undefined, eraser.takeTurn)
      await ports.nextTurn()
      turn = next ?? takeTurn()
    }
  }

  function takeTurn(): ReadyTurn | undefined {
    return readTurn(hub, inbox.takeTurn(), ({ link }) =>
      link.session ? entryBuckets.left(link.session.account, clock.now()) : 0,
    )
  }

  async function runTurn(turn: ReadyTurn): Promise<void> {
    if (turn.kind === 'appends')
      return attempt(undefined, async () => runAppends(hub, entryBuckets, await posts.admit(turn.appends)))
    if (turn.link.closed) return
    await runFrame(turn.link, turn.frame)
    // An answer that goes in parts put its rest back.
    inbox.resume(turn.link)
  }

  async function runFrame(link: Link, frame: Exclude<FrameUp, Append['frame']>): Promise<void> {
    if (frame.kind === 'stock') return attempt(undefined, () => runPrivate(hub, privateSizes, link, frame.stream, frame.bytes))
    const { message } = frame
    switch (message.t) {
      case 'hello':
        return attempt(link, () => hello(link, message))
      case 'command':
        return attempt(undefined, () => runCommand(hub, commandBuckets, link, message))
      case 'open':
        return attempt(link, () => openSegment(hub, link, message))
      case 'close':
        return links.unsubscribe(link, message.seg)
      case 'segments':
        return attempt(link, () => listSegments(hub, link, message))
      case 'chain':
        return attempt(link, () => sendChain(hub, link, message))
      case 'keys':
        return attempt(link, () => sendKeys(hub, link, message))
      case 'read':
        return attempt(link, () => markRead(hub, link, message))
      case 'beat':
        return
      default:
        return unreachable(message)
    }
  }

  /** @param asker whose question it is, where nothing but its answer can be lost; else memory may differ from the disk afterwards */
  async function attempt(asker: Link | undefined, work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (asker) {
        ports.report({ kind: 'read-failed', error })
        links.close(asker, closeCodes.busy, 'busy')
        return
      }
      storeFailures++
      ports.report({ kind: 'store-failed', error })
      startAfresh()
    }
  }

  /** Whatever was in memory may be ahead of the disk or behind it: it is read again, by devices that come back and say what they hold. */
  function startAfresh(): void {
    memory.forgetAll()
    privateSizes.clear()
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

  function endSession(idHash: string): void {
    for (const link of links.ofSession(idHash)) close(link, closeCodes.unauthorized, 'signed out')
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
    if (link.closed || stopped) return
    link.heardAt = clock.now()
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

  return {
    read(wire, segment, token) {
      const reader = readers.connect(wire, segment, token)
      if (stopped) readers.closeAll(closeCodes.restarting, 'restarting')
      return reader
    },
    append: posts.submit,
    connect(wire) {
      const link = links.add(wire, clock.now())
      if (stopped) links.close(link, closeCodes.restarting, 'restarting')
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
      }
    },
    endSession,
    erase(account) {
      eraser.add(account)
      wake()
    },
    tick() {
      const now = clock.now()
      const meta = memory.knownMeta
      const mark = meta ? writeMark(ports.mac, ports.markKey, meta) : ''
      for (const link of [...links.all]) {
        if (!link.session && now - link.connectedAt >= settings.helloTimeoutMs) close(link, closeCodes.busy, 'no hello')
        else if (now - link.heardAt >= settings.silenceMs) close(link, closeCodes.busy, 'silent')
        else if (link.session && now - link.beatAt >= settings.beatIntervalMs) {
          link.beatAt = now
          links.send(link, { t: 'beat', mark, now: memory.now() })
        }
        inbox.resume(link)
      }
      readers.tick(now)
      sessions.tick(now, liveSessions())
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
      storeFailures,
    }),
    async stop() {
      stopped = true
      for (const link of [...links.all]) close(link, closeCodes.restarting, 'restarting')
      endOthers()
      await loop
    },
  }
}
