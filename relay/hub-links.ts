// The links of the moment: who is connected, what each has open, and what of theirs waits for its turn.
// Nothing here is durable. A link that was closed is in none of these lists, and nothing is sent to it.
import type { Bytes } from '#shared/base/bytes.ts'
import type { AccountId, ChannelId, DeviceId, SegmentId, SpaceId } from '#shared/base/ids.ts'
import { encodeDown } from '#shared/protocol/frame-codec.ts'
import { type ControlDown, closeCodes, type FrameUp } from '#shared/protocol/frames.ts'
import { addTo, removeFrom } from './channel/sets-by-key.ts'
import type { HubCounters } from './hub-counters.ts'
import type { HubEvent, HubSettings, Wire } from './hub-ports.ts'

export interface LinkSession {
  account: AccountId
  dev: DeviceId
  /** Ed25519 public key, 32 bytes. */
  key: Bytes
  username: string
  idHash: string
}

/** A frame that waits for its turn; `bytes` as it came. */
export interface Waiting {
  frame: FrameUp
  bytes: number
}

export interface Subscription {
  /** The newest `open` of this segment. */
  req: number
  channel: ChannelId
  space: SpaceId
}

export interface Link {
  readonly wire: Wire
  closed: boolean
  /** Set at the hello that was accepted. */
  session: LinkSession | undefined
  helloSeen: boolean
  /** Spaces that its person is a member of. */
  readonly spaces: Set<SpaceId>
  readonly subscriptions: Map<SegmentId, Subscription>
  /** What wants to change something goes before what only asks, and asking waits while the line is full. */
  readonly writes: Waiting[]
  readonly asks: Waiting[]
  inboxBytes: number
  /** What it may send now, of the bucket that it meets before anything is read. */
  framesLeft: number
  bytesLeft: number
  refilledAt: number
  /** How far the answer to a `chain` has come that waits for room in the line. */
  readonly chainsUnderWay: Map<SpaceId, number>
  severe: number
  /** Its last append brought what was known already. */
  sentAgain: boolean
  readonly connectedAt: number
  heardAt: number
  beatAt: number
  /** The private document's stream: `undefined` until its first step 1; then the blobs that each unanswered step 1 of ours covers. */
  privateAsked: number[][] | undefined
  /** Something of the private document found no room: its device is asked for the whole when there is some. */
  privateOwed: boolean
  /** When something of the private document came from it that is still to be joined with the rest; 0: nothing is. */
  privateAt: number
}

export interface Links {
  readonly all: ReadonlySet<Link>
  add(wire: Wire, now: number): Link
  /** From now on it is found by its account and session. */
  identify(link: Link, session: LinkSession): void
  ofAccount(account: AccountId): readonly Link[]
  ofSession(idHash: string): readonly Link[]
  inSpace(space: SpaceId): readonly Link[]
  subscribe(link: Link, segment: SegmentId, subscription: Subscription): void
  unsubscribe(link: Link, segment: SegmentId): void
  /** Ends what the link has open of this channel, or of a whole space. */
  unsubscribeAll(link: Link, place: ChannelId | SpaceId): void
  subscribers(segment: SegmentId): Iterable<Link>
  send(link: Link, message: ControlDown): void
  sendBytes(link: Link, bytes: Bytes): void
  close(link: Link, code: number, reason: string): void
  /** The other end is gone. */
  forget(link: Link): void
}

export function createLinks(settings: HubSettings, report: (event: HubEvent) => void, counters: HubCounters): Links {
  const all = new Set<Link>()
  const byAccount = new Map<AccountId, Set<Link>>()
  const bySegment = new Map<SegmentId, Set<Link>>()

  const links: Links = {
    all,
    add(wire, now) {
      const link = createLink(wire, now)
      all.add(link)
      return link
    },
    identify(link, session) {
      link.session = session
      addTo(byAccount, session.account, link)
    },
    ofAccount: (account) => [...(byAccount.get(account) ?? [])],
    ofSession: (idHash) => [...all].filter((link) => link.session?.idHash === idHash),
    inSpace: (space) => [...all].filter((link) => link.spaces.has(space)),
    subscribe(link, segment, subscription) {
      link.subscriptions.set(segment, subscription)
      addTo(bySegment, segment, link)
    },
    unsubscribe(link, segment) {
      link.subscriptions.delete(segment)
      removeFrom(bySegment, segment, link)
    },
    unsubscribeAll(link, place) {
      for (const [segment, { channel, space }] of link.subscriptions)
        if (channel === place || space === place) links.unsubscribe(link, segment)
    },
    subscribers: (segment) => bySegment.get(segment) ?? [],
    send: (link, message) => links.sendBytes(link, encodeDown({ kind: 'control', message })),
    sendBytes(link, bytes) {
      if (link.closed) return
      // Subscriptions end at the bound (`stale`); what is left are answers, and a link that cannot take even those is given up.
      if (link.wire.queuedBytes() > 2 * settings.linkQueueBytesMax) links.close(link, closeCodes.busy, 'too slow')
      else {
        counters.framesOut++
        counters.bytesOut += bytes.length
        link.wire.send(bytes)
      }
    },
    close(link, code, reason) {
      if (link.closed) return
      links.forget(link)
      report({ kind: 'closed', code, reason })
      link.wire.close(code, reason)
    },
    forget(link) {
      link.closed = true
      all.delete(link)
      if (link.session) removeFrom(byAccount, link.session.account, link)
      for (const segment of link.subscriptions.keys()) removeFrom(bySegment, segment, link)
      link.subscriptions.clear()
      link.spaces.clear()
      link.writes.length = 0
      link.asks.length = 0
    },
  }
  return links
}

/** A link that is in no list yet. */
export function createLink(wire: Wire, now: number): Link {
  return {
    wire,
    closed: false,
    session: undefined,
    helloSeen: false,
    spaces: new Set(),
    subscriptions: new Map(),
    writes: [],
    asks: [],
    inboxBytes: 0,
    framesLeft: Number.POSITIVE_INFINITY,
    bytesLeft: Number.POSITIVE_INFINITY,
    refilledAt: now,
    chainsUnderWay: new Map(),
    severe: 0,
    sentAgain: false,
    connectedAt: now,
    heardAt: now,
    beatAt: now,
    privateAsked: undefined,
    privateOwed: false,
    privateAt: 0,
  }
}
