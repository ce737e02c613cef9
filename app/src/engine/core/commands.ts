// Commands of this device: signed, one in flight a community. Those that have meaning offline are stored and go when they can;
// the others live only as long as their author waits, since a join or a deletion that happens days later is not what was meant.
import { toBase64Url } from '#shared/base/bytes.ts'
import type { CommandId, SpaceId } from '#shared/base/ids.ts'
import { type Command, type CommandAct, needsNoRoom, queueableActs } from '#shared/community/command.ts'
import { writeCommandText } from '#shared/community/command-codec.ts'
import { commandSentence } from '#shared/community/command-texts.ts'
import { type Fork, isFulfilled, layOver } from '#shared/community/fork.ts'
import type { CommunityState } from '#shared/community/state.ts'
import { commandSignedBytes } from '#shared/crypto/signed-bytes.ts'
import type { RefusalCode } from '#shared/protocol/refusals.ts'
import type { CommandRow } from '../device-store.ts'
import { signAgainMs, signatureOf } from './keys-at-hand.ts'
import {
  type CommandWaiter,
  changed,
  drop,
  heardOfRoom,
  isReady,
  type Link,
  lasts,
  nextN,
  pauseFor,
  put,
  relayNow,
  rosterOf,
  send,
  type World,
  wake,
} from './state.ts'

/** A relay without room does not say when it will have some: stored commands ask again after this. */
const roomPauseMs = 15_000

export interface NewCommand {
  id: CommandId
  space: SpaceId
  act: CommandAct
  /** Proves a right and must not stand in the chain; '' = none. */
  secret: string
  answer: CommandWaiter['answer']
}

/** Stored if it may wait for the network; else it needs the relay now. */
export function giveCommand(world: World, { id, space, act, secret, answer }: NewCommand): void {
  const { me, signer, clock } = world.ports
  const queued = queueableActs.has(act.act)
  if (!queued && !isReady(world)) {
    world.turn.after.push(() => answer('offline', ''))
    return
  }
  const command: Command = { ...act, id, by: me.account, dev: signer.dev, at: clock.now() }
  const row: CommandRow = { id, n: nextN(world), space, command, signed: undefined }
  if (queued) put(world, 'command', row)
  else world.live.set(id, { row, secret })
  if (isReady(world)) world.waiters.set(id, { space, queued, answer })
  else world.turn.after.push(() => answer('ok', ''))
  changed(world, 'communities')
  changed(world, 'link')
}

/** Called at the end of every turn. */
export async function sendCommands(world: World): Promise<void> {
  if (!isReady(world)) return
  const { link } = world
  for (const row of pendingRows(world)) {
    if (link.commands.has(row.space) || world.finished.has(row.id)) continue
    if (world.tables.command.has(row.id) && lasts(world, link.commandsPaused.get(row.space))) continue
    const signed = row.signed?.dev === world.ports.signer.dev ? row.signed : await sign(world, row)
    if (!signed) return wake(world, world.ports.clock.now() + signAgainMs)
    link.commands.set(row.space, row.id)
    const secret = world.live.get(row.id)?.secret ?? ''
    send(world, { kind: 'control', message: { t: 'command', space: row.space, text: signed.text, sig: signed.sig, secret } })
  }
}

/** The relay executed it, as number `n`: it stays laid over the state until that record has been checked here. */
export function onDone(world: World, link: Link, id: CommandId, space: SpaceId, n: number): void {
  if (link.commands.get(space) === id) link.commands.delete(space)
  const row = world.tables.command.get(id) ?? world.live.get(id)?.row
  if (row && !needsNoRoom.has(row.command.act)) heardOfRoom(world, link, false)
  world.finished.set(id, { space, n })
  finishCommands(world, space, world.tables.space.get(space)?.n ?? 0)
}

