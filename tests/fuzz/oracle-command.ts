// What SPEC §8 says of a command, written a second time: its text, who may, and what it does. Names are judged where that is plain;
// where tidying would have to be written again, the oracle says `unsure` and takes the relay's word, which the chain check looks at once more.
import { createHash } from 'node:crypto'
import { isBase64Url } from './oracle-entry.ts'
import { type Plain, readCanonical } from './oracle-json.ts'

export interface JudgedCommand {
  id: string
  by: string
  dev: string
  act: string
  args: Map<string, Plain>
  was: string | 0
}

/** `id` '': the link is closed, since the refusal could not name its command. */
export type CommandJudgement = { code: 'size' | 'shape' | 'act'; id: string } | { code: 'ok'; command: JudgedCommand }

type Rule = (value: Plain | undefined) => boolean
const isString: Rule = (value) => typeof value === 'string'
const isId: Rule = (value) => isBase64Url(value, 16)
const isHash: Rule = (value) => isBase64Url(value, 32)
const isCount: Rule = (value) => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
const isKind: Rule = (value) => value === 'text' || value === 'voice'
/** A position that is wrong for sure; the rest is the library's to say. */
const mayBePosition: Rule = (value) => typeof value === 'string' && value.length <= 64 && /^[A-Za-z][0-9A-Za-z]*$/.test(value)
const surePosition = /^a[0-9A-Za-z]$/

const acts: { readonly [act: string]: { args: readonly (readonly [name: string, rule: Rule])[]; was: boolean } } = {
  'community.create': {
    args: [
      ['name', isString],
      ['channel', isId],
      ['channelName', isString],
    ],
    was: false,
  },
  'community.rename': { args: [['name', isString]], was: true },
  'channel.create': {
    args: [
      ['channel', isId],
      ['name', isString],
      ['kind', isKind],
      ['position', mayBePosition],
    ],
    was: false,
  },
  'channel.rename': {
    args: [
      ['channel', isId],
      ['name', isString],
    ],
    was: true,
  },
  'channel.topic': {
    args: [
      ['channel', isId],
      ['topic', isString],
    ],
    was: true,
  },
  'channel.move': {
    args: [
      ['channel', isId],
      ['position', mayBePosition],
    ],
    was: true,
  },
  'channel.delete': { args: [['channel', isId]], was: false },
  'invite.create': {
    args: [
      ['hash', isHash],
      ['until', isCount],
      ['uses', isCount],
    ],
    was: false,
  },
  'invite.revoke': { args: [['hash', isHash]], was: false },
  'member.join': { args: [['hash', isHash]], was: false },
  'member.leave': { args: [], was: false },
  'member.remove': { args: [['account', isId]], was: false },
}
const commandBytesMax = 16_384

export function judgeCommand(text: string, sig: string): CommandJudgement {
  // A lone surrogate counts three bytes, as the encoder writes U+FFFD for it.
  if (Buffer.byteLength(text, 'utf8') > commandBytesMax || text.length > commandBytesMax) return { code: 'size', id: '' }
  const loose = looseFields(text)
  if (!loose || !isBase64Url(loose[0], 16)) return { code: 'shape', id: '' }
  const [id, by, dev, at, act] = loose
  const shape = { code: 'shape', id } as const
  if (!isBase64Url(by, 16) || !isBase64Url(dev, 16) || !isBase64Url(sig, 64)) return shape
  if (typeof at !== 'number' || !Number.isSafeInteger(at) || at < 0 || Object.is(at, -0) || typeof act !== 'string') return shape
  if (!Object.hasOwn(acts, act)) return { code: 'act', id }
  const fields = readCanonical(text, { depthMax: 4, loneSurrogates: true })
  if (!Array.isArray(fields)) return shape
  const [, , , , , args, was] = fields
  const grammar = acts[act]
  if (!(args instanceof Map) || !grammar || args.size !== grammar.args.length) return shape
  if (grammar.was ? typeof was !== 'string' : was !== 0) return shape
  // Canonical also in the order of its arguments.
  const keys = [...args.keys()]
  if (!grammar.args.every(([name, rule], i) => keys[i] === name && rule(args.get(name)))) return shape
  return { code: 'ok', command: { id, by, dev, act, args, was: typeof was === 'string' ? was : 0 } }
}

function looseFields(text: string): unknown[] | undefined {
  try {
    const fields: unknown = JSON.parse(text)
    return Array.isArray(fields) && fields.length === 7 ? fields : undefined
  } catch {
    return undefined
  }
}

interface ModelChannel {
  name: string
  kind: string
  topic: string
  position: string
}

interface ModelInvite {
  space: string
  until: number
  usesMax: number
  uses: number
  revoked: boolean
}

