// Stock readers: y-websocket providers that follow one segment and may change nothing. Each shows a session's token, asks by a step 1, gets as
// step 2 what it lacks, and from then on every update of the segment at the time at which devices get theirs.
// A reader is no device's link: it has no inbox, and whatever else it says is not kept. Refusals wait for the next tick, so that neither their
// words nor their time tell whether there is such a segment.
import { createByteWriter } from '#shared/base/byte-cursor.ts'
import { type Bytes, concatBytes } from '#shared/base/bytes.ts'
import type { AccountId, ChannelId, SegmentId, SpaceId } from '#shared/base/ids.ts'
import { channelRights } from '#shared/community/permissions.ts'
import { serveSegment } from '#shared/log/update-bytes.ts'
import { closeCodes } from '#shared/protocol/frames.ts'
import { readStockMessage, stockSteps, type VectorRead } from '#shared/protocol/stock-message.ts'
import { addTo, removeFrom } from './channel/sets-by-key.ts'
import type { HubCounters } from './hub-counters.ts'
import type { HubMemory } from './hub-memory.ts'
import type { HubPorts, Wire } from './hub-ports.ts'
import { createServed } from './hub-served.ts'

export interface ReaderWire extends Wire {
  /** A living peer answers it (`heard`) without its program knowing of it. */
  ping(): void
}

export interface ReaderHandle {
  /** One whole message of the y-websocket protocol. */
  receive(bytes: Uint8Array): void
  /** The peer answered a ping. */
  heard(): void
  /** The wire has room again. */
  drained(): void
  /** The wire is gone. */
  closed(): void
}

export interface Readers {
  /** @param token a session's; it is looked at once, and not kept */
  connect(wire: ReaderWire, segment: SegmentId, token: string): ReaderHandle
  /** To everyone who follows the segment: written once, given to each wire once. */
  tell(segment: SegmentId, update: Uint8Array): void
  hasTurn(): boolean
  /** Lets in and answers some of those who wait. */
  takeTurn(): Promise<void>
  endSession(idHash: string): void
  /** Sessions that readers are signed in by. */
  sessions(): Iterable<string>
  /** The person is no member any more. */
  leave(account: AccountId, space: SpaceId): void
  /** The channel is no more. */
  drop(channel: ChannelId): void
  tick(now: number): void
  closeAll(code: number, reason: string): void
  readonly count: number
  /** Bytes that wait in their lines. */
  readonly queuedBytes: number
}

interface Reader {
  readonly wire: ReaderWire
  readonly segment: SegmentId
  /** '' once it was looked at. */
  token: string
  closed: boolean
  session: { account: AccountId; idHash: string } | undefined
  /** Set when it may read. */
  place: { channel: ChannelId; space: SpaceId } | undefined
  /** The newest step 1 that has no answer yet. */
  asked: VectorRead | undefined
  /** Since the last beat. */
  messages: number
  answers: number
  heardAt: number
  beatAt: number
}

/** A provider asks once; one that is set to ask again and again is answered at this pace, and has every update all the same. */
const answersPerBeatMax = 6
/** A person's cursor moves some ten times a second; what is faster is a flood. */
const messagesPerBeatMax = 2_000
/** Bytes of answers in one turn, and what letting one in counts for: a storm of readers holds nobody else's turn up for long. */
const turnBytesMax = 262_144
const admissionBytes = 4_096
/** Awareness of nobody: a stock provider takes it, changes nothing, and knows that the line lives (it gives up after 30 s of silence). */
const nobodyIsAware = Uint8Array.of(1, 1, 0)

