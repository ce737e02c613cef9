// What a person does with communities: each call becomes commands, given on the state as he sees it, own queued changes included.

import { utf8 } from '#shared/base/bytes.ts'
import { type AccountId, type ChannelId, type CommandId, idFromBytes, type SpaceId } from '#shared/base/ids.ts'
import type { CommandAct } from '#shared/community/command.ts'
import { inviteHash, makeInviteCode } from '#shared/community/invite-code.ts'
import { tidyChannelName, tidyCommunityName, tidyTopic } from '#shared/community/names.ts'
import { endPosition, placeBefore } from '#shared/community/position.ts'
import type { ChannelInfo, ChannelKind, CommunityState } from '#shared/community/state.ts'
import { taggedHash } from '#shared/crypto/signed-bytes.ts'
import type { CallAnswer, CallName, Calls } from '../api.ts'
import { forkOf, giveCommand } from './commands.ts'
import { cryptoAtHand } from './keys-at-hand.ts'
import { isReady, type World } from './state.ts'

type Answer<Name extends CallName> = (answer: CallAnswer<Name>) => void
type Args<Name extends CallName> = Calls[Name]['args']

const dayMs = 24 * 3_600_000
const firstChannelName = 'general'

/** @param id of the call: the new ids follow from it, so that the same call again makes no second community */
export async function createCommunity(
  world: World,
  id: CommandId,
  { name }: Args<'createCommunity'>,
  answer: Answer<'createCommunity'>,
) {
  const tidy = tidyCommunityName(name)
  if (!tidy) return no(answer, 'name')
  if (!isReady(world)) return no(answer, 'offline')
  const space = await derivedId<'space'>(world, 'new-space', id)
  const channel = await derivedId<'channel'>(world, 'new-channel', id)
  if (!space || !channel) return no(answer, 'internal')
  const act: CommandAct = { act: 'community.create', args: { name: tidy, channel, channelName: firstChannelName }, was: 0 }
  give(world, id, space, act, answer, { space, channel })
}

export function renameCommunity(world: World, id: CommandId, args: Args<'renameCommunity'>, answer: Answer<'renameCommunity'>) {
  const state = stateOf(world, args.space)
  const name = tidyCommunityName(args.name)
  if (!state) return no(answer, 'notmember')
  if (!name) return no(answer, 'name')
  if (name === state.name) return answer({ ok: true, value: null })
  give(world, id, args.space, { act: 'community.rename', args: { name }, was: state.name }, answer, null)
}

export async function createChannel(world: World, id: CommandId, args: Args<'createChannel'>, answer: Answer<'createChannel'>) {
  const state = stateOf(world, args.space)
  const name = tidyChannelName(args.name, args.kind)
  if (!state) return no(answer, 'notmember')
  if (!name) return no(answer, 'name')
  if (!isReady(world)) return no(answer, 'offline')
  const channel = await derivedId<'channel'>(world, 'new-channel', id)
  if (!channel) return no(answer, 'internal')
  const position = endPosition(state.channels)
  const kind: ChannelKind = args.kind
  give(world, id, args.space, { act: 'channel.create', args: { channel, name, kind, position }, was: 0 }, answer, { channel })
}

export function renameChannel(world: World, id: CommandId, args: Args<'renameChannel'>, answer: Answer<'renameChannel'>) {
  const info = channelOf(world, args)
  if (!info) return no(answer, 'nochannel')
  const name = tidyChannelName(args.name, info.kind)
  if (!name) return no(answer, 'name')
  if (name === info.name) return answer({ ok: true, value: null })
  const act: CommandAct = { act: 'channel.rename', args: { channel: args.channel, name }, was: info.name }
  give(world, id, args.space, act, answer, null)
}

export function setTopic(world: World, id: CommandId, args: Args<'setTopic'>, answer: Answer<'setTopic'>) {
  const info = channelOf(world, args)
  if (!info) return no(answer, 'nochannel')
  const topic = tidyTopic(args.topic)
  if (topic === undefined) return no(answer, 'topic')
  if (topic === info.topic) return answer({ ok: true, value: null })
  const act: CommandAct = { act: 'channel.topic', args: { channel: args.channel, topic }, was: info.topic }
  give(world, id, args.space, act, answer, null)
}

