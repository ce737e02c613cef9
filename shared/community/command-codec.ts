// The text form of a command: what is signed, stored and hash-chained. A JSON array of exactly 7, [id, by, dev, at, act, args, was].
// One command has one text: it is read strictly, and what is read must write itself back to the same characters.
import { type Bytes, parseBase64Url, utf8 } from '../base/bytes.ts'
import { type CommandId, parseAccountId, parseChannelId, parseCommandId, parseDeviceId } from '../base/ids.ts'
import { limits } from '../base/limits.ts'
import { ok } from '../base/result.ts'
import type { ActName, Command, CommandAct } from './command.ts'
import { isPosition } from './position.ts'

export interface SignedCommand {
  command: Command
  /** Exactly as signed. */
  text: string
  /** Ed25519, 64 bytes; not verified here. */
  signature: Bytes
}

/** `size`: over the limit · `shape`: not a command · `act`: well formed, but of a version that this one does not know. */
export type CommandFault = 'size' | 'shape' | 'act'

export type ParsedCommand = { ok: true; value: SignedCommand } | { ok: false; code: CommandFault; id: CommandId | 0 }

export function writeCommandText(command: Command): string {
  const { id, by, dev, at, act, args, was } = command
  const given: Record<string, unknown> = { ...args }
  const ordered = Object.fromEntries(argumentNames[act].map((name) => [name, given[name]]))
  return JSON.stringify([id, by, dev, at, act, ordered, was])
}

/** Never throws. `id` is given where it could be read, so that the refusal finds its command; 0 means that not even that was there. */
export function parseCommand(text: string, sig: string): ParsedCommand {
  if (text.length > limits.commandBytesMax || utf8(text).length > limits.commandBytesMax)
    return { ok: false, code: 'size', id: 0 }
  const fields = parseFields(text)
  const id = parseCommandId(fields?.[0])
  const by = parseAccountId(fields?.[1])
  const dev = parseDeviceId(fields?.[2])
  const at = fields?.[3]
  const signature = parseBase64Url(sig)
  if (!fields || !id) return { ok: false, code: 'shape', id: 0 }
  if (!by || !dev || !isCount(at) || signature?.length !== 64) return { ok: false, code: 'shape', id }
  const [, , , , name, args, was] = fields
  if (typeof name !== 'string') return { ok: false, code: 'shape', id }
  if (!isActName(name)) return { ok: false, code: 'act', id }
  const act = parseAct(name, args, was)
  if (!act) return { ok: false, code: 'shape', id }
  const command: Command = { ...act, id, by, dev, at }
  return writeCommandText(command) === text ? ok({ command, text, signature }) : { ok: false, code: 'shape', id }
}

/** Each act's arguments in the order in which they are written. */
const argumentNames: { readonly [Name in ActName]: readonly string[] } = {
  'community.create': ['name', 'channel', 'channelName'],
  'community.rename': ['name'],
  'channel.create': ['channel', 'name', 'kind', 'position'],
  'channel.rename': ['channel', 'name'],
  'channel.topic': ['channel', 'topic'],
  'channel.move': ['channel', 'position'],
  'channel.delete': ['channel'],
  'invite.create': ['hash', 'until', 'uses'],
  'invite.revoke': ['hash'],
  'member.join': ['hash'],
  'member.leave': [],
  'member.remove': ['account'],
}

function isActName(name: string): name is ActName {
  return Object.hasOwn(argumentNames, name)
}

function parseFields(text: string): unknown[] | undefined {
  try {
    const fields: unknown = JSON.parse(text)
    return Array.isArray(fields) && fields.length === 7 ? fields : undefined
  } catch {
    // JSON.parse has no other way to say that this is not JSON.
    return undefined
  }
}

function parseAct(name: ActName, rawArgs: unknown, rawWas: unknown): CommandAct | undefined {
  const args = parseArguments(name, rawArgs)
  if (!args) return undefined
  const channel = parseChannelId(args.channel)
  const was = typeof rawWas === 'string' ? rawWas : undefined
  // `was` is 0 where there is nothing to compare, and text elsewhere: one or the other, never both.
  const bare = rawWas === 0
  switch (name) {
    case 'community.create':
      return bare && channel && isText(args.name) && isText(args.channelName)
        ? { act: name, args: { name: args.name, channel, channelName: args.channelName }, was: 0 }
        : undefined
    case 'community.rename':
      return was !== undefined && isText(args.name) ? { act: name, args: { name: args.name }, was } : undefined
    case 'channel.create':
      return bare && channel && isText(args.name) && (args.kind === 'text' || args.kind === 'voice') && isPosition(args.position)
        ? { act: name, args: { channel, name: args.name, kind: args.kind, position: args.position }, was: 0 }
        : undefined
    case 'channel.rename':
      return was !== undefined && channel && isText(args.name)
        ? { act: name, args: { channel, name: args.name }, was }
        : undefined
    case 'channel.topic':
      return was !== undefined && channel && isText(args.topic)
        ? { act: name, args: { channel, topic: args.topic }, was }
        : undefined
    case 'channel.move':
      return was !== undefined && channel && isPosition(args.position)
        ? { act: name, args: { channel, position: args.position }, was }
        : undefined
    case 'channel.delete':
      return bare && channel ? { act: name, args: { channel }, was: 0 } : undefined
    case 'invite.create':
      return bare && isHash(args.hash) && isCount(args.until) && isCount(args.uses)
        ? { act: name, args: { hash: args.hash, until: args.until, uses: args.uses }, was: 0 }
        : undefined
    case 'invite.revoke':
    case 'member.join':
      return bare && isHash(args.hash) ? { act: name, args: { hash: args.hash }, was: 0 } : undefined
    case 'member.leave':
      return bare ? { act: name, args: {}, was: 0 } : undefined
    case 'member.remove': {
      const account = parseAccountId(args.account)
      return bare && account ? { act: name, args: { account }, was: 0 } : undefined
    }
  }
}

/** Exactly the arguments that the act has. */
function parseArguments(name: ActName, raw: unknown): Record<string, unknown> | undefined {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) return undefined
  const names = argumentNames[name]
  const pairs = Object.entries(raw)
  return pairs.length === names.length && pairs.every(([key]) => names.includes(key)) ? Object.fromEntries(pairs) : undefined
}

function isText(raw: unknown): raw is string {
  return typeof raw === 'string'
}

/** A whole number, 0 or more, that JSON and every engine write alike. */
function isCount(raw: unknown): raw is number {
  return Number.isSafeInteger(raw) && Number(raw) >= 0 && !Object.is(raw, -0)
}

/** 32 bytes in canonical base64url. */
function isHash(raw: unknown): raw is string {
  return typeof raw === 'string' && raw.length === 43 && parseBase64Url(raw)?.length === 32
}
