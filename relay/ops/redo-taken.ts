// After a restore: what the journal says was redacted or erased since the backup is taken away once more, before anybody can read it.
// An entry that the backup has is deleted; one that it has not is kept from coming back by a reservation that binds everybody.
// Done once for each incarnation; cut short, it is done again from the beginning, which harms nobody.
import type { AccountId, ChannelId, EntryId } from '#shared/base/ids.ts'
import type { Clock } from '#shared/base/ports.ts'
import type { DecisionPorts } from '#shared/log/decision.ts'
import { decideErasure } from '#shared/log/erasure.ts'
import type { ChannelBatch, EntryRecord, ReservedEntry } from '#shared/log/facts.ts'
import type { LogStore, MetaStore } from '../store/log-store.ts'
import type { RedactionJournal, Taken } from '../store/redaction-journal.ts'

export interface RedoPorts {
  journal: Pick<RedactionJournal, 'read'>
  /** One that writes no journal: all this stands in it. */
  log: Pick<LogStore, 'facts' | 'commit'>
  meta: Pick<MetaStore, 'read'>
  /** The incarnation that this was done for last. */
  redone: { read(): string; write(incarnation: string): void }
  /** Nothing where it is erased already, or not there. */
  eraseAccount(account: AccountId): Promise<void>
  clock: Clock
  decision: Pick<DecisionPorts, 'random' | 'limits'>
}

type TakenEntry = Exclude<Taken, { kind: 'erased' }>

/** Entries of one commit: some milliseconds. */
const idsAtOnce = 500

/** Answers whether there was something to do. @throws what the store throws */
export async function redoTaken(ports: RedoPorts): Promise<boolean> {
  const { incarnation } = await ports.meta.read()
  if (ports.redone.read() === incarnation) return false
  const byChannel = new Map<ChannelId, Map<EntryId, TakenEntry[]>>()
  const journal = ports.journal.read()
  for (const taken of journal) {
    if (taken.kind === 'erased') {
      await ports.eraseAccount(taken.account)
      continue
    }
    const ofChannel = byChannel.get(taken.channel) ?? new Map<EntryId, TakenEntry[]>()
    ofChannel.set(taken.id, [...(ofChannel.get(taken.id) ?? []), taken])
    byChannel.set(taken.channel, ofChannel)
  }
  for (const [channel, taken] of byChannel) {
    const all = [...taken]
    for (let from = 0; from < all.length; from += idsAtOnce)
      await redoSome(ports, channel, new Map(all.slice(from, from + idsAtOnce)))
  }
  ports.redone.write(incarnation)
  return journal.length > 0
}

async function redoSome(ports: RedoPorts, channel: ChannelId, taken: ReadonlyMap<EntryId, TakenEntry[]>): Promise<void> {
  const ids = [...taken.keys()]
  const facts = await ports.log.facts(channel, ids, ids)
  // The backup is older than the channel: nothing of it is there, and nothing can come.
  if (!facts) return
  const records = new Map(facts.entries.map((record) => [record.id, record]))
  const erased: EntryId[] = []
  const reserved: ReservedEntry[] = []
  for (const [id, list] of taken) {
    const record = records.get(id)
    const reservation = reservationOf(id, record, list)
    if (record?.kind === 'accepted') {
      if (reservation.manage || reservation.redactors.includes(record.by)) erased.push(id)
    } else reserved.push(reservation)
  }
  const now = Math.max(ports.clock.now(), (await ports.meta.read()).clock)
  const { batch } = decideErasure({ ...facts, now }, erased, ports.decision)
  if (!batch && reserved.length === 0) return
  const bare: ChannelBatch = { channel: facts.channel, segments: [], rows: [], erase: [], entries: [] }
  const whole = batch ?? bare
  await ports.log.commit([{ ...whole, entries: [...whole.entries, ...reserved] }], now)
}

/** What was carried out binds everybody; what only waited binds as it did. */
function reservationOf(id: EntryId, before: EntryRecord | undefined, taken: readonly TakenEntry[]): ReservedEntry {
  const redactors = new Set(before?.kind === 'reserved' ? before.redactors : [])
  let manage = before?.kind === 'reserved' && before.manage
  for (const one of taken) {
    if (one.kind === 'gone') manage = true
    else {
      redactors.add(one.by)
      manage ||= one.manage
    }
  }
  return { kind: 'reserved', id, redactors: [...redactors], manage }
}