/** One command as a rule; more where places must be made free. The first refusal is the answer. */
export function moveChannel(world: World, id: CommandId, args: Args<'moveChannel'>, answer: Answer<'moveChannel'>) {
  const state = stateOf(world, args.space)
  if (!state) return no(answer, 'notmember')
  if (!state.channels[args.channel]) return no(answer, 'nochannel')
  const moves = placeBefore(state.channels, args.channel, args.before)
  let open = moves.length
  let refused: CallAnswer<'moveChannel'> | undefined
  const one: Answer<'moveChannel'> = (result) => {
    if (!result.ok) refused ??= result
    open--
    if (open === 0) answer(refused ?? { ok: true, value: null })
  }
  if (open === 0) return answer({ ok: true, value: null })
  for (const [i, { channel, position }] of moves.entries()) {
    const was = state.channels[channel]?.position ?? ''
    const own = i === 0 ? id : idFromBytes<'command'>(world.ports.random.bytes(16))
    give(world, own, args.space, { act: 'channel.move', args: { channel, position }, was }, one, null)
  }
}

export function deleteChannel(world: World, id: CommandId, args: Args<'deleteChannel'>, answer: Answer<'deleteChannel'>) {
  if (!channelOf(world, args)) return no(answer, 'nochannel')
  give(world, id, args.space, { act: 'channel.delete', args: { channel: args.channel }, was: 0 }, answer, null)
}

export async function createInvite(world: World, id: CommandId, args: Args<'createInvite'>, answer: Answer<'createInvite'>) {
  if (!stateOf(world, args.space)) return no(answer, 'notmember')
  if (!isReady(world)) return no(answer, 'offline')
  const code = makeInviteCode(world.ports.random)
  const crypto = await cryptoAtHand(world)
  if (!crypto) return no(answer, 'internal')
  const hash = inviteHash(crypto, code)
  const now = world.ports.clock.now() + world.link.skew
  const until = args.days > 0 ? Math.ceil(now + args.days * dayMs) : 0
  give(world, id, args.space, { act: 'invite.create', args: { hash, until, uses: args.uses }, was: 0 }, answer, { code })
}

/** @param args.space which community the code leads to: the shell asked the relay */
export async function join(world: World, id: CommandId, args: { code: string; space: SpaceId }, answer: Answer<'join'>) {
  const { code, space } = args
  if (!isReady(world)) return no(answer, 'offline')
  const crypto = await cryptoAtHand(world)
  if (!crypto) return no(answer, 'internal')
  const hash = inviteHash(crypto, code)
  give(world, id, space, { act: 'member.join', args: { hash }, was: 0 }, answer, { space }, code)
}

export function leave(world: World, id: CommandId, { space }: Args<'leave'>, answer: Answer<'leave'>) {
  if (!stateOf(world, space)) return no(answer, 'notmember')
  give(world, id, space, { act: 'member.leave', args: {}, was: 0 }, answer, null)
}

export function removeMember(world: World, id: CommandId, args: Args<'removeMember'>, answer: Answer<'removeMember'>) {
  const account: AccountId = args.account
  if (!stateOf(world, args.space)) return no(answer, 'notmember')
  give(world, id, args.space, { act: 'member.remove', args: { account }, was: 0 }, answer, null)
}

function give<Name extends CallName>(
  world: World,
  id: CommandId,
  space: SpaceId,
  act: CommandAct,
  answer: Answer<Name>,
  value: Calls[Name]['value'],
  secret = '',
): void {
  giveCommand(world, {
    id,
    space,
    act,
    secret,
    answer: (code, present) => answer(code === 'ok' ? { ok: true, value } : { ok: false, code, present }),
  })
}

function no<Name extends CallName>(answer: Answer<Name>, code: Extract<CallAnswer<Name>, { ok: false }>['code']): void {
  answer({ ok: false, code })
}

function stateOf(world: World, space: SpaceId): CommunityState | undefined {
  return forkOf(world, space)?.state
}

function channelOf(world: World, { space, channel }: { space: SpaceId; channel: ChannelId }): ChannelInfo | undefined {
  return stateOf(world, space)?.channels[channel]
}

async function derivedId<Kind extends string>(world: World, label: string, call: CommandId) {
  const crypto = await cryptoAtHand(world)
  const hash = crypto && taggedHash(crypto, label, utf8(`${world.ports.me.account} ${call}`))
  return hash && idFromBytes<Kind>(hash.subarray(0, 16))
}
