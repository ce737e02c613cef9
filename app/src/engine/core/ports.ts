// What the core needs of the world. All of it can be played by a test or by the simulator: no browser API stands behind these types.
import type { Bytes } from '#shared/base/bytes.ts'
import type { AccountId, ChannelId, DeviceId, EntryId, SpaceId } from '#shared/base/ids.ts'
import type { Clock, Random } from '#shared/base/ports.ts'
import type { Hasher, Verifier } from '#shared/crypto/ports.ts'
import type { FrameUp } from '#shared/protocol/frames.ts'
import type { UnsentView } from '../api.ts'
import type { DeviceStore } from '../device-store.ts'

/** This device's key. WebCrypto signs asynchronously, hence so does the port. */
export interface DeviceSigner {
  readonly dev: DeviceId
  /** 64 bytes. */
  sign(message: Bytes): Promise<Bytes>
}

export interface Me {
  account: AccountId
  username: string
}

/** Words that the relay refused, as the account's other devices see them too. */
export type UnsentWords = UnsentView

/** The private document as the core sees it: a place to leave refused words for the other devices. Losing a write here loses no words: the outbox has them. */
export interface WordsPort {
  keep(words: UnsentWords): void
  find(id: EntryId): UnsentWords | undefined
  /** The person dropped them or sent them again: on no device "not sent" any more. */
  settle(id: EntryId): void
}

/** What changed, for whoever draws: a topic of api.ts, or `timeline <channel>`, `members <space>`. */
export type Change = 'link' | 'communities' | 'unsent' | 'outcomes' | `members ${SpaceId}` | `timeline ${ChannelId}`

export interface CorePorts {
  store: DeviceStore
  clock: Clock
  random: Random
  signer: DeviceSigner
  me: Me
  words: WordsPort
  /** libsodium: loaded when something has to be checked, never before the first screen. */
  crypto(): Promise<Hasher & Verifier>
  /** Call `wake` at this time of the clock, or later. Each turn tells anew: only the last time asked for counts, 0 = not needed. */
  wakeAt(time: number): void
  /** Told after what changed is saved. */
  changed(changes: ReadonlySet<Change>): void
  /** A commit failed: memory is ahead of the disk. Nothing of this core may be used any more; build another from the store. */
  failed(error: unknown): void
}

/** One connection to the relay. Frames that are sent into a closed one are lost, as they are on a line. */
export interface Wire {
  send(frame: FrameUp): void
  /** What came makes no sense, or the relay must be asked anew: the shell connects again later. */
  close(why: string): void
}
