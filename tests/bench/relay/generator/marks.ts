// Marks: each message of the bench carries `~~WWNNNNNN` once in its words, writer and number in decimal. They are found in the bytes, whatever
// the server made of them, without reading documents. The same frame comes to many readers, so that it is looked through only once.

const mark = Buffer.from('~~')
/** Behind a mark comes at least this much before the next one. */
const apart = 100
const headBytes = 48
const remembered = 512

export const writersMax = 100
export const numbersMax = 1_000_000

export function markOf(writer: number, number: number): string {
  return `~~${String(writer).padStart(2, '0')}${String(number).padStart(6, '0')}`
}

export function eachMark(buffer: Buffer, from: number, to: number, found: (writer: number, number: number) => void): void {
  for (let at = buffer.indexOf(mark, from); at >= 0 && at < to; at = buffer.indexOf(mark, at + apart)) {
    let digits = 0
    for (let i = 2; i < 10; i++) digits = digits * 10 + (buffer[at + i] ?? 48) - 48
    found(Math.floor(digits / numbersMax), digits % numbersMax)
  }
}

/** How many messages stand in these bytes. @param least bytes of the smallest message */
export function createMarkCounter(least: number): (buffer: Buffer, from: number, to: number) => number {
  const seen = new Map<number, { length: number; count: number }>()
  return (buffer, from, to) => {
    const length = to - from
    if (length < 2 * least) return length < least ? 0 : 1
    // Clocks and clients stand in the head: two different frames of one length differ there.
    const key = hashOf(buffer, from)
    const before = seen.get(key)
    if (before?.length === length) return before.count
    let count = 0
    eachMark(buffer, from, to, () => {
      count++
    })
    if (seen.size >= remembered) seen.clear()
    seen.set(key, { length, count })
    return count
  }
}

function hashOf(buffer: Buffer, from: number): number {
  let hash = 17
  for (let at = from; at < from + headBytes; at += 4) hash = (Math.imul(hash, 0x01000193) ^ buffer.readInt32LE(at)) | 0
  return hash
}
