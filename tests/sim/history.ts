// What each device was told and saw in a run, in the order in which it happened: the calls of its person, the relay's answers that reached it,
// and the channels as they were drawn. It knows nothing of the relay's disk; history-check.ts judges it.
import type { AccountId, ChannelId, EntryId } from '#shared/base/ids.ts'

/** One relay's history between two restores: numbers are given once in it. */
export type Era = string

export interface SeenPost {
  id: EntryId
  seq: number
}

export type Operation =
  /** A person gave words to a device, which answered that they are saved. */
  | { kind: 'saved'; device: string; by: AccountId; channel: ChannelId; id: EntryId }
  /** The relay greeted the device in this era. */
  | { kind: 'met'; device: string; era: Era }
  /** The relay's answer reached the device: accepted, as number `seq`. */
  | { kind: 'accepted'; device: string; era: Era; channel: ChannelId; id: EntryId; seq: number }
  /** The relay said no, or the device gave it up: its words are under "Not sent", and may be sent once more later. */
  | { kind: 'refused'; device: string; id: EntryId }
  /** The newest posts of a channel as the device showed them: those accepted, oldest first, and those that wait or were refused. */
  | { kind: 'read'; device: string; era: Era; channel: ChannelId; posts: readonly SeenPost[]; others: readonly EntryId[] }
  /** The device may not show the channel any more, or holds it anew. */
  | { kind: 'forgot'; device: string; channel: ChannelId }
  /** An old copy took the place of the device's disk. */
  | { kind: 'device-set-back'; device: string }
  /** Somebody with the right to it took the post back, or its author dropped it. */
  | { kind: 'taken-back'; id: EntryId }
  | { kind: 'channel-deleted'; channel: ChannelId }
  /**
   * An old copy, of the era `to`, took the place of the relay's disk. `noticed`: at its start, so that it begins a new era at once.
   * `tellers`: devices that had heard from the relay that it was further than the copy.
   */
  | { kind: 'relay-set-back'; era: Era; to: Era; noticed: boolean; tellers: readonly string[] }

/** How things stand at the end. */
export interface Outcome {
  /** The relay's. */
  era: Era
  /** Every id that the relay has accepted, by channel. `text`: of a standing post, else ''. */
  accepted: ReadonlyMap<ChannelId, readonly { id: EntryId; seq: number; text: string }[]>
  /** Under "Not sent" on a device of its author. */
  unsent: ReadonlySet<EntryId>
  /** Persons who were out of their community for a while: what a restore took of theirs they could not bring back. */
  wereOut: ReadonlySet<AccountId>
}
