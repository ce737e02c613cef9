// The same history for the other servers: one Y.Array of strings by several authors who take turns, as updates of 2,000 elements at most.
import { writeFileSync } from 'node:fs'
import { Doc, encodeStateAsUpdate, encodeStateVector } from 'yjs'
import { createPrng } from '#shared/base/prng.ts'
import { markOf } from '../generator/marks.ts'
import { writeByteLists } from './byte-lists.ts'

const chunkMax = 2_000
const firstClient = 500_000

/** @param parts how many elements each; at the end of the first, a reader's state vector is written beside it @param bytes of one string */
export function writeYjsLog(file: string, parts: readonly number[], authors: number, bytes: number): void {
  const prng = createPrng(1)
  const doc = new Doc({ gc: false })
  const log = doc.getArray<string>('log')
  const chunks: Uint8Array[] = []
  let number = 0
  for (const [nr, part] of parts.entries()) {
    for (let left = part; left > 0; ) {
      const before = encodeStateVector(doc)
      const count = Math.min(left, chunkMax)
      doc.transact(() => {
        for (let i = 0; i < count; i++) {
          doc.clientID = firstClient + prng.below(authors)
          log.insert(log.length, [markOf(0, number++).padEnd(bytes, '.')])
        }
      })
      chunks.push(encodeStateAsUpdate(doc, before))
      left -= count
    }
    if (nr === 0) writeFileSync(`${file}.vector`, encodeStateVector(doc))
  }
  writeByteLists(file, [chunks])
  doc.destroy()
}