export function createReaders(ports: HubPorts, memory: HubMemory, counters: HubCounters, wake: () => void): Readers {
  const { settings, clock } = ports
  const all = new Set<Reader>()
  const ready = new Set<Reader>()
  const refused = new Set<Reader>()
  const followers = new Map<SegmentId, Set<Reader>>()
  const byAccount = new Map<AccountId, Set<Reader>>()
  const served = createServed(settings.servedBytesMax)

  function forget(reader: Reader): void {
    reader.closed = true
    reader.token = ''
    for (const set of [all, ready, refused]) set.delete(reader)
    removeFrom(followers, reader.segment, reader)
    if (reader.session) removeFrom(byAccount, reader.session.account, reader)
  }

  function close(reader: Reader, code: number, reason: string): void {
    if (reader.closed) return
    forget(reader)
    ports.report({ kind: 'closed', code, reason })
    reader.wire.close(code, reason)
  }

  function closeWhere(holds: (reader: Reader) => boolean, code: number, reason: string): void {
    for (const reader of all) if (holds(reader)) close(reader, code, reason)
  }

  function send(reader: Reader, message: Bytes): void {
    counters.framesOut++
    counters.bytesOut += message.length
    reader.wire.send(message)
  }

  const isFull = (reader: Reader) => reader.wire.queuedBytes() > settings.linkQueueBytesMax / 4

  function resume(reader: Reader): void {
    const hasAsked = reader.asked && reader.place && reader.answers < answersPerBeatMax && !isFull(reader)
    if (!reader.closed && (reader.token !== '' || hasAsked)) ready.add(reader)
  }

  function receive(reader: Reader, bytes: Uint8Array): void {
    if (reader.closed) return
    reader.heardAt = clock.now()
    counters.framesIn++
    counters.bytesIn += bytes.length
    const message = readStockMessage(bytes)
    if (++reader.messages > messagesPerBeatMax) close(reader, closeCodes.busy, 'too much at once')
    else if (!message) close(reader, closeCodes.malformed, 'malformed')
    else if (message.kind === 'step 1') {
      reader.asked = message.vector
      resume(reader)
      if (ready.size > 0) wake()
    }
    // An empty step 2 has the whole document's delete set and says nothing new; anything else is a change.
    else if (message.kind === 'update' || (message.kind === 'step 2' && !message.isEmpty))
      close(reader, closeCodes.forbidden, 'read-only')
  }

  /** In a turn: whoever leaves or is signed out while this runs is found by `session` and `place`. */
  async function admit(reader: Reader): Promise<void> {
    const { token } = reader
    reader.token = ''
    const live = await ports.sessions.check(token)
    if (!live) return close(reader, closeCodes.unauthorized, 'unauthorized')
    if (live.dev === '') return close(reader, closeCodes.forbidden, 'device')
    if (reader.closed) return
    reader.session = live
    addTo(byAccount, live.account, reader)
    const [device] = await ports.accounts.devices([live.dev])
    if (!device || device.account !== live.account || device.until !== 0) return close(reader, closeCodes.unauthorized, 'device')
    if ((byAccount.get(live.account)?.size ?? 0) > settings.stockReadersMax)
      return close(reader, closeCodes.busy, 'too many readers')
    const channel = (await ports.log.segment(reader.segment))?.channel
    const space = channel && (await memory.spaceOf(channel))
    const isMember = space !== undefined && (await ports.community.member(space, live.account))?.left === 0
    const state = space && (await memory.head(space))?.state
    if (reader.closed) return
    if (space && channel && state && channelRights(state, live.account, isMember, state.channels[channel]).view)
      reader.place = { channel, space }
    else refused.add(reader)
  }

  /** @returns bytes sent */
  async function answer(reader: Reader, { client, n }: VectorRead): Promise<number> {
    reader.asked = undefined
    reader.answers++
    const segment = await ports.log.segment(reader.segment)
    if (!segment || n > segment.next || (n > 0 && client !== segment.client)) {
      close(reader, closeCodes.history, 'not this history')
      return 0
    }
    const message = await served.serve(segment, n, async () =>
      syncMessage(stockSteps.two, serveSegment(segment, await ports.log.tape(segment.id, n), n)),
    )
    if (reader.closed) return 0
    addTo(followers, segment.id, reader)
    send(reader, message)
    return message.length
  }

  /** @returns bytes sent, and what letting it in counts for */
  async function serve(reader: Reader): Promise<number> {
    let bytes = 0
    try {
      if (reader.token !== '') {
        bytes += admissionBytes
        await admit(reader)
      }
      if (reader.asked && reader.place && !isFull(reader)) bytes += await answer(reader, reader.asked)
    } catch (error) {
      ports.report({ kind: 'read-failed', error })
      close(reader, closeCodes.busy, 'busy')
    }
    return bytes
  }

  return {
    connect(wire, segment, token) {
      const now = clock.now()
      const reader: Reader = {
        wire,
        segment,
        token,
        closed: false,
        session: undefined,
        place: undefined,
        asked: undefined,
        messages: 0,
        answers: 0,
        heardAt: now,
        beatAt: now,
      }
      all.add(reader)
      if (token === '') close(reader, closeCodes.unauthorized, 'unauthorized')
      else {
        ready.add(reader)
        wake()
      }
      return {
        receive: (bytes) => receive(reader, bytes),
        heard() {
          reader.heardAt = clock.now()
        },
        drained() {
          resume(reader)
          if (ready.size > 0) wake()
        },
        closed: () => forget(reader),
      }
    },
    tell(segment, update) {
      // What was deleted is not kept here either.
      served.drop(segment)
      const following = followers.get(segment)
      if (!following) return
      const message = syncMessage(stockSteps.update, update)
      for (const reader of following)
        if (reader.wire.queuedBytes() <= settings.linkQueueBytesMax) send(reader, message)
        else close(reader, closeCodes.busy, 'too slow')
    },
    hasTurn: () => ready.size > 0,
    async takeTurn() {
      let bytes = 0
      for (const reader of ready) {
        ready.delete(reader)
        bytes += await serve(reader)
        if (bytes >= turnBytesMax) return
      }
    },
    endSession: (idHash) => closeWhere(({ session }) => session?.idHash === idHash, closeCodes.unauthorized, 'signed out'),
    *sessions() {
      for (const { session } of all) if (session) yield session.idHash
    },
    leave: (account, space) =>
      closeWhere(
        ({ session, place }) => session?.account === account && place?.space === space,
        closeCodes.forbidden,
        'not a member any more',
      ),
    drop: (channel) => closeWhere(({ place }) => place?.channel === channel, closeCodes.forbidden, 'gone'),
    tick(now) {
      for (const reader of refused) close(reader, closeCodes.forbidden, 'no such document')
      for (const reader of all) {
        if (now - reader.heardAt >= settings.silenceMs) close(reader, closeCodes.busy, 'silent')
        else if (now - reader.beatAt >= settings.beatIntervalMs) {
          reader.beatAt = now
          reader.messages = 0
          reader.answers = 0
          reader.wire.ping()
          send(reader, nobodyIsAware)
        }
        resume(reader)
      }
      if (ready.size > 0) wake()
    },
    closeAll(code, reason) {
      served.forgetAll()
      closeWhere(() => true, code, reason)
    },
    get count() {
      return all.size
    },
    get queuedBytes() {
      return [...all].reduce((sum, { wire }) => sum + wire.queuedBytes(), 0)
    },
  }
}

function syncMessage(step: number, update: Uint8Array): Bytes {
  return concatBytes(createByteWriter(8).byte(0).byte(step).uint(update.length).done(), update)
}
