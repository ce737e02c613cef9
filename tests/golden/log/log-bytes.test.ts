// Bytes that were shipped: entries signed once by node:crypto, updates written once by Yjs 13. Never edited; devices of any age must read them.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { concatBytes, parseBase64Url, utf8 } from '#shared/base/bytes.ts'
import { parseChannelId, parseSpaceId } from '#shared/base/ids.ts'
import { entrySignedBytes } from '#shared/crypto/signed-bytes.ts'
import { loadSodium } from '#shared/crypto/sodium.ts'
import { createReplica } from '#shared/log/document.ts'
import {
  encodeEntry,
  entryOfElement,
  parseEntry,
  readElement,
  writeElementPrefix,
  writeEntryText,
} from '#shared/log/entry-codec.ts'
import type { Ranges } from '#shared/log/facts.ts'
import { joinRanges, rangesOf } from '#shared/log/ranges.ts'
import { eraseFromTape, tapeOfElement } from '#shared/log/tape.ts'
import { encodeAppend, encodeStateVector, encodeUpdate, serveSegment } from '#shared/log/update-bytes.ts'

interface GoldenEntries {
  space: string
  channel: string
  publicKey: string
  entries: { text: string; signedBytes: string; sig: string; seq: number; at: number; element: string }[]
}

interface GoldenUpdates {
  client: number
  steps: { push: string[]; delete: number[]; update: string; state: string }[]
  since: { n: number; update: string }[]
  stateVector: string
  nothing: string
}

const read = (name: string) => JSON.parse(readFileSync(new URL(name, import.meta.url), 'utf8'))
const golden: GoldenEntries = read('./entries.json')
const updates: GoldenUpdates = read('./updates.json')
const tapes: { texts: string[]; erase: number[]; tape: string }[] = read('./tapes.json')
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const tapeOf = (texts: readonly string[]) => concatBytes(...texts.map((text) => tapeOfElement(utf8(text))))

test('[GOLD-L1] an entry has the text, the signed bytes and the element that it always had', async () => {
  const sodium = await loadSodium()
  const [space, channel] = [parseSpaceId(golden.space), parseChannelId(golden.channel)]
  if (!space || !channel) throw new Error('the golden file has ids')
  for (const { text, signedBytes, sig, seq, at, element } of golden.entries) {
    const parsed = parseEntry(encodeEntry(sig, text))
    if (!parsed.ok) throw new Error(`${parsed.code}: ${text}`)
    expect(writeEntryText(parsed.value)).toBe(text)
    const signed = entrySignedBytes(space, channel, utf8(text))
    expect(hex(signed)).toBe(signedBytes)
    expect(sodium.verify(parseBase64Url(sig) ?? new Uint8Array(), signed, Buffer.from(golden.publicKey, 'hex'))).toBe(true)
    expect(writeElementPrefix(seq, at) + sig + text).toBe(element)
    const { id, by, dev, op, ref, ext, body, at: written } = parsed.value
    const value = { id, by, dev, at: written, op, ref, ext, body, seq, arrived: at, sig, text }
    expect(readElement(element)).toEqual({ ok: true, value })
    expect(entryOfElement(element)).toBe(sig + text)
  }
})

test('[GOLD-L2] a tape has the bytes that it always had', () => {
  for (const { texts, erase, tape } of tapes) expect(hex(eraseFromTape(tapeOf(texts), 0, new Set(erase)))).toBe(tape)
})

test('[GOLD-L3] updates, states, answers and vectors have the bytes that Yjs 13 gave them', () => {
  const replica = createReplica(updates.client)
  let tape = new Uint8Array()
  let next = 0
  let deleted: Ranges = []
  for (const step of updates.steps) {
    const gone = new Set(step.delete)
    const fresh = eraseFromTape(tapeOf(step.push), next, gone)
    const update = encodeAppend(updates.client, next, fresh, rangesOf(gone))
    expect(hex(update)).toBe(step.update)
    tape = concatBytes(eraseFromTape(tape, 0, gone), fresh)
    next += step.push.length
    deleted = joinRanges(deleted, rangesOf(gone))
    expect(hex(serveSegment({ client: updates.client, next, deleted }, { clock: 0, tape }, 0))).toBe(step.state)
    expect(replica.apply(update)).toMatchObject({ ok: true })
    expect(hex(replica.state())).toBe(step.state)
  }
  for (const { n, update } of updates.since)
    expect(hex(serveSegment({ client: updates.client, next, deleted }, { clock: 0, tape }, n)), `since ${n}`).toBe(update)
  expect(hex(encodeStateVector(updates.client, next))).toBe(updates.stateVector)
  expect(hex(encodeUpdate(updates.client, [], []))).toBe(updates.nothing)
})
