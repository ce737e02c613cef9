import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { toBase64Url } from '#shared/base/bytes.ts'
import { type CommandId, idFromBytes } from '#shared/base/ids.ts'
import { limits } from '#shared/base/limits.ts'
import type { ActName, Command, CommandAct } from '#shared/community/command.ts'
import { parseCommand, writeCommandText } from '#shared/community/command-codec.ts'

const anyId = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => idFromBytes<never>(bytes))
const hash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(toBase64Url)
const count = fc.nat({ max: Number.MAX_SAFE_INTEGER })
const position = fc.constantFrom('a0', 'a1', 'Zz', 'a0V')
const text = fc.string({ unit: 'binary', maxLength: 60 })
const kind = fc.constantFrom('text' as const, 'voice' as const)
const none = fc.constant(0 as const)

const acts: { [Name in ActName]: fc.Arbitrary<Extract<CommandAct, { act: Name }>> } = {
  'community.create': act('community.create', { name: text, channel: anyId, channelName: text }, none),
  'community.rename': act('community.rename', { name: text }, text),
  'channel.create': act('channel.create', { channel: anyId, name: text, kind, position }, none),
  'channel.rename': act('channel.rename', { channel: anyId, name: text }, text),
  'channel.topic': act('channel.topic', { channel: anyId, topic: text }, text),
  'channel.move': act('channel.move', { channel: anyId, position }, text),
  'channel.delete': act('channel.delete', { channel: anyId }, none),
  'invite.create': act('invite.create', { hash, until: count, uses: count }, none),
  'invite.revoke': act('invite.revoke', { hash }, none),
  'member.join': act('member.join', { hash }, none),
  'member.leave': act('member.leave', {}, none),
  'member.remove': act('member.remove', { account: anyId }, none),
}

function act<Name extends ActName>(
  name: Name,
  args: { [key: string]: fc.Arbitrary<unknown> },
  was: fc.Arbitrary<string | 0>,
): fc.Arbitrary<Extract<CommandAct, { act: Name }>> {
  // reason: the records above are written after the shapes in command.ts; fast-check cannot follow a union's member
  return fc.record({ act: fc.constant(name), args: fc.record(args), was }) as unknown as fc.Arbitrary<
    Extract<CommandAct, { act: Name }>
  >
}

const command: fc.Arbitrary<Command> = fc
  .tuple(fc.oneof(...Object.values(acts)), anyId, anyId, anyId, count)
  .map(([made, id, by, dev, at]) => ({ ...made, id, by, dev, at }))

const sig = toBase64Url(new Uint8Array(64).fill(7))

