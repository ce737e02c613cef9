import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { createByteWriter } from '#shared/base/byte-cursor.ts'
import { createPrng } from '#shared/base/prng.ts'
import { readStockMessage } from '#shared/protocol/stock-message.ts'

function message(step: number, payload: Uint8Array): Uint8Array {
  return createByteWriter().byte(0).byte(step).uint(payload.length).bytes(payload).done()
}

test('[STOCK-1] vectors as Yjs writes them', () => {
  const doc = new Y.Doc()
  expect(readStockMessage(message(0, Y.encodeStateVector(doc)))).toEqual({ kind: 'step 1', vector: { client: 0, n: 0 } })
  doc.getArray('log').push(['a', 'b', 'c'])
  const vector = { client: doc.clientID, n: 3 }
  expect(readStockMessage(message(0, Y.encodeStateVector(doc)))).toEqual({ kind: 'step 1', vector })
})

test('[STOCK-3] a whole document, as step 2 or as an update, is not empty; a delete set alone is', () => {
  const doc = new Y.Doc()
  doc.getArray('log').push(['a'])
  const whole = Y.encodeStateAsUpdate(doc)
  expect(readStockMessage(message(1, whole))).toEqual({ kind: 'step 2', isEmpty: false })
  expect(readStockMessage(message(2, whole))).toEqual({ kind: 'update' })
  doc.getArray('log').delete(0, 1)
  const rest = Y.encodeStateAsUpdate(doc, Y.encodeStateVector(doc))
  expect(readStockMessage(message(1, rest))).toEqual({ kind: 'step 2', isEmpty: true })
})

test('[STOCK-3] no bytes make it throw', () => {
  const seed = 4
  const prng = createPrng(seed)
  for (let i = 0; i < 4_000; i++) {
    const bytes = prng.bytes(prng.below(12))
    // Half of them come near to a message.
    if (i % 2 === 0 && bytes.length > 1) bytes.set([0, prng.below(4)].slice(0, bytes.length))
    expect(() => readStockMessage(bytes), `seed ${seed}, round ${i}: ${bytes}`).not.toThrow()
  }
})
