// Lists of byte strings in one file: what is made once is read by many processes.
//   lists ( count ( length bytes )* )*        numbers are 4 bytes, little endian
import { readFileSync, writeFileSync } from 'node:fs'

export function writeByteLists(file: string, lists: readonly (readonly Uint8Array[])[]): void {
  const number = (value: number) => {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32LE(value)
    return bytes
  }
  const parts = lists.flatMap((list) => [number(list.length), ...list.flatMap((bytes) => [number(bytes.length), bytes])])
  writeFileSync(file, Buffer.concat([number(lists.length), ...parts]))
}

/** Views of the file's bytes. */
export function readByteLists(file: string): Buffer[][] {
  const bytes = readFileSync(file)
  let at = 0
  const number = () => {
    at += 4
    return bytes.readUInt32LE(at - 4)
  }
  const take = (length: number) => {
    at += length
    return bytes.subarray(at - length, at)
  }
  return Array.from({ length: number() }, () => Array.from({ length: number() }, () => take(number())))
}