describe('command text', () => {
  test('[CMD-1] every command is read back as it was written, character for character', () => {
    fc.assert(
      fc.property(command, (written) => {
        const read = parseCommand(writeCommandText(written), sig)
        expect(read).toMatchObject({ ok: true, value: { command: written } })
      }),
      { numRuns: 2_000, seed: 1 },
    )
  })

  test('[CMD-2] one command has one text: every other way to write it is refused', () => {
    fc.assert(
      fc.property(command, fc.nat(), (written, where) => {
        const canonical = writeCommandText(written)
        const fields: unknown[] = JSON.parse(canonical)
        const others = [
          ` ${canonical}`,
          `${canonical}\n`,
          canonical.replace('[', '[ '),
          canonical.replace(`,${written.at},`, `,${written.at}.0,`),
          canonical.replace(/"([a-z]+)\.([a-z]+)"/, '"$1\\u002e$2"'),
          JSON.stringify([...fields, 0]),
          JSON.stringify(fields.slice(0, 6)),
          JSON.stringify([...fields.slice(0, 5), { ...written.args, extra: 1 }, fields[6]]),
          JSON.stringify([...fields.slice(0, 5), Object.fromEntries(Object.entries(written.args).reverse()), fields[6]]),
          JSON.stringify([...fields.slice(0, 6), written.was === 0 ? '' : 0]),
          JSON.stringify({ ...fields }),
          canonical.slice(0, where % canonical.length),
        ]
        for (const other of others) {
          if (other === canonical) continue
          expect([other, parseCommand(other, sig).ok]).toEqual([other, false])
        }
      }),
      { numRuns: 300, seed: 2 },
    )
  })

  test('[CMD-2] well shaped garbage is refused: each field by its own rule', () => {
    const junk = fc.oneof(
      fc.jsonValue(),
      fc.constantFrom(-0, -1, 1.5, 2 ** 53, '', 'AAAAAAAAAAAAAAAAAAAAAB', '__proto__', null, true, [], {}),
    )
    fc.assert(
      fc.property(command, junk, fc.nat({ max: 6 }), fc.nat(), (written, value, field, argument) => {
        const fields: unknown[] = JSON.parse(writeCommandText(written))
        const names = Object.keys(written.args)
        const name = names[argument % Math.max(1, names.length)]
        const spoiled = field === 5 && name ? fields.with(5, { ...written.args, [name]: value }) : fields.with(field, value)
        const text = JSON.stringify(spoiled)
        const read = parseCommand(text, sig)
        // What is read all the same must be a command in full: it writes itself back.
        if (read.ok) expect(writeCommandText(read.value.command)).toBe(text)
        else expect(['shape', 'act']).toContain(read.code)
      }),
      { numRuns: 3_000, seed: 3 },
    )
  })

  test('[CMD-2] the reader never throws, whatever it is given', () => {
    const nested = fc.nat({ max: 8_000 }).map((depth) => '['.repeat(depth) + ']'.repeat(depth))
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.json(), nested), fc.string(), (raw, signature) => {
        const read = parseCommand(raw, signature)
        expect(read.ok).toBe(false)
      }),
      { numRuns: 3_000, seed: 4 },
    )
  })

  test('[CMD-2] a signature is 64 bytes in one spelling', () => {
    const [written] = fc.sample(command, { numRuns: 1, seed: 5 })
    if (!written) throw new Error('a sample')
    const canonical = writeCommandText(written)
    expect(parseCommand(canonical, sig).ok).toBe(true)
    for (const wrong of ['', sig.slice(1), `${sig}A`, `${sig.slice(0, -1)}B`, `${sig}==`, sig.replace('B', '+')])
      expect(parseCommand(canonical, wrong)).toMatchObject({ ok: false, code: 'shape', id: written.id })
  })

  test('[CMD-2] too long is refused unread, an unknown act by its own code', () => {
    const [written] = fc.sample(acts['channel.topic'], { numRuns: 1, seed: 6 })
    if (!written) throw new Error('a sample')
    const ids = {
      id: idFromBytes<'command'>(new Uint8Array(16)),
      by: idFromBytes<'account'>(new Uint8Array(16)),
      dev: idFromBytes<'device'>(new Uint8Array(16)),
      at: 1,
    }
    const withTopic = (topic: string) => writeCommandText({ ...written, args: { ...written.args, topic }, ...ids })
    const room = limits.commandBytesMax - withTopic('').length
    expect(parseCommand(withTopic('x'.repeat(room)), sig).ok).toBe(true)
    expect(parseCommand(withTopic('x'.repeat(room + 1)), sig)).toEqual({ ok: false, code: 'size', id: 0 })
    expect(parseCommand(withTopic('ß'.repeat(room / 2 + 1)), sig)).toEqual({ ok: false, code: 'size', id: 0 })
    const later = JSON.stringify([ids.id, ids.by, ids.dev, 1, 'role.create', { some: ['thing'] }, 0])
    const id: CommandId = ids.id
    expect(parseCommand(later, sig)).toEqual({ ok: false, code: 'act', id })
    expect(parseCommand(later.replace('role.create', 'toString'), sig)).toEqual({ ok: false, code: 'act', id })
  })
})
