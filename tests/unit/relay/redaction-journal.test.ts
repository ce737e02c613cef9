// The journal of redactions: what is written is there after any crash, a torn end costs only what was torn, and it never grows without bound.
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openRedactionJournal, type Taken, takenBy } from '#relay/store/redaction-journal.ts'
import { idFromBytes } from '#shared/base/ids.ts'
import { createPrng } from '#shared/base/prng.ts'
import type { EntryRecord } from '#shared/log/facts.ts'

let path = ''
let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dupecord-journal-'))
  path = join(folder, 'redactions')
})
afterEach(() => rmSync(folder, { recursive: true }))

const random = createPrng(5)
const channel = idFromBytes<'channel'>(random.bytes(16))
const newEntry = () => idFromBytes<'entry'>(random.bytes(16))
const newAccount = () => idFromBytes<'account'>(random.bytes(16))
const newGone = (): Taken => ({ kind: 'gone', channel, id: newEntry() })

function reopened(): Taken[] {
  const journal = openRedactionJournal(path)
  const taken = journal.read()
  journal.close()
  return taken
}

test('[BAK-10] each kind is read back as it was written, by the next start too', () => {
  const taken: Taken[] = [
    newGone(),
    { kind: 'reserved', channel, id: newEntry(), by: newAccount(), manage: false },
    { kind: 'reserved', channel, id: newEntry(), by: newAccount(), manage: true },
    { kind: 'erased', account: newAccount() },
  ]
  const journal = openRedactionJournal(path)
  expect(journal.read()).toEqual([])
  journal.add(taken.slice(0, 2))
  journal.add([])
  journal.add(taken.slice(2))
  expect(journal.read()).toEqual(taken)
  journal.close()
  expect(reopened()).toEqual(taken)
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

test('[BAK-11] whatever a crash left of the last record, those before it are there and the next one is written whole', () => {
  const taken = [newGone(), newGone(), newGone()]
  const journal = openRedactionJournal(path)
  journal.add(taken)
  journal.close()
  const whole = readFileSync(path)
  for (let cut = 1; cut <= 53; cut++) {
    writeFileSync(path, whole)
    truncateSync(path, whole.length - cut)
    expect(reopened(), `${cut} bytes cut`).toEqual(taken.slice(0, 2))
    const again = openRedactionJournal(path)
    const next = newGone()
    again.add([next])
    again.close()
    expect(reopened(), `${cut} bytes cut, one more`).toEqual([...taken.slice(0, 2), next])
  }
  // A file that grew before its bytes came.
  writeFileSync(path, whole)
  appendFileSync(path, new Uint8Array(53))
  expect(reopened()).toEqual(taken)
})

test('[BAK-12] it is written anew where it is full: each once, the oldest go', () => {
  const journal = openRedactionJournal(path, 100)
  const doubled = newGone()
  for (let i = 0; i < 99; i++) journal.add([doubled])
  const others = Array.from({ length: 60 }, newGone)
  journal.add(others)
  expect(journal.read()).toEqual([doubled, ...others])
  const more = Array.from({ length: 60 }, newGone)
  for (const one of more) journal.add([one])
  const kept = journal.read()
  expect(kept.length).toBeLessThanOrEqual(100)
  expect(kept).toEqual([doubled, ...others, ...more].slice(-kept.length))
  expect(statSync(path).size).toBe(8 + kept.length * 53)
  journal.close()
  expect(reopened()).toEqual(kept)
})

test('[BAK-13] a file of another kind is neither read nor written over', () => {
  writeFileSync(path, 'notes of somebody')
  expect(() => openRedactionJournal(path)).toThrow('no journal')
  expect(readFileSync(path, 'utf8')).toBe('notes of somebody')
})

test('[BAK-14] of a commit it gets what is gone and what is reserved, and nothing of what stands', () => {
  const [id, reserved, ann, ben] = [newEntry(), newEntry(), newAccount(), newAccount()]
  const place = { segment: idFromBytes<'segment'>(random.bytes(16)), clock: 0, seq: 1, by: ann, op: 'post', ref: 0 } as const
  const entries: EntryRecord[] = [
    { kind: 'accepted', id, ...place, gone: true },
    { kind: 'accepted', id: newEntry(), ...place, gone: false },
    { kind: 'reserved', id: reserved, redactors: [ann, ben], manage: false },
  ]
  const state = { id: channel, space: idFromBytes<'space'>(random.bytes(16)), seq: 1, rev: 1, head: 0, last: 1 } as const
  expect(takenBy([{ channel: state, segments: [], rows: [], erase: [], entries }])).toEqual([
    { kind: 'gone', channel, id },
    { kind: 'reserved', channel, id: reserved, by: ann, manage: false },
    { kind: 'reserved', channel, id: reserved, by: ben, manage: false },
  ])
})
