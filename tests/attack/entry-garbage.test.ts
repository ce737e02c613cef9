// Validly signed garbage: a member's own device key signs what no device would write. The signature is true each time; the answer is by what
// was signed, and what is let in as words is words and nothing else.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { concatBytes, utf8 } from '#shared/base/bytes.ts'
import type { RefusalCode } from '#shared/protocol/refusals.ts'
import { entryText, signEntry } from '../fakes/raw-person.ts'
import { provesHarmless } from './harmless.ts'
import { startWorld, type World } from './world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world?.remove())

/** The raw JSON of single fields, or the whole text, or its bytes. */
type Parts = Partial<Record<'id' | 'by' | 'dev' | 'at' | 'op' | 'ref' | 'ext' | 'body', string>>
type Garbage = string | Uint8Array | Parts

interface Attack {
  name: string
  /** @param me a good text of eve's, for what must hold something of her own */
  make(me: string): Garbage
  /** `accepted`: it is data, whatever it looks like. */
  code: Extract<RefusalCode, 'shape' | 'op' | 'ext' | 'size'> | 'accepted'
}

const names = ['id', 'by', 'dev', 'at', 'op', 'ref', 'ext', 'body'] as const
const hash = `${'A'.repeat(43)}`
const id = `"${'A'.repeat(22)}"`
const otherId = `"${'B'.repeat(21)}A"`

function attack(
  rule: number,
  code: Attack['code'],
  attacks: Record<string, Garbage | ((me: string) => Garbage)>,
): [number, Attack][] {
  return Object.entries(attacks).map(([name, given]) => [
    rule,
    { name, code, make: typeof given === 'function' ? given : () => given },
  ])
}

/** Raw JSON in the place of single fields. */
function withParts(me: string, parts: Parts): string {
  const fields: unknown[] = JSON.parse(me)
  return `[${names.map((name, i) => parts[name] ?? JSON.stringify(fields[i])).join(',')}]`
}

const bodyOf =
  (...bytes: number[]) =>
  (me: string) => {
    const [before = '', behind = ''] = withParts(me, { body: '{"t":"?"}' }).split('?')
    return concatBytes(utf8(before), Uint8Array.from(bytes), utf8(behind))
  }