export interface SpaceModel {
  owner: string
  name: string
  n: number
  channels: Map<string, ModelChannel>
  members: Map<string, { in: boolean; n: number }>
  executed: Map<string, { n: number; by: string }>
}

/** All that commands change, over all communities. */
export interface CommunityModel {
  spaces: Map<string, SpaceModel>
  /** Which space a channel is or was in. */
  channelSpaces: Map<string, Set<string>>
  liveChannels: Map<string, string>
  invites: Map<string, ModelInvite>
}

export function createCommunityModel(): CommunityModel {
  return { spaces: new Map(), channelSpaces: new Map(), liveChannels: new Map(), invites: new Map() }
}

export interface ExpectedCommand {
  /** Codes that would be right; '' = executed, 'known' = answered with its number. More than one where the oracle is not sure. */
  codes: readonly string[]
  n: number
}

export function expectCommand(
  model: CommunityModel,
  author: { by: string; dev: string },
  space: string,
  command: JudgedCommand,
  secret: string,
  now: number,
  isSigned: () => boolean,
): ExpectedCommand {
  const expected = expectRead(model, author, space, command, secret, now, isSigned)
  const position = command.args.get('position')
  // Whether a position is one is part of reading the command, before all else.
  return typeof position !== 'string' || surePosition.test(position)
    ? expected
    : { ...expected, codes: ['shape', ...expected.codes] }
}

function expectRead(
  model: CommunityModel,
  author: { by: string; dev: string },
  space: string,
  command: JudgedCommand,
  secret: string,
  now: number,
  isSigned: () => boolean,
): ExpectedCommand {
  const here = model.spaces.get(space)
  const no = (code: string) => ({ codes: [code], n: 0 })
  const done = { codes: [''], n: (here?.n ?? 0) + 1 }
  if (command.by !== author.by || command.dev !== author.dev) return no('session')
  const before = here?.executed.get(command.id)
  if (before) return before.by === command.by ? { codes: ['known'], n: before.n } : no('duplicate')
  if (!isSigned()) return no('signature')
  const { act, args, was } = command
  const row = here?.members.get(command.by)
  const given = (name: string) => String(args.get(name) ?? '')
  const unsureOf = (judged: 'good' | 'bad' | 'unsure', code: string, rest: ExpectedCommand): ExpectedCommand =>
    judged === 'good' ? rest : judged === 'bad' ? no(code) : { codes: [code, ...rest.codes], n: rest.n }
  if (act === 'community.create') {
    if (here) return no('taken')
    if (isUsed(model, space, given('channel'))) return no('duplicate')
    const names = [judgeName(given('name'), 'voice'), judgeName(given('channelName'), 'text')]
    return unsureOf(names.includes('bad') ? 'bad' : names.includes('unsure') ? 'unsure' : 'good', 'name', done)
  }
  if (act === 'member.join') {
    if (row?.in) return { codes: ['known'], n: row.n }
    const invite = model.invites.get(given('hash'))
    const right = invite?.space === space && isOpen(invite, now) && inviteHashOf(secret) === given('hash')
    return here && right ? done : no('invite')
  }
  if (!here || !row?.in) return no('notmember')
  if (act === 'member.leave') return here.owner === command.by ? no('owner') : done
  if (here.owner !== command.by) return no('forbidden')
  const channel = here.channels.get(given('channel'))
  switch (act) {
    case 'member.remove':
      if (given('account') === here.owner) return no('owner')
      return here.members.get(given('account'))?.in ? done : no('nomember')
    case 'invite.create': {
      if (model.invites.has(given('hash'))) return no('duplicate')
      const open = [...model.invites.values()].filter((invite) => invite.space === space && isOpen(invite, now)).length
      return open < 1_000 ? done : no('full')
    }
    case 'invite.revoke': {
      const invite = model.invites.get(given('hash'))
      return invite?.space === space && !invite.revoked ? done : no('invite')
    }
    case 'community.rename':
      return unsureOf(judgeName(given('name'), 'voice'), 'name', was === here.name ? done : no('stale'))
    case 'channel.create': {
      if (isUsed(model, space, given('channel'))) return no('duplicate')
      if (here.channels.size >= 500) return no('full')
      const rest = isTaken(here, given('kind'), given('name'), '') ? no('taken') : done
      return unsureOf(judgeName(given('name'), given('kind')), 'name', rest)
    }
    case 'channel.delete':
      return channel ? done : no('nochannel')
    case 'channel.rename': {
      if (!channel) return no('nochannel')
      const taken = isTaken(here, channel.kind, given('name'), given('channel')) ? no('taken') : done
      return unsureOf(judgeName(given('name'), channel.kind), 'name', was === channel.name ? taken : no('stale'))
    }
    case 'channel.topic':
      if (!channel) return no('nochannel')
      return unsureOf(judgeTopic(given('topic')), 'topic', was === channel.topic ? done : no('stale'))
    default: // channel.move
      return !channel ? no('nochannel') : was === channel.position ? done : no('stale')
  }
}

