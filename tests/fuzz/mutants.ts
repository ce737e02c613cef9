// Faults planted through ports, to see that the fuzzer sees them: each changes what one port says, never the product's code.
import { parseUtf8 } from '#shared/base/bytes.ts'
import { isOp, readFields } from '#shared/log/entry-grammar.ts'
import { type Planted, sodium } from './fuzz-world.ts'
import type { Parsers } from './parser-cases.ts'
import { parsers } from './parser-cases.ts'

export interface Mutant {
  says: string
  planted?: Planted
  parsers?: Parsers
}

export const mutants: { readonly [name: string]: Mutant } = {
  'any-signature': {
    says: 'the relay believes every signature',
    planted: { verifier: { verify: () => true, isValidKey: (key) => sodium.isValidKey(key) } },
  },
  'no-dedupe': {
    says: 'the relay forgets which ids it has, where one entry comes alone',
    planted: {
      wrapChannels: (store) => ({
        ...store,
        facts: async (channel, ids, redacts) => {
          const facts = await store.facts(channel, ids, redacts)
          return facts && { ...facts, entries: ids.length === 1 ? [] : facts.entries }
        },
      }),
    },
  },
  'no-erase': {
    says: 'a redaction leaves the text on the tape',
    planted: {
      wrapChannels: (store) => ({
        ...store,
        commit: (batches, now) =>
          store.commit(
            batches.map((batch) => ({ ...batch, erase: [] })),
            now,
          ),
      }),
    },
  },
  'one-seq-twice': {
    says: 'the relay does not store how far its numbers went',
    planted: {
      wrapChannels: (store) => ({
        ...store,
        commit: (batches, now) =>
          store.commit(
            batches.map((batch) => ({ ...batch, channel: { ...batch.channel, seq: Math.max(0, batch.channel.seq - 1) } })),
            now,
          ),
      }),
    },
  },
  'reservations-forgotten': {
    says: 'an id that was redacted before it came is not reserved',
    planted: {
      wrapChannels: (store) => ({
        ...store,
        facts: async (channel, ids, redacts) => {
          const facts = await store.facts(channel, ids, redacts)
          return facts && { ...facts, entries: facts.entries.filter((entry) => entry.kind !== 'reserved') }
        },
      }),
    },
  },
  'any-spelling': {
    says: 'an entry is read without looking whether it is canonical',
    parsers: {
      ...parsers,
      parseEntry: (bytes) => {
        const parsed = parsers.parseEntry(bytes)
        const whole = parseUtf8(bytes)
        if (parsed.ok || parsed.code !== 'shape' || whole === undefined) return parsed
        const fields = readFields(whole.slice(86))
        if (!fields.ok || !isOp(fields.value.op)) return parsed
        return { ok: true, value: { ...fields.value, op: fields.value.op, sig: whole.slice(0, 86), text: whole.slice(86) } }
      },
    },
  },
  'any-varint': {
    says: 'a frame may spell its numbers longer than they need be',
    parsers: {
      ...parsers,
      parseUp: (bytes) =>
        parsers.parseUp(
          bytes[0] === 3 && bytes[1] === 0x81 && bytes[2] === 0 ? Uint8Array.of(3, 1, ...bytes.subarray(3)) : bytes,
        ),
    },
  },
}
