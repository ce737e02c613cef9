// The grammar of an entry, rule by rule: what the relay refuses, and what a device still takes.
import { expect, test } from 'vitest'
import { concatBytes, utf8 } from '#shared/base/bytes.ts'
import { limits } from '#shared/base/limits.ts'
import type { Json } from '#shared/log/entry.ts'
import {
  encodeEntry,
  entryOfElement,
  parseEntry,
  readElement,
  writeElementPrefix,
  writeEntryText,
} from '#shared/log/entry-codec.ts'

const id = 'AAECAwQFBgcICQoLDA0ODw'
const other = 'EBESExQVFhcYGRobHB0eHw'
const by = 'ICEiIyQlJicoKSorLC0uLw'
const dev = 'MDEyMzQ1Njc4OTo7PD0-Pw'
const sig = `${'b'.repeat(85)}A`
const hash = `${'c'.repeat(42)}A`

type Field = unknown
const post = (...changes: [at: number, value: Field][]): string => {
  const fields: Field[] = [id, by, dev, 1_790_000_000_000, 'post', 0, 0, { t: 'hi' }]
  for (const [at, value] of changes) fields[at] = value
  return JSON.stringify(fields)
}
const about = (op: string, body: Json, ...changes: [number, Field][]) => post([4, op], [5, other], [7, body], ...changes)
const judge = (text: string, signature = sig) => parseEntry(utf8(signature + text))
const codeOf = (text: string, signature = sig) => {
  const parsed = judge(text, signature)
  return parsed.ok ? 'ok' : parsed.code
}
const ofDevice = (text: string) => readElement(`1.0.${sig}${text}`)

test('[LOG-1] an entry is its signature and a text of exactly eight fields', () => {
  expect(judge(post())).toEqual({
    ok: true,
    value: { id, by, dev, at: 1_790_000_000_000, op: 'post', ref: 0, ext: 0, body: { t: 'hi' }, sig, text: post() },
  })
  expect(codeOf(JSON.stringify([id, by, dev, 1, 'post', 0, 0]))).toBe('shape')
  expect(codeOf(JSON.stringify([id, by, dev, 1, 'post', 0, 0, 0, 0]))).toBe('shape')
  for (const text of ['', '{}', '0', 'null', '"x"', '[]', '[[[[[[[[', post().slice(0, -1), `${post()} `])
    expect(codeOf(text)).toBe('shape')
})

test('[LOG-2] the text is the one spelling that JSON.stringify gives', () => {
  for (const text of [
    ` ${post()}`,
    post().replace('"hi"', '"h\\u0069"'),
    post().replace('"hi"', '"\\/"'),
    post().replace('"hi"', '1.0'),
    post().replace('"hi"', '1e3'),
    post().replace('"hi"', '1e999'),
    post().replace('"hi"', '-0'),
    post().replace('"hi"', '9007199254740993'),
    post().replace('{"t":"hi"}', '{"t":1,"t":2}'),
    post().replace('{"t":"hi"}', '{"b":1,"2":2}'),
    post().replace('1790000000000', '1790000000000.0'),
    post().replace(',0,0,', ',-0,0,'),
  ])
    expect(codeOf(text), text).toBe('shape')
  expect(codeOf(post([7, { t: 'hi', later: [1.5, null, true, { __proto__x: 1 }] }]))).toBe('ok')
})

test('[LOG-3] ids and signature are canonical base64url of 16 and 64 bytes', () => {
  for (const at of [0, 1, 2])
    for (const bad of [`${id.slice(0, 21)}x`, id.slice(1), `${id}A`, `${id.slice(0, 21)}=`, 1, null, [id], ` ${id.slice(1)}`])
      expect(codeOf(post([at, bad])), String(bad)).toBe('shape')
  for (const bad of [`${'b'.repeat(85)}b`, `${'b'.repeat(84)}=A`, 'b'.repeat(86), `${'b'.repeat(84)}\u0000A`])
    expect(codeOf(post(), bad)).toBe('shape')
  expect(codeOf(post([3, -1]))).toBe('shape')
  expect(codeOf(post([3, 1.5]))).toBe('shape')
  expect(codeOf(post([3, 2 ** 53]))).toBe('shape')
})

