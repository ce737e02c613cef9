// DATA_DIR/redactions: which entries were redacted and which accounts erased, outside the database and every backup of it, so that a backup
// that is put back does not bring back what was taken away since. Ids only, never a word. Written before the commit that erases:
// a commit that then fails leaves a line for something that did not happen, which is done anyway after a restore; the other way round a text would return.
//
//   file = "dupered1" record*      record = kind channel(16) id(16) by(16) crc32(4)      53 bytes
//   kind 1 gone: the entry `id` is deleted · 2 reserved: redacted by `by` before it came · 3 the same, by who manages · 4 erased: the account `by`
import { closeSync, existsSync, fdatasyncSync, fstatSync, fsyncSync, openSync, readSync, renameSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { crc32 } from 'node:zlib'
import { type Bytes, concatBytes, utf8 } from '#shared/base/bytes.ts'
import { type AccountId, type ChannelId, type EntryId, idBytes, idFromBytes } from '#shared/base/ids.ts'
import type { ChannelBatch } from '#shared/log/facts.ts'
import { storeFull } from './store-full.ts'

export type Taken =
  | { kind: 'gone'; channel: ChannelId; id: EntryId }
  | { kind: 'reserved'; channel: ChannelId; id: EntryId; by: AccountId; manage: boolean }
  | { kind: 'erased'; account: AccountId }

export interface RedactionJournal {
  /** On the disk when it returns. @throws where the disk takes nothing; then nothing may be erased. */
  add(taken: readonly Taken[]): void
  /** Oldest first. What a crash left torn is no record. */
  read(): Taken[]
  close(): void
}

const head = utf8('dupered1')
const recordBytes = 53
const checkedBytes = recordBytes - 4
/** 53 MB; a quarter is the room made when it is full: the oldest go, which only a still older backup could bring back. */
const defaultRecordsMax = 1_000_000

/** Made where it is not there. @throws {Error} a sentence for the operator, where the file is something else */
export function openRedactionJournal(path: string, recordsMax = defaultRecordsMax): RedactionJournal {
  let file = openOrMake(path)
  let records = countRecords(file)

  /** By place and not by appending: what a full disk or a crash left of a record is written over. */
  const write = (bytes: Uint8Array) => {
    try {
      for (let done = 0; done < bytes.length; )
        done += writeSync(file, bytes, done, bytes.length - done, head.length + records * recordBytes + done)
      fdatasyncSync(file)
    } catch (error) {
      // To whoever commits it is the same as a database without room: nothing was done, and it can be tried again.
      throw error instanceof Error && 'code' in error && error.code === 'ENOSPC' ? storeFull() : error
    }
  }
  const read = () => readRecords(file, records)
  const compact = () => {
    const kept = newest(uniqueOf(read()), Math.floor((recordsMax * 3) / 4))
    const fresh = writeWhole(`${path}.new`, kept)
    renameSync(`${path}.new`, path)
    syncDirectory(path)
    closeSync(file)
    file = fresh
    records = kept.length
  }
  return {
    add(taken) {
      if (taken.length === 0) return
      if (records + taken.length > recordsMax) compact()
      write(concatBytes(...taken.map(encode)))
      records += taken.length
    },
    read,
    close: () => closeSync(file),
  }
}

/** What a commit takes away: mostly nothing, and then it costs a look at each record. */
export function takenBy(batches: readonly ChannelBatch[]): Taken[] {
  const taken: Taken[] = []
  for (const { channel, entries } of batches)
    for (const record of entries) {
      if (record.kind === 'accepted') {
        if (record.gone) taken.push({ kind: 'gone', channel: channel.id, id: record.id })
      } else
        for (const by of record.redactors)
          taken.push({ kind: 'reserved', channel: channel.id, id: record.id, by, manage: record.manage })
    }
  return taken
}

function openOrMake(path: string): number {
  if (!existsSync(path)) {
    closeSync(writeWhole(`${path}.new`, []))
    renameSync(`${path}.new`, path)
    syncDirectory(path)
  }
  const file = openSync(path, 'r+')
  const start = new Uint8Array(head.length)
  readSync(file, start, 0, head.length, 0)
  if (!start.every((byte, i) => byte === head[i]))
    throw new Error(`${path} is no journal of redactions: bring it back, or move it away`)
  return file
}

function countRecords(file: number): number {
  return Math.floor(Math.max(0, fstatSync(file).size - head.length) / recordBytes)
}

function readRecords(file: number, records: number): Taken[] {
  const bytes = new Uint8Array(records * recordBytes)
  for (let done = 0; done < bytes.length; ) {
    const count = readSync(file, bytes, done, bytes.length - done, head.length + done)
    if (count === 0) break
    done += count
  }
  return Array.from({ length: records }, (_, i) => decode(bytes.subarray(i * recordBytes, (i + 1) * recordBytes))).filter(
    (one) => one !== undefined,
  )
}

/** Durable, and still to be given its name. */
function writeWhole(path: string, taken: readonly Taken[]): number {
  const file = openSync(path, 'w+', 0o600)
  const bytes = concatBytes(head, ...taken.map(encode))
  for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done, bytes.length - done, done)
  fsyncSync(file)
  return file
}

function syncDirectory(path: string): void {
  const directory = openSync(dirname(path), 'r')
  fsyncSync(directory)
  closeSync(directory)
}

/** Each once, in its newest place. */
function uniqueOf(taken: readonly Taken[]): Taken[] {
  const byKey = new Map<string, Taken>()
  for (const one of taken) {
    const key = JSON.stringify(one)
    byKey.delete(key)
    byKey.set(key, one)
  }
  return [...byKey.values()]
}

function newest(taken: readonly Taken[], most: number): Taken[] {
  return taken.slice(Math.max(0, taken.length - most))
}

const none = new Uint8Array(16)

function encode(one: Taken): Bytes {
  const fields =
    one.kind === 'erased'
      ? [Uint8Array.of(4), none, none, idBytes(one.account)]
      : one.kind === 'gone'
        ? [Uint8Array.of(1), idBytes(one.channel), idBytes(one.id), none]
        : [Uint8Array.of(one.manage ? 3 : 2), idBytes(one.channel), idBytes(one.id), idBytes(one.by)]
  const checked = concatBytes(...fields)
  const check = new Uint8Array(4)
  new DataView(check.buffer).setUint32(0, crc32(checked))
  return concatBytes(checked, check)
}

function decode(record: Uint8Array): Taken | undefined {
  const check = new DataView(record.buffer, record.byteOffset + checkedBytes, 4).getUint32(0)
  if (crc32(record.subarray(0, checkedBytes)) !== check) return undefined
  const [kind] = record
  const channel = idFromBytes<'channel'>(record.subarray(1, 17))
  const id = idFromBytes<'entry'>(record.subarray(17, 33))
  const by = idFromBytes<'account'>(record.subarray(33, 49))
  if (kind === 1) return { kind: 'gone', channel, id }
  if (kind === 2 || kind === 3) return { kind: 'reserved', channel, id, by, manage: kind === 3 }
  return kind === 4 ? { kind: 'erased', account: by } : undefined
}