/** Puts into the model what the relay says it has done. */
export function takeCommand(model: CommunityModel, space: string, command: JudgedCommand, n: number): void {
  const { act, args, by } = command
  const given = (name: string) => String(args.get(name) ?? '')
  if (act === 'community.create') {
    model.spaces.set(space, {
      owner: by,
      name: given('name'),
      n: 0,
      channels: new Map(),
      members: new Map(),
      executed: new Map(),
    })
    addChannel(model, space, given('channel'), { name: given('channelName'), kind: 'text', topic: '', position: 'a0' })
  }
  const here = model.spaces.get(space)
  if (!here) return
  here.n = n
  here.executed.set(command.id, { n, by })
  const channel = here.channels.get(given('channel'))
  const invite = model.invites.get(given('hash'))
  if (act === 'community.create' || act === 'member.join') here.members.set(by, { in: true, n })
  if (act === 'member.join' && invite) invite.uses++
  if (act === 'member.leave') here.members.set(by, { in: false, n })
  if (act === 'member.remove') here.members.set(given('account'), { in: false, n })
  if (act === 'community.rename') here.name = given('name')
  if (act === 'channel.create')
    addChannel(model, space, given('channel'), {
      name: given('name'),
      kind: given('kind'),
      topic: '',
      position: given('position'),
    })
  if (act === 'channel.rename' && channel) channel.name = given('name')
  if (act === 'channel.topic' && channel) channel.topic = given('topic')
  if (act === 'channel.move' && channel) channel.position = given('position')
  if (act === 'channel.delete') {
    here.channels.delete(given('channel'))
    model.liveChannels.delete(given('channel'))
  }
  if (act === 'invite.create')
    model.invites.set(given('hash'), {
      space,
      until: Number(args.get('until')),
      usesMax: Number(args.get('uses')),
      uses: 0,
      revoked: false,
    })
  if (act === 'invite.revoke' && invite) invite.revoked = true
}

function addChannel(model: CommunityModel, space: string, id: string, channel: ModelChannel): void {
  model.spaces.get(space)?.channels.set(id, channel)
  model.liveChannels.set(id, space)
  const spaces = model.channelSpaces.get(id) ?? new Set()
  model.channelSpaces.set(id, spaces.add(space))
}

function isUsed(model: CommunityModel, space: string, channel: string): boolean {
  return model.liveChannels.has(channel) || (model.channelSpaces.get(channel)?.has(space) ?? false)
}

function isOpen(invite: ModelInvite, now: number): boolean {
  return !invite.revoked && (invite.until === 0 || invite.until > now) && (invite.usesMax === 0 || invite.uses < invite.usesMax)
}

function isTaken(space: SpaceModel, kind: string, name: string, except: string): boolean {
  return [...space.channels].some(([id, channel]) => id !== except && channel.kind === kind && channel.name === name)
}

/** H("invite", utf8(code)): SHA-256 over "dupecord/invite/1", 00, the code. */
export function inviteHashOf(code: string): string {
  return isBase64Url(code, 16) ? createHash('sha256').update(`dupecord/invite/1\0${code}`).digest('base64url') : ''
}

/** Plain cases only. */
function judgeName(name: string, kind: string): 'good' | 'bad' | 'unsure' {
  if (name === '' || [...name].length > 100 || hasControls(name) || name !== name.trim()) return 'bad'
  if (kind === 'text') {
    if (/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name)) return 'good'
    return /[A-Z !"#$%&'()*+,./:;<=>?@[\\\]^`{|}~]/.test(name) || name.includes('--') || /^-|-$/.test(name) ? 'bad' : 'unsure'
  }
  return /^[\x21-\x7e]+( [\x21-\x7e]+)*$/.test(name) ? 'good' : 'unsure'
}

function judgeTopic(topic: string): 'good' | 'bad' | 'unsure' {
  if ([...topic].length > 1_024 || hasControls(topic.replaceAll('\n', ''))) return 'bad'
  return /^([\x21-\x7e]+( [\x21-\x7e]+)*)?$/.test(topic) ? 'good' : 'unsure'
}

function hasControls(text: string): boolean {
  return [...text].some(
    (sign) => sign < ' ' || (sign >= '\x7f' && sign <= '\x9f') || (sign >= '\ud800' && sign <= '\udfff' && sign.length === 1),
  )
}
