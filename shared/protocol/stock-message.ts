// One message of a stock y-websocket client, read as far as a relay must that lets it read and nothing else. Never throws.
//   message = 00 sync ( 00 step 1, vector | 01 step 2, update | 02 update ) | 01 awareness | 02 auth | 03 query awareness
//   vector  = 00 | 01 client n        payloads are length-prefixed
import { createByteReader } from '../base/byte-cursor.ts'

/** What its replica holds: the first `n` elements of one author. */
export interface VectorRead {
  client: number
  n: number
}

export type StockMessage =
  | { kind: 'step 1'; vector: VectorRead }
  /** `isEmpty`: without structs; the delete set is not looked at. */
  | { kind: 'step 2'; isEmpty: boolean }
  | { kind: 'update' }
  /** Awareness and its kind. */
  | { kind: 'ignored' }

export const stockSteps = { one: 0, two: 1, update: 2 } as const

const sync = 0
const ignored: ReadonlySet<number> = new Set([1, 2, 3])

/** A replica of something else: it holds more than anybody's. */
const foreign: VectorRead = { client: 0, n: Number.MAX_SAFE_INTEGER }

/** `undefined` for what is no message of the protocol. A vector of several authors answers one that holds more than there is. */
export function readStockMessage(bytes: Uint8Array): StockMessage | undefined {
  const reader = createByteReader(bytes)
  const kind = reader.byte()
  if (kind !== sync) return kind !== undefined && ignored.has(kind) ? { kind: 'ignored' } : undefined
  const step = reader.byte()
  const payload = reader.take(reader.uint() ?? Number.POSITIVE_INFINITY)
  if (!payload || !reader.ended) return undefined
  switch (step) {
    case stockSteps.one: {
      const vector = readVector(payload)
      return vector && { kind: 'step 1', vector }
    }
    case stockSteps.two:
      return payload.length === 0 ? undefined : { kind: 'step 2', isEmpty: payload[0] === 0 }
    case stockSteps.update:
      return { kind: 'update' }
    default:
      return undefined
  }
}

function readVector(bytes: Uint8Array): VectorRead | undefined {
  const reader = createByteReader(bytes)
  const clients = reader.uint()
  if (clients === undefined) return undefined
  if (clients === 0) return reader.ended ? { client: 0, n: 0 } : undefined
  if (clients > 1) return foreign
  const client = reader.uint()
  const n = reader.uint()
  return client !== undefined && n !== undefined && reader.ended ? { client, n } : undefined
}
