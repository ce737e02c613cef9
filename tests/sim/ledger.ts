// What was written and promised in a run, kept beside it: words to look for where they must not be, and messages that must not be lost.
import type { AccountId, ChannelId, EntryId, SpaceId } from '#shared/base/ids.ts'
import type { DeviceNode } from './device-node.ts'
import { wordStart } from './healed-oracle.ts'

export interface Promised {
  account: AccountId
  space: SpaceId
  channel: ChannelId
  /** The disk that has it. */
  device: DeviceNode
}

export interface Ledger {
  /** Of the post, or of the edit of a liar, whose text they are or were. An id is an entry's only within its channel. */
  readonly words: Map<ChannelId, Map<EntryId, string[]>>
  /** Saved here: at the relay in the end, or under "Not sent". */
  readonly promised: Map<EntryId, Promised>
  readonly invites: { space: SpaceId; code: string }[]
  word(): string
  wrote(id: EntryId, channel: ChannelId, text: string): void
  promise(id: EntryId, device: DeviceNode, place: { space: SpaceId; channel: ChannelId }): void
  /** An old copy took the place of this device's disk: its person cannot expect what was written since. */
  diskLost(device: DeviceNode): void
  /** Its author, or who may manage, takes it back, or drops it: it need not be there any more. */
  mayBeGone(id: EntryId): void
}

export function createLedger(seed: number): Ledger {
  let count = 0
  const taken = new Set<EntryId>()
  const ledger: Ledger = {
    words: new Map(),
    promised: new Map(),
    invites: [],
    word: () => `${wordStart}${seed}~${count++}~`,
    wrote(id, channel, text) {
      const ofChannel = ledger.words.get(channel) ?? new Map<EntryId, string[]>()
      ledger.words.set(channel, ofChannel.set(id, [...(ofChannel.get(id) ?? []), text]))
    },
    promise(id, device, { space, channel }) {
      if (!taken.has(id)) ledger.promised.set(id, { account: device.person.account, space, channel, device })
    },
    diskLost(device) {
      for (const [id, promised] of ledger.promised) if (promised.device === device) ledger.promised.delete(id)
    },
    mayBeGone(id) {
      taken.add(id)
      ledger.promised.delete(id)
    },
  }
  return ledger
}