test('[LOG-4] the relay refuses what it cannot judge: another op, another key of ext', () => {
  expect(codeOf(post([4, 'poll']))).toBe('op')
  expect(codeOf(post([4, 'toString']))).toBe('op')
  expect(codeOf(post([4, 7]))).toBe('shape')
  expect(codeOf(post([6, { z: 1 }]))).toBe('ext')
  expect(codeOf(post().replace(',0,0,', ',0,{"__proto__":1},'))).toBe('ext')
  expect(judge(post([4, 'poll']))).toEqual({ ok: false, code: 'op', id })
})

test('[LOG-5] ext says each fact in one way', () => {
  for (const good of [{ m: [by] }, { m: [by, dev] }, { r: [id] }, { e: 1 }, { b: [hash] }, { k: id }, { m: [by], e: 1, k: id }])
    expect(codeOf(post([6, good])), JSON.stringify(good)).toBe('ok')
  for (const bad of [
    {},
    [],
    [1],
    1,
    '',
    null,
    true,
    { m: [] },
    { m: by },
    { m: ['x'] },
    { m: [by, by] },
    { m: 0 },
    { r: [1] },
    { e: 0 },
    { e: true },
    { b: [id] },
    { b: [] },
    { b: [`${hash.slice(1)}B`] },
    { k: 1 },
    { k: 'x' },
    { k: [id] },
  ])
    expect(codeOf(post([6, bad])), JSON.stringify(bad)).toBe('shape')
})

test('[LOG-6] all but a post is about another entry, and none about itself', () => {
  expect(codeOf(post([5, other]))).toBe('ok')
  expect(codeOf(post([5, id]))).toBe('shape')
  for (const bad of [1, null, '', 'x', [other]]) expect(codeOf(post([5, bad]))).toBe('shape')
  for (const op of ['edit', 'redact', 'react', 'unreact', 'pin', 'unpin']) {
    const body = op === 'edit' ? { t: 'x' } : op.endsWith('react') ? '👍' : 0
    expect(codeOf(about(op, body)), op).toBe('ok')
    expect(codeOf(about(op, body, [5, 0])), op).toBe('shape')
    expect(codeOf(about(op, body, [5, id])), op).toBe('shape')
  }
})

test('[LOG-7] only posts and edits carry words', () => {
  for (const op of ['redact', 'pin', 'unpin'])
    for (const body of [null, '', 'words', {}, 1]) expect(codeOf(about(op, body))).toBe('shape')
  for (const op of ['react', 'unreact']) {
    for (const body of [0, '', null, {}, 'x'.repeat(limits.reactionCharactersMax + 1)])
      expect(codeOf(about(op, body))).toBe('shape')
    expect(codeOf(about(op, 'x'.repeat(limits.reactionCharactersMax)))).toBe('ok')
    expect(codeOf(about(op, 'x'.repeat(200), [6, { k: id }]))).toBe('ok')
  }
  for (const body of [0, null, 'sealed', [], { other: 1 }]) expect(codeOf(post([7, body]))).toBe('ok')
})

test('[LOG-8] an entry is at most 16 KB of strict UTF-8', () => {
  const room = limits.entryBytesMax - utf8(sig + post([7, { t: '' }])).length
  expect(codeOf(post([7, { t: 'x'.repeat(room) }]))).toBe('ok')
  expect(codeOf(post([7, { t: 'x'.repeat(room + 1) }]))).toBe('size')
  expect(codeOf(post([7, { t: 'ß'.repeat(room / 2 + 1) }]))).toBe('size')
  const bytes = utf8(sig + post())
  for (const bad of [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x82]])
    expect(parseEntry(concatBytes(bytes.subarray(0, -4), Uint8Array.from(bad), bytes.subarray(-4))).ok).toBe(false)
  expect(parseEntry(concatBytes(Uint8Array.of(0xef, 0xbb, 0xbf), bytes))).toEqual({ ok: false, code: 'shape', id: 0 })
  expect(parseEntry(new Uint8Array())).toEqual({ ok: false, code: 'shape', id: 0 })
})

