import { describe, expect, test } from 'vitest'
import { toBase64Url } from '#shared/base/bytes.ts'
import type { SpaceId } from '#shared/base/ids.ts'
import { canonicalJson } from '#shared/community/canonical-json.ts'
import { checkRecord, extendChain } from '#shared/community/chain.ts'
import type { CommandAct } from '#shared/community/command.ts'
import { parseCommand } from '#shared/community/command-codec.ts'
import { execute } from '#shared/community/execute.ts'
import type { CommunityHead } from '#shared/community/state.ts'
import type { CommandRecord } from '#shared/protocol/records.ts'
import { createPeople, type Person, signed, sodium } from './people.ts'

const people = createPeople(1)
const ada = people.person('ada')
const ben = people.person('ben')
const ports = { hasher: sodium, verifier: sodium }
const keys = new Map([ada, ben].map((person) => [person.dev, { account: person.account, key: person.key }]))
const check = (space: SpaceId, head: CommunityHead | undefined, record: CommandRecord) =>
  checkRecord(ports, space, head, record, (dev) => keys.get(dev))

/** What an honest relay makes of these. */
function chainOf(space: SpaceId, acts: [Person, CommandAct][]): { records: CommandRecord[]; heads: CommunityHead[] } {
  const records: CommandRecord[] = []
  const heads: CommunityHead[] = []
  for (const [person, act] of acts) {
    const { text, sig } = people.frame(person, space, act)
    const parsed = parseCommand(text, sig)
    if (!parsed.ok) throw new Error(parsed.code)
    const executed = execute(heads.at(-1)?.state, parsed.value.command)
    if (!executed.ok) throw new Error(executed.code)
    const extended = extendChain(sodium, space, heads.at(-1), parsed.value, executed.value, 5_000 + records.length)
    records.push(extended.record)
    heads.push(extended.head)
  }
  return { records, heads }
}

const channel = people.channel()
const found: CommandAct = { act: 'community.create', args: { name: 'Sample Server', channel, channelName: 'general' }, was: 0 }
const topic: CommandAct = { act: 'channel.topic', args: { channel, topic: 'Hi' }, was: '' }
const joins: CommandAct = { act: 'member.join', args: { hash: toBase64Url(new Uint8Array(32)) }, was: 0 }

describe('the chain', () => {
  const space = people.space()
  const { records, heads } = chainOf(space, [
    [ada, found],
    [ben, joins],
    [ada, topic],
  ])
  const [first, second, third] = records
  const [, headTwo, headThree] = heads
  if (!first || !second || !third || !headTwo || !headThree) throw new Error('three records')

  test('[CHAIN-1] a device comes to the head that the relay has, record by record', () => {
    let head: CommunityHead | undefined
    for (const [i, record] of records.entries()) {
      const checked = check(space, head, record)
      if (!checked.ok) throw new Error(checked.code)
      head = checked.value
      expect(head).toEqual(heads[i])
    }
  })

  test('[CHAIN-2] a record left out, doubled or out of its place is noticed', () => {
    expect(check(space, undefined, second)).toEqual({ ok: false, code: 'order' })
    expect(check(space, heads[0], third)).toEqual({ ok: false, code: 'order' })
    expect(check(space, headTwo, second)).toEqual({ ok: false, code: 'order' })
    // With its number forged it lands upon another state, or upon none.
    expect(check(space, undefined, { ...third, n: 1 })).toEqual({ ok: false, code: 'effect' })
    expect(check(space, headThree, { ...third, n: 4 })).toEqual({ ok: false, code: 'effect' })
  })

  test('[CHAIN-3] a word changed, a foreign signature, another community: noticed', () => {
    const forged = third.text.replace('"Hi"', '"Ho"')
    expect(check(space, headTwo, { ...third, text: forged })).toEqual({ ok: false, code: 'signature' })
    expect(check(space, headTwo, { ...third, sig: second.sig })).toEqual({ ok: false, code: 'signature' })
    expect(check(people.space(), headTwo, third)).toEqual({ ok: false, code: 'signature' })
    const asBen = third.text.replace(ada.account, ben.account)
    expect(check(space, headTwo, { ...third, ...signed(ada, space, asBen) })).toEqual({ ok: false, code: 'signature' })
    expect(check(space, headTwo, { ...third, text: 'x' })).toEqual({ ok: false, code: 'shape' })
  })

  test('[CHAIN-4] an effect that does not follow, or a state that is not the one reached: noticed', () => {
    const lying = { ...third, state: first.state }
    expect(check(space, headTwo, lying)).toEqual({ ok: false, code: 'state' })
    expect(check(space, headTwo, { ...third, state: 'x' })).toEqual({ ok: false, code: 'state' })
    const stale = people.frame(ada, space, { act: 'channel.topic', args: { channel, topic: 'New' }, was: 'never stood' })
    expect(check(space, headTwo, { ...third, text: stale.text, sig: stale.sig })).toEqual({ ok: false, code: 'effect' })
  })

  test('[CHAIN-5] two histories never have one head: text, signature, time, place and community all count', () => {
    const headOf = (more: Partial<CommandRecord>, at: SpaceId = space) => {
      const record = { ...third, ...more }
      const parsed = parseCommand(record.text, record.sig)
      if (!parsed.ok) throw new Error(parsed.code)
      return toBase64Url(
        extendChain(sodium, at, { ...headTwo, n: record.n - 1 }, parsed.value, headThree.state, record.at).head.hash,
      )
    }
    const other = people.frame(ada, space, topic)
    const all = [
      headOf({}),
      headOf({ at: third.at + 1 }),
      headOf({ n: 4 }),
      headOf({ sig: second.sig }),
      headOf({ text: other.text, sig: third.sig }),
      headOf({}, people.space()),
    ]
    expect(new Set(all).size).toBe(all.length)
    expect(all[0]).toBe(toBase64Url(headThree.hash))
  })

  test('[CHAIN-6] an unknown key is asked for, an unknown act is of a newer version: neither accuses the relay', () => {
    expect(checkRecord(ports, space, headTwo, third, () => undefined)).toEqual({ ok: false, code: 'key' })
    const newer = signed(ada, space, third.text.replace('channel.topic', 'role.create'))
    expect(check(space, headTwo, { ...third, ...newer })).toEqual({ ok: false, code: 'newer' })
  })
})

describe('canonical JSON', () => {
  test('[CHAIN-7] keys by UTF-16 unit, no blanks, whole numbers only', () => {
    expect(canonicalJson({ b: 1, a: ['x', 2], '\u{10000}': '\n', '\uffff': {}, B: '' })).toBe(
      '{"B":"","a":["x",2],"b":1,"\u{10000}":"\\n","\uffff":{}}',
    )
    for (const wrong of [1.5, -0, 2 ** 53, Number.NaN, null, undefined, true, { a: undefined }])
      expect(() => canonicalJson(wrong)).toThrow()
  })
})
