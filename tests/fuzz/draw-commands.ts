// Commands: right ones for the community as it stands, and nearly right ones; signed with a real member's real key unless the signature is what is wrong.
import { type Bytes, concatBytes, toBase64Url, utf8 } from '#shared/base/bytes.ts'
import { idBytes, idFromBytes, makeTimeId } from '#shared/base/ids.ts'
import type { Prng } from '#shared/base/prng.ts'
import type { Signer } from '#shared/crypto/ports.ts'
import { addOrder } from './draw-entries.ts'
import { treeOf, writeTree } from './json-tree.ts'
import { inviteHashOf, type SpaceModel } from './oracle-command.ts'
import { mutateTree, type Pool } from './tree-mutations.ts'

export interface CommandScene {
  author: { account: string; dev: string; device: Signer }
  other: { account: string; dev: string; device: Signer }
  space: string
  model: SpaceModel | undefined
  /** Codes of invites, of any community and any state. */
  codes: string[]
  /** Communities' members to remove, and channels to take again. */
  pool: Pool
  now: number
  /** An earlier command of anybody, to be sent again. */
  earlier: DrawnCommand | undefined
}

export interface DrawnCommand {
  text: string
  sig: string
  secret: string
  how: string[]
}

const names = [
  'general',
  'a',
  'x-y-z',
  'Ünï',
  'UPPER',
  ' lead',
  'two  blanks',
  '',
  'a'.repeat(100),
  'a'.repeat(101),
  '\u202e',
  'voice room',
  '日本',
  '\ud800',
]
const topics = ['', 'What this is about', 'two\nlines', ' x', 't'.repeat(1_024), 't'.repeat(1_025), '\u0000']
const positions = [
  'a0',
  'a1',
  'aZ',
  'a0V',
  'Zz',
  'b00',
  'a',
  '',
  'a00',
  'z',
  `a0${'V'.repeat(62)}`,
  `a0${'V'.repeat(63)}`,
  '00',
  'A00000000000000000000000000',
]

export function drawCommand(scene: CommandScene, random: Prng): DrawnCommand {
  const { author, earlier, now } = scene
  if (earlier && random.chance(0.08)) return { ...earlier, how: ['sent-again'] }
  const how: string[] = []
  const { act, args, was, secret } = drawAct(scene, random)
  const id = makeTimeId<'command'>(now, random.bytes(16))
  const fields = [id, author.account, author.dev, now, act, args, was]
  if (random.chance(0.04)) {
    fields[1] = scene.other.account
    if (random.chance(0.5)) fields[2] = scene.other.dev
    how.push('session')
  }
  let tree = treeOf(fields)
  if (random.chance(0.45)) {
    const mutated = mutateTree(tree, random, scene.pool)
    tree = mutated.tree
    how.push(...mutated.how)
  }
  const text = writeTree(tree)
  return {
    text,
    sig: drawSignature(scene, text, random, how),
    secret: random.chance(0.95) ? secret : random.pick(['', 'x', ...scene.codes]),
    how,
  }
}

function drawAct(
  { space, model, codes, pool }: CommandScene,
  random: Prng,
): { act: string; args: object; was: string | 0; secret: string } {
  const channels = [...(model?.channels ?? [])]
  const [channel, info] = channels.length > 0 && random.chance(0.9) ? random.pick(channels) : [random.pick(pool), undefined]
  const slug = random.chance(0.6) ? `c-${random.below(10_000)}` : random.pick(names)
  const seen = (value: string | undefined) => (random.chance(0.85) ? (value ?? '') : random.pick(names))
  const code = codes.length > 0 && random.chance(0.9) ? random.pick(codes) : 'AAAAAAAAAAAAAAAAAAAAAA'
  const plain = (act: string, args: object, was: string | 0 = 0, secret = '') => ({ act, args, was, secret })
  switch (random.below(12)) {
    case 0:
      return plain('community.create', {
        name: slug,
        channel: random.chance(0.9) ? idFromBytes(random.bytes(16)) : channel,
        channelName: random.chance(0.8) ? 'general' : random.pick(names),
      })
    case 1:
      return plain('community.rename', { name: slug }, seen(model?.name))
    case 2:
      return plain('channel.create', {
        channel: random.chance(0.85) ? idFromBytes(random.bytes(16)) : channel,
        name: slug,
        kind: random.pick(['text', 'text', 'voice']),
        position: random.pick(positions),
      })
    case 3:
      return plain('channel.rename', { channel, name: slug }, seen(info?.name))
    case 4:
      return plain('channel.topic', { channel, topic: random.pick(topics) }, seen(info?.topic))
    case 5:
      return plain('channel.move', { channel, position: random.pick(positions) }, seen(info?.position))
    case 6:
      return channels.length > 3
        ? plain('channel.delete', { channel })
        : plain('channel.rename', { channel, name: slug }, seen(info?.name))
    case 7:
    case 8: {
      const fresh = idFromBytes(random.bytes(16))
      codes.push(fresh)
      if (codes.length > 40) codes.shift()
      return plain('invite.create', {
        hash: inviteHashOf(random.chance(0.95) ? fresh : code),
        until: random.pick([0, 0, 1, 9e15]),
        uses: random.pick([0, 1, 2]),
      })
    }
    case 9:
      return random.chance(0.3) ? plain('invite.revoke', { hash: inviteHashOf(code) }) : plain('member.leave', {})
    case 10:
      return plain('member.join', { hash: inviteHashOf(code) }, 0, code)
    default:
      return plain('member.remove', { account: random.chance(0.3) ? space : random.pick(pool) })
  }
}

function drawSignature({ author, other, space, pool }: CommandScene, text: string, random: Prng, how: string[]): string {
  const message = (label: string, place: string) =>
    concatBytes(utf8(`dupecord/${label}/1`), Uint8Array.of(0), idOf(place), utf8(text))
  const right = author.device.sign(message('command', space))
  if (!random.chance(0.08)) return toBase64Url(right)
  const kind = random.below(6)
  how.push(`signature-${kind}`)
  switch (kind) {
    case 0:
      return toBase64Url(other.device.sign(message('command', space)))
    case 1:
      return toBase64Url(author.device.sign(message('command', random.pick(pool))))
    case 2:
      return toBase64Url(author.device.sign(message('entry', space)))
    case 3:
      return toBase64Url(addOrder(right))
    case 4:
      return toBase64Url(right).slice(0, random.below(86))
    default:
      return `${toBase64Url(right).slice(0, 85)}${random.pick([...'ABCDQgw_'])}`
  }
}

function idOf(id: string): Bytes {
  // reason: whatever kind of id it is, its sixteen bytes are what is signed
  return idBytes(id as Parameters<typeof idBytes>[0])
}