test('[LOG-9] a string without UTF-8 is no string: lone surrogates are refused, NUL and controls are data', () => {
  for (const text of ['\ud800', 'a\udfff', '\ude00\ud83d']) expect(codeOf(post([7, { t: text }]))).toBe('shape')
  expect(codeOf(post([7, { '\ud800': 1 }]))).toBe('shape')
  for (const text of ['\u0000', '\\ud800', '\\\\ud83d', '\u001b[2J', '\u2028', '😀', '\ufeff', '\uffff'])
    expect(codeOf(post([7, { t: text }])), JSON.stringify(text)).toBe('ok')
  expect(codeOf(post().replace('"hi"', '"\u0001"'))).toBe('shape')
})

test('[LOG-10] brackets nest at most 32 deep, so nobody who reads an entry loses the stack', () => {
  const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`
  const withBody = (body: string) => post().replace('{"t":"hi"}', body)
  expect(codeOf(withBody(nested(limits.entryDepthMax - 1)))).toBe('ok')
  expect(codeOf(withBody(nested(limits.entryDepthMax)))).toBe('shape')
  expect(codeOf(withBody(nested(8_000)))).toBe('shape')
  expect(codeOf(withBody(`${'{"a":'.repeat(2_500)}1${'}'.repeat(2_500)}`))).toBe('shape')
  expect(codeOf('['.repeat(16_000))).toBe('shape')
  expect(codeOf(post([7, { t: '['.repeat(100) }]))).toBe('ok')
  expect(codeOf(post([7, { t: '"\\"['.repeat(100) }]))).toBe('ok')
})

test('[LOG-11] what a device writes can be read, whatever was typed', () => {
  const parsed = parseEntry(utf8(sig + post()))
  if (!parsed.ok) throw new Error('a plain post is read')
  const fields = { ...parsed.value, body: { t: 'half an emoji \ud83d, NUL \u0000, quote "' } }
  const again = parseEntry(encodeEntry(sig, writeEntryText(fields)))
  expect(again).toMatchObject({ ok: true, value: { body: { t: 'half an emoji \ufffd, NUL \u0000, quote "' } } })
})

test('[LOG-12] an element is seq and arrival in base36, then the entry as it was signed', () => {
  const element = writeElementPrefix(46_656, 36 ** 7 + 35) + sig + post()
  expect(element.startsWith('1000.1000000z.')).toBe(true)
  expect(readElement(element)).toMatchObject({
    ok: true,
    value: { seq: 46_656, arrived: 36 ** 7 + 35, id, op: 'post', sig, text: post() },
  })
  expect(entryOfElement(element)).toBe(sig + post())
  for (const prefix of [
    '',
    '0.0.',
    '01.0.',
    '1.00.',
    'A.0.',
    '1.0',
    '.1.',
    '-1.0.',
    'zzzzzzzzzzzz.0.',
    '1.zzzzzzzzzzz.',
    ' 1.0.',
  ])
    expect(readElement(prefix + sig + post()).ok, prefix).toBe(false)
  expect(entryOfElement('nothing')).toBe('')
})

test('[LOG-13] a device keeps what it does not know yet, and refuses what it cannot read', () => {
  expect(ofDevice(post([4, 'poll'], [6, { z: [1] }]))).toMatchObject({ ok: true, value: { op: 'poll', ext: { z: [1] } } })
  expect(ofDevice(post([7, 'a body of tomorrow']))).toMatchObject({ ok: true })
  for (const text of [post([0, 'x']), post([6, { m: 1 }]), post([6, {}]), 'x', '['.repeat(9_000), post([7, 'x'.repeat(20_000)])])
    expect(ofDevice(text)).toEqual({ ok: false, code: 'shape' })
})
