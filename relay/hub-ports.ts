// What the hub needs of the world. No socket, no HTTP, no database: the simulator runs it on a fake of each.
import type { Bytes } from '#shared/base/bytes.ts'
import type { AccountId, DeviceId } from '#shared/base/ids.ts'
import { limits } from '#shared/base/limits.ts'
import type { Clock, Random } from '#shared/base/ports.ts'
import type { Mac, SignatureClaim, Verifier } from '#shared/crypto/ports.ts'
import type { CommandDesk } from './community/command-desk.ts'
import type { HubCounters } from './hub-counters.ts'
import type { DiskSight } from './hub-room.ts'
import type { AccountStore } from './store/account-store.ts'
import type { CommunityStore } from './store/community-store.ts'
import type { LogStore, MetaStore, PrivateStore } from './store/log-store.ts'

/** One connection to one device, whatever carries it. */
export interface Wire {
  send(bytes: Bytes): void
  /** Nothing is sent behind it; `closed` of the link may follow or not. */
  close(code: number, reason: string): void
  /** Bytes handed over that have not left yet. */
  queuedBytes(): number
}

export interface HubPorts {
  log: LogStore
  community: CommunityStore
  private: PrivateStore
  meta: MetaStore
  accounts: Pick<AccountStore, 'devices' | 'usernames' | 'finishErasing'>
  sessions: {
    check(token: string): Promise<{ account: AccountId; dev: DeviceId | ''; idHash: string } | undefined>
    /** Its live line counts as use. Answers until when it lives, ms; 0: it has ended. */
    prolong(idHash: string): Promise<number>
  }
  desk: CommandDesk
  verifier: Verifier
  /** Checks signatures of the next turn while this one runs; without it, or where it answers nothing, the decision checks them. */
  verifyAhead?: ((claims: readonly SignatureClaim[]) => Promise<readonly (boolean | undefined)[]> | undefined) | undefined
  mac: Mac
  /** 32 bytes that stand outside the database and its backups. */
  markKey: Bytes
  random: Random
  clock: Clock
  /** Goes on evenly from any beginning, whatever `clock` is set to: beats, silence, waits and tokens go by it. Without it, they go by `clock`. */
  steady?: Clock | undefined
  /** Resolves when what waits to be received has been received: appends that came together become one turn. */
  nextTurn(): Promise<void>
  report(event: HubEvent): void
  /** Without it only a commit that fails tells that there is no room. */
  disk?: DiskSight | undefined
  /** Where others count too, or read; else the hub counts for itself. */
  counters?: HubCounters | undefined
  settings: HubSettings
}

export type HubEvent =
  /** What was known in memory is thrown away and read again; all links are closed. */
  | { kind: 'store-failed'; error: unknown }
  /** One link's question could not be answered; the link is closed. */
  | { kind: 'read-failed'; error: unknown }
  /** A device brought a mark that is ahead: the disk is older than what was promised from it. */
  | { kind: 'restored' }
  | { kind: 'closed'; code: number; reason: string }
  /** Writes are refused from now on, or taken again. */
  | { kind: 'room'; full: boolean }

export interface HubSettings {
  /** One bucket a person, for flush and flood alike: `entryBurst` at once, then `entriesPerMinute`. */
  entryBurst: number
  entriesPerMinute: number
  commandBurst: number
  commandsPerMinute: number
  /** Entries into one channel, by all of its people: who is faster waits. */
  channelBurst: number
  channelEntriesPerMinute: number
  /** Frames and bytes of one link, before any of it is read: who is faster is closed. */
  linkFrameBurst: number
  linkFramesPerSecond: number
  linkByteBurst: number
  linkBytesPerSecond: number
  /** Entries decided in one turn: what waits behind it waits one commit. */
  turnEntriesMax: number
  /** Frames and bytes of one link that wait for their turn. */
  inboxFramesMax: number
  inboxBytesMax: number
  clockAheadMs: number
  segmentPostsMax: number
  segmentBytesMax: number
  segmentElementsFull: number
  segmentBytesFull: number
  segmentRowsMax: number
  privateDocumentBytesMax: number
  privateBlobsMax: number
  beatIntervalMs: number
  silenceMs: number
  helloTimeoutMs: number
  linkQueueBytesMax: number
  openSegmentsPerLinkMax: number
  /** Whole segments kept as they were served last: what many open is read once. */
  servedBytesMax: number
  /** Below this the disk counts as full: soon SQLite would fail to commit. */
  freeBytesMin: number
  /** What the database may hold; the default is no bound. */
  databaseBytesMax: number
  /** While there is no room, devices ask again after this. */
  roomWaitMs: number
  /** At its stop the relay answers what came before, but not for longer than this. */
  stopDrainMs: number
  /** After it devices come back between this and twice this, or later where they are many. */
  restartPauseMs: number
  severeRefusalsMax: number
  /** Stock readers of one account. */
  stockReadersMax: number
}

export const hubDefaults: HubSettings = {
  entryBurst: 300,
  entriesPerMinute: 60,
  commandBurst: 60,
  commandsPerMinute: 60,
  channelBurst: 2_000,
  channelEntriesPerMinute: 12_000,
  // A device may open thousands of segments at once, and send a whole private document.
  linkFrameBurst: 20_000,
  linkFramesPerSecond: 1_000,
  linkByteBurst: 33_554_432,
  linkBytesPerSecond: 2_097_152,
  turnEntriesMax: 512,
  inboxFramesMax: 20_000,
  inboxBytesMax: 8_388_608,
  clockAheadMs: limits.clockAheadMs,
  segmentPostsMax: limits.segmentPostsMax,
  segmentBytesMax: limits.segmentBytesMax,
  segmentElementsFull: limits.segmentElementsFull,
  segmentBytesFull: limits.segmentBytesFull,
  segmentRowsMax: limits.segmentRowsMax,
  privateDocumentBytesMax: limits.privateDocumentBytesMax,
  privateBlobsMax: limits.privateBlobsMax,
  beatIntervalMs: limits.beatIntervalMs,
  silenceMs: limits.silenceMs,
  helloTimeoutMs: limits.helloTimeoutMs,
  linkQueueBytesMax: limits.linkQueueBytesMax,
  openSegmentsPerLinkMax: limits.openSegmentsPerLinkMax,
  servedBytesMax: 33_554_432,
  freeBytesMin: 64 * 1024 * 1024,
  databaseBytesMax: 1_000_000_000_000,
  roomWaitMs: 15_000,
  stopDrainMs: 5_000,
  restartPauseMs: 2_000,
  severeRefusalsMax: 3,
  stockReadersMax: limits.stockReadersMax,
}
