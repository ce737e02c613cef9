// Faults that are planted to see that the oracles see them: each changes what one port says, never the product's code.
// `outside` stands between the hub, or the core, and the gate of its process; the others stand between the gate and the disk.
import type { DeviceBatch, DeviceStore } from '#app/engine/device-store.ts'
import type { CommunityStore } from '#relay/store/community-store.ts'
import type { LogStore, MetaStore } from '#relay/store/log-store.ts'
import type { AccountId, EntryId, SpaceId } from '#shared/base/ids.ts'
import type { Verifier } from '#shared/crypto/ports.ts'
import type { MemberRow } from '#shared/protocol/records.ts'
import { DiskFull } from './process.ts'

export interface Mutant {
  says: string
  log?: (store: LogStore, world: MutantWorld) => LogStore
  logOutside?: (store: LogStore) => LogStore
  community?: (store: CommunityStore) => CommunityStore
  relayVerifier?: (verifier: Verifier) => Verifier
  device?: (store: DeviceStore) => DeviceStore
  deviceOutside?: (store: DeviceStore) => DeviceStore
  meta?: (store: MetaStore) => MetaStore
  /** A device takes every silent line for a living one. */
  neverSilent?: true
  /** The relay seals its marks with a key that no later start knows. */
  forgetsMarkKey?: true
}

export interface MutantWorld {
  /** Ids that devices brought for themselves, as against ids that entries refer to. */
  brought(id: EntryId): boolean
}

export const honest: Mutant = { says: 'nothing is wrong' }