const longBody = (length: number) => (me: string) => {
  const text = withParts(me, { body: '{"t":""}' })
  return withParts(me, { body: `{"t":"${'x'.repeat(length - 86 - text.length)}"}` })
}
const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`

const attacks = [
  ...attack(20, 'shape', {
    'duplicate keys in the body': { body: '{"t":"a","t":"b"}' },
    'duplicate keys in ext': { ext: `{"m":[${id}],"m":[${id}]}` },
    'a key written with an escape': { body: '{"\\u0074":"a"}' },
    'keys in an order that no engine writes': { body: '{"b":1,"1":2}' },
    'blanks between the fields': (me) => me.replace(',', ', '),
    'a line end behind the text': (me) => `${me}\n`,
    'a NUL behind the text': (me) => `${me}\0`,
    'a byte order mark before the text': (me) => `\ufeff${me}`,
    'an escaped letter': { body: '{"t":"\\u0041"}' },
    'an escaped slash': { body: '{"t":"\\/"}' },
    'two texts': (me) => me + me,
    'no text': '',
    'not JSON': '[',
  }),
  ...attack(21, 'shape', {
    'a float as time': { at: '1.5' },
    'a float that is whole as time': { at: '1.0' },
    'an exponent as time': { at: '1e3' },
    'negative zero as time': { at: '-0' },
    'a negative time': { at: '-1' },
    '2^53 as time': { at: '9007199254740992' },
    '2^64 as time': { at: '18446744073709551616' },
    'a text as time': { at: '"1"' },
    'null as time': { at: 'null' },
    'NaN as time': { at: 'NaN' },
    'negative zero as body': { body: '-0' },
    'a float of another spelling as body': { body: '{"t":1.50}' },
    'more digits than a double holds': { body: '{"t":9007199254740993}' },
    'a number beyond all doubles': { body: '{"t":1e400}' },
  }),
  ...attack(22, 'shape', {
    'nesting of 33': { body: nested(32) },
    'nesting of 8,000': { body: nested(8_000) },
    'nesting of 15,000 that never closes': { body: '['.repeat(15_000) },
    'nesting in ext': { ext: nested(100) },
  }),
  ...attack(22, 'size', { 'nesting to 20,000': { body: nested(20_000) } }),
  ...attack(22, 'accepted', { 'nesting of 32': { body: nested(31) } }),
  ...attack(23, 'ext', {
    'ext with __proto__': { ext: '{"__proto__":{"m":[]}}' },
    'ext with constructor': { ext: '{"constructor":{"prototype":1}}' },
    'an ext key that is not known': { ext: '{"z":1}' },
    'a blob that was never uploaded': { ext: `{"b":["${hash}"]}` },
    'a mention of everyone': { ext: '{"e":1}' },
    'a mention of a role': { ext: `{"r":[${id}]}` },
    'a key id': { ext: `{"k":${id}}` },
  }),
  ...attack(23, 'shape', {
    'ext that says nothing': { ext: '{}' },
    'ext as a list': { ext: '[]' },
    'ext as a number': { ext: '1' },
    'ext as null': { ext: 'null' },
    'nobody mentioned': { ext: '{"m":[]}' },
    'one person mentioned twice': { ext: `{"m":[${id},${id}]}` },
    'a mention that is no id': { ext: '{"m":["everyone"]}' },
    'everyone as true': { ext: '{"e":true}' },
    'everyone as 0': { ext: '{"e":0}' },
    'a blob that is no hash': { ext: '{"b":["x"]}' },
  }),
  ...attack(23, 'accepted', {
    'a body with __proto__': { body: '{"__proto__":{"t":"polluted"}}' },
    'a body with constructor': { body: '{"constructor":{"prototype":{"t":"polluted"}}}' },
    'a body of null': { body: 'null' },
    'a body of a list': { body: '[1,"two",{"three":3}]' },
    'a body of 2^53': { body: '9007199254740992' },
    'two people mentioned': { ext: `{"m":[${id},${otherId}]}` },
  }),
  ...attack(24, 'shape', {
    '9 elements': (me) => me.replace(/\]$/, ',0]'),
    '7 elements': (me) => me.replace(/,[^,]*\]$/, ']'),
    'no elements': '[]',
    'an object': '{"0":1,"length":8}',
    'a text': '"hello"',
    null: 'null',
  }),
  ...attack(25, 'shape', {
    'a lone surrogate, escaped': { body: '{"t":"\\ud800"}' },
    'a lone low surrogate, escaped': { body: '{"t":"\\udc00"}' },
    'a pair, escaped': { body: '{"t":"\\ud83d\\ude00"}' },
    'a lone surrogate in a key': { body: '{"\\ud800":1}' },
    'a surrogate as three bytes': bodyOf(0xed, 0xa0, 0x80),
    'a NUL in two bytes': bodyOf(0xc0, 0x80),
    'a letter in three bytes': bodyOf(0xe0, 0x81, 0x81),
    'a character beyond Unicode': bodyOf(0xf4, 0x90, 0x80, 0x80),
    'a byte that no UTF-8 has': bodyOf(0xff),
    'a character cut off': bodyOf(0xf0, 0x9f, 0x98),
    'a NUL as it is': bodyOf(0),
    'a line end as it is': bodyOf(10),
  }),
  ...attack(25, 'accepted', {
    'an escaped NUL is data': { body: '{"t":"\\u0000"}' },
    'bidi controls are data': { body: '{"t":"\u202e\u2066\u2069\u200f"}' },
    'characters that are none are data': { body: '{"t":"\ufffe\uffff\ufeff"}' },
    'a thousand combining marks are data': { body: `{"t":"e${'\u0301'.repeat(1_000)}"}` },
    'markup is data': { body: '{"t":"<script>alert(1)</script>"}' },
  }),
  ...attack(26, 'shape', {
    'an id that is not canonical': { id: `"${'A'.repeat(21)}B"` },
    'an id of 23 characters': { id: `"${'A'.repeat(23)}"` },
    'an empty id': { id: '""' },
    'a number as id': { id: '0' },
    'a list as id': { id: '[]' },
    'an author that is no id': { by: '"eve"' },
    'a device that is no id': { dev: 'null' },
    'a number as op': { op: '0' },
    'null as op': { op: 'null' },
    'a number as ref': { ref: '1' },
    'an empty ref': { ref: '""' },
    'null as ref': { ref: 'null' },
    'no body': { body: '' },
    'an edit of nothing': { op: '"edit"' },
    'a redact with words': { op: '"redact"', ref: id },
    'a pin with words': { op: '"pin"', ref: id },
    'a reaction of no character': { op: '"react"', ref: id, body: '""' },
    'a reaction that is no text': { op: '"react"', ref: id, body: '{}' },
    'a reaction of 65 characters': { op: '"react"', ref: id, body: `"${'x'.repeat(65)}"` },
    'a redact of itself': (me) => withParts(me, { op: '"redact"', ref: JSON.stringify(JSON.parse(me)[0]), body: '0' }),
    'a post that answers itself': (me) => withParts(me, { ref: JSON.stringify(JSON.parse(me)[0]) }),
  }),
  ...attack(26, 'op', {
    'an op that is not known': { op: '"explode"' },
    'an op in capitals': { op: '"POST"' },
    '__proto__ as op': { op: '"__proto__"' },
    'toString as op': { op: '"toString"' },
  }),
  ...attack(27, 'size', {
    '16,385 bytes, canonical': longBody(16_385),
    '60,000 bytes, canonical': longBody(60_000),
  }),
  ...attack(27, 'accepted', { '16,384 bytes, canonical': longBody(16_384) }),
]

test.each(attacks.map(([rule, attack]) => [rule, attack.name, attack] as const))(
  '[ATT-%i] %s',
  async (_rule, _name, { make, code }) => {
    const { eve, place } = world
    const me = entryText(eve)
    const made = make(me)
    const text = typeof made === 'string' || made instanceof Uint8Array ? made : withParts(me, made)
    const entry = signEntry(eve.device, place, text)
    const link = await world.link(eve)
    const verdict = await link.verdict(place.channel, entry)
    if (code === 'accepted') {
      expect(verdict).toMatchObject({ kind: 'accepted', id: JSON.parse(me)[0] })
      if (verdict.kind === 'accepted') world.stands(verdict.seq, entry)
    } else expect(verdict).toMatchObject({ kind: 'refused', code, severe: code === 'shape' })
    await link.end()
    await provesHarmless(world)
  },
)

test('[ATT-28] a signature that is no signature', async () => {
  const { eve, place } = world
  const text = entryText(eve)
  const sig = new TextDecoder().decode(signEntry(eve.device, place, text).subarray(0, 86))
  const wrong: [string, RefusalCode][] = [
    ['', 'shape'],
    [sig.slice(1), 'shape'],
    [`${sig}A`, 'shape'],
    [`${sig.slice(0, 85)}=`, 'shape'],
    [`${sig.slice(0, 85)}B`, 'shape'],
    [sig.replace(/^./, '+'), 'shape'],
    [sig.replace(/^./, '\0'), 'shape'],
    ['A'.repeat(86), 'signature'],
    [`${'_'.repeat(85)}w`, 'signature'],
    [(sig.startsWith('A') ? 'B' : 'A') + sig.slice(1), 'signature'],
  ]
  for (const [bad, code] of wrong) {
    const link = await world.link(eve)
    const verdict = await link.verdict(place.channel, utf8(bad + text))
    expect(verdict, bad).toMatchObject({ kind: 'refused', code, severe: true })
    await link.end()
  }
  await provesHarmless(world)
})

test('[ATT-28] a signature made to fit twice: S and S + L', async () => {
  const { eve, place } = world
  const text = entryText(eve)
  const entry = signEntry(eve.device, place, text)
  const bytes = Buffer.from(new TextDecoder().decode(entry.subarray(0, 86)), 'base64url')
  const order = 2n ** 252n + 27742317777372353535851937790883648493n
  const scalar = BigInt(`0x${Buffer.from(bytes.subarray(32)).reverse().toString('hex')}`) + order
  const other = Buffer.from(scalar.toString(16).padStart(64, '0'), 'hex').reverse()
  const twin = utf8(Buffer.concat([bytes.subarray(0, 32), other]).toString('base64url') + text)
  const link = await world.link(eve)
  expect(await link.verdict(place.channel, twin)).toMatchObject({ kind: 'refused', code: 'signature' })
  const verdict = await link.verdict(place.channel, entry)
  expect(verdict.kind).toBe('accepted')
  if (verdict.kind === 'accepted') world.stands(verdict.seq, entry)
  await link.end()
  await provesHarmless(world)
})

test('[ATT-28] the third entry that no device sends closes its link', async () => {
  const { eve, place } = world
  const link = await world.link(eve)
  const garbage = signEntry(eve.device, place, '[]')
  await link.append(place.channel, [garbage])
  await link.append(place.channel, [garbage, garbage])
  expect((await link.closed).code).toBe(4403)
  await provesHarmless(world)
})

test('[ATT-28] garbage between good entries of one frame', async () => {
  const { eve, place } = world
  const good = () => signEntry(eve.device, place, entryText(eve))
  const entries = [good(), signEntry(eve.device, place, '['.repeat(15_000)), good(), new Uint8Array(), good()]
  const link = await world.link(eve)
  const { verdicts } = await link.append(place.channel, entries)
  expect(verdicts.map(({ kind }) => kind)).toEqual(['accepted', 'refused', 'accepted', 'refused', 'accepted'])
  verdicts.forEach((verdict, i) => {
    if (verdict.kind === 'accepted') world.stands(verdict.seq, entries[i] ?? new Uint8Array())
  })
  await link.end()
  await provesHarmless(world)
})
