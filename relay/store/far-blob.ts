// Words in SQLite so that they can be erased. `secure_delete` overwrites a row that is deleted, but not the copies of rows that a page keeps in its
// unused space after SQLite moved them to its neighbour (seen: 1 to 2 of 100 redacted texts stayed in the file). What lies in overflow pages is
// never moved, and a page that is freed is overwritten as a whole. So words begin where a row has left its leaf: in a table WITHOUT ROWID a row
// that overflows keeps at most 1,002 bytes on a page of 4,096 (https://www.sqlite.org/fileformat2.html, "Cell Payload Overflow Pages"),
// and that much nothing stands before them. Costs a page for every row.
import { assert } from '#shared/base/assert.ts'
import type { Bytes } from '#shared/base/bytes.ts'

/** (4096 - 12) * 64 / 255 - 23 */
export const nearBytesMax = 1_002

/** As it is stored. Only for tables WITHOUT ROWID, which have pages of 4,096 bytes. */
export function farBlob(bytes: Uint8Array): Bytes {
  const stored = new Uint8Array(nearBytesMax + bytes.length)
  stored.set(bytes, nearBytesMax)
  return stored
}

/** What was stored, as a view. */
export function nearBlob(stored: Bytes): Bytes {
  assert(stored.length >= nearBytesMax, 'words are stored far from their leaf')
  return stored.subarray(nearBytesMax)
}