export const mutants: { readonly [name: string]: Mutant } = {
  'no-dedupe': {
    says: 'the relay forgets which ids it has',
    log: (store, { brought }) => ({
      ...store,
      facts: async (channel, ids, redacts) => {
        const facts = await store.facts(channel, ids, redacts)
        // Posts only: without targets nothing else would be accepted at all.
        return (
          facts && {
            ...facts,
            entries: facts.entries.filter((entry) => !brought(entry.id) || entry.kind !== 'accepted' || entry.op !== 'post'),
          }
        )
      },
    }),
  },
  'no-rewrite': {
    says: 'a redaction leaves the text on the tape',
    log: (store) => ({
      ...store,
      commit: (batches, now) =>
        store.commit(
          batches.map((batch) => ({ ...batch, erase: [] })),
          now,
        ),
    }),
  },
  'redacted-returns': {
    says: 'an id that was redacted before it came is not reserved',
    log: (store) => ({
      ...store,
      facts: async (channel, ids, redacts) => {
        const facts = await store.facts(channel, ids, redacts)
        return facts && { ...facts, entries: facts.entries.filter((entry) => entry.kind !== 'reserved') }
      },
    }),
  },
  'send-before-commit': {
    says: 'the relay answers before the disk has it',
    logOutside: (store) => ({
      ...store,
      facts: (...args) => store.facts(...args),
      commit: async (batches, now) => void store.commit(batches, now).catch(() => undefined),
    }),
  },
  'one-seq-twice': {
    says: 'the relay does not store how far its numbers went',
    log: (store) => ({
      ...store,
      commit: (batches, now) =>
        store.commit(
          batches.map((batch) => ({ ...batch, channel: { ...batch.channel, seq: Math.max(0, batch.channel.seq - 1) } })),
          now,
        ),
    }),
  },
  'annex-forgotten': {
    says: 'the relay does not say that a segment is an annex',
    log: (store) => ({
      ...store,
      segments: async (channel, after, limit) => {
        const answer = await store.segments(channel, after, limit)
        return { ...answer, list: answer.list.filter((segment) => segment.of === '') }
      },
    }),
  },
  'removed-still-served': {
    says: 'who was removed is still a member when he comes back',
    community: (store) => {
      const ever = new Map<AccountId, Set<SpaceId>>()
      return {
        ...store,
        spacesOf: async (account) => {
          const spaces = ever.get(account) ?? new Set()
          ever.set(account, spaces)
          for (const space of await store.spacesOf(account)) spaces.add(space)
          return [...spaces]
        },
      }
    },
  },
  'half-roster': {
    says: 'the relay leaves one out of the roster',
    community: (store) => ({
      ...store,
      members: async (space, after): Promise<MemberRow[]> => (await store.members(space, after)).slice(after === 0 ? 1 : 0),
    }),
  },
  'chain-forged': {
    says: 'the relay shows a chain with a signature that is not the author’s',
    community: (store) => ({
      ...store,
      records: async (space, after, limit) =>
        (await store.records(space, after, limit)).map((record) => ({ ...record, sig: `A${record.sig.slice(1)}` })),
    }),
  },
  'signatures-unchecked': {
    says: 'the relay believes every signature',
    relayVerifier: (verifier) => ({ ...verifier, verify: () => true }),
  },
  'no-put-back': {
    says: 'a device forgets own entries when the relay was restored',
    device: (store) => {
      let incarnation = ''
      return through(store, (batch) => {
        const [meta] = batch.rows.meta.values()
        const starts = meta !== undefined && incarnation !== '' && meta.incarnation !== incarnation
        incarnation = meta?.incarnation ?? incarnation
        if (!starts) return batch
        return withRows(batch, { outbox: new Map() })
      })
    },
  },
  'device-sends-before-save': {
    says: 'a device calls words saved that are not',
    deviceOutside: (store) => ({
      load: () => store.load(),
      loadSegment: (segment) => store.loadSegment(segment),
      close: () => store.close(),
      commit: async (batch, how) => void store.commit(structuredClone(batch), how).catch(() => undefined),
    }),
  },
  'clock-goes-back': {
    says: 'a relay that starts does not ask which time it was last',
    meta: (store) => ({ ...store, read: async () => ({ ...(await store.read()), clock: 0 }) }),
  },
  'half-open-for-ever': {
    says: 'a device never gives a silent line up',
    neverSilent: true,
  },
  'mark-ignored': {
    says: 'the relay does not believe its own marks',
    forgetsMarkKey: true,
  },
  'relay-full-disk-lies': {
    says: 'the relay calls stored what a full disk did not take',
    logOutside: (store) => ({
      ...store,
      commit: (batches, now) => store.commit(batches, now).catch(unlessFull),
    }),
  },
  'device-full-disk-lies': {
    says: 'a device calls words saved that its full disk did not take',
    deviceOutside: (store) => ({
      load: () => store.load(),
      loadSegment: (segment) => store.loadSegment(segment),
      close: () => store.close(),
      commit: (batch, how) => store.commit(batch, how).catch(unlessFull),
    }),
  },
  'deleted-kept-on-device': {
    says: 'a device that deletes keeps the old bytes beside the new',
    device: (store) =>
      through(store, (batch) => ({
        ...batch,
        bytes: new Map(
          [...batch.bytes].map(([segment, changes]) => [
            segment,
            changes.map((change) => (change.kind === 'snapshot' ? { kind: 'append', update: change.state } : change)),
          ]),
        ),
      })),
  },
  'rows-forgotten': {
    says: 'a device does not remember what it drops from the outbox',
    device: (store) =>
      through(store, (batch) =>
        withRows(batch, { outbox: new Map([...batch.rows.outbox].filter(([, row]) => row !== undefined)) }),
      ),
  },
}

function unlessFull(error: unknown): void {
  if (!(error instanceof DiskFull)) throw error
}

function through(store: DeviceStore, change: (batch: DeviceBatch) => DeviceBatch): DeviceStore {
  return {
    load: () => store.load(),
    loadSegment: (segment) => store.loadSegment(segment),
    close: () => store.close(),
    commit: (batch, how) => store.commit(change(batch), how),
  }
}

function withRows(batch: DeviceBatch, rows: Partial<DeviceBatch['rows']>): DeviceBatch {
  return { ...batch, rows: { ...batch.rows, ...rows } }
}