export function onCommandRefused(
  world: World,
  link: Link,
  id: CommandId,
  space: SpaceId,
  code: RefusalCode,
  present: unknown,
): void {
  if (link.commands.get(space) === id) link.commands.delete(space)
  if (code === 'disk_full') {
    heardOfRoom(world, link, true)
    // What may wait for the network may wait for this too; who waits for anything else is told.
    if (world.tables.command.has(id)) {
      link.commandsPaused.set(space, pauseFor(world, roomPauseMs))
      answer(world, id, 'ok', '')
      return
    }
  }
  refuseCommand(world, id, code, typeof present === 'string' ? present : '')
}

/** The chain is known here up to `n`. */
export function finishCommands(world: World, space: SpaceId, n: number): void {
  for (const [id, done] of world.finished) {
    if (done.space !== space || done.n > n) continue
    world.finished.delete(id)
    endCommand(world, id)
    answer(world, id, 'ok', '')
  }
}

/** The link broke: stored commands go again with the next one, the others are given up, since nobody waits that long. */
export function onLinkLost(world: World): void {
  for (const [id, waiter] of [...world.waiters]) answer(world, id, waiter.queued ? 'ok' : 'offline', '')
  for (const id of world.live.keys()) world.finished.delete(id)
  world.live.clear()
  changed(world, 'communities')
}

export function dropSpaceCommands(world: World, space: SpaceId, code: RefusalCode): void {
  for (const row of pendingRows(world)) {
    if (row.space !== space) continue
    // To leave is to lose the community: that is what was asked for.
    const wished = row.command.act === 'member.leave'
    world.finished.delete(row.id)
    if (wished) {
      endCommand(world, row.id)
      answer(world, row.id, 'ok', '')
    } else refuseCommand(world, row.id, code, '')
  }
}

/** The community as its person sees it: with what he has queued laid over. */
export function forkOf(world: World, space: SpaceId): Fork | undefined {
  const state = world.tables.space.get(space)?.state
  return state && layOver(state, queuedCommands(world, space))
}

export function queuedCommands(world: World, space: SpaceId): Command[] {
  return pendingRows(world)
    .filter((row) => row.space === space)
    .map((row) => row.command)
}

function pendingRows(world: World): CommandRow[] {
  return [...world.tables.command.values(), ...[...world.live.values()].map((live) => live.row)].sort((a, b) => a.n - b.n)
}

async function sign(world: World, row: CommandRow): Promise<CommandRow['signed']> {
  const { signer } = world.ports
  const command: Command = { ...row.command, dev: signer.dev, at: Math.max(0, Math.floor(relayNow(world))) }
  const text = writeCommandText(command)
  const sig = await signatureOf(world, commandSignedBytes(row.space, text))
  if (!sig) return undefined
  const signed = { dev: signer.dev, sig: toBase64Url(sig), text }
  const live = world.live.get(row.id)
  if (live) world.live.set(row.id, { ...live, row: { ...row, command, signed } })
  else put(world, 'command', { ...row, command, signed })
  return signed
}

function refuseCommand(world: World, id: CommandId, code: RefusalCode, present: string): void {
  const row = world.tables.command.get(id) ?? world.live.get(id)?.row
  if (!row) return
  const state = world.tables.space.get(row.space)?.state
  endCommand(world, id)
  if (state && isFulfilled(state, row.command)) {
    answer(world, id, 'ok', '')
    return
  }
  if (world.waiters.has(id)) {
    answer(world, id, code, present)
    return
  }
  // Nobody waits for it any more: the person hears of it where outcomes are listed.
  put(world, 'outcome', { id, n: nextN(world), space: row.space, text: sentence(world, row, state), code, present })
  changed(world, 'outcomes')
}

function sentence(world: World, row: CommandRow, state: CommunityState | undefined): string {
  return commandSentence(row.command, { state, usernameOf: (account) => rosterOf(world, row.space).get(account)?.username })
}

function endCommand(world: World, id: CommandId): void {
  drop(world, 'command', id)
  world.live.delete(id)
  changed(world, 'communities')
  changed(world, 'link')
}

function answer(world: World, id: CommandId, code: RefusalCode | 'ok', present: string): void {
  const waiter = world.waiters.get(id)
  world.waiters.delete(id)
  if (waiter) world.turn.after.push(() => waiter.answer(code, present))
}
