// The engine's core: one account's documents, outbox, commands and cursors over a store and a link. Deterministic: time, randomness, keys,
// disk and line come in through ports. One step at a time; what a step changed is saved in one transaction before any of it is sent or shown.
import type { ChannelId, EntryId } from '#shared/base/ids.ts'
import type { FrameDown } from '#shared/protocol/frames.ts'
import type { CallAnswer, CallName } from '../api.ts'
import { isEmptyBatch } from '../device-store.ts'
import { answerCall, type CoreCallName, type CoreCalls } from './calls.ts'
import { onLinkLost, sendCommands } from './commands.ts'
import { askForKeys } from './device-keys.ts'
import { onFrame, sayHello } from './frames.ts'
import { createMailbox } from './mailbox.ts'
import { settleUnsent } from './message-calls.ts'
import type { CorePorts, Wire } from './ports.ts'
import { sendMarkers } from './read-markers.ts'
import { letIdleReplicasGo } from './replicas.ts'
import { sendOutbox } from './sending.ts'
import { changed, createWorld, freshTurn, type Link, send, startLink, type World } from './state.ts'
import { openWanted } from './syncing.ts'
import { fillView, letIdleViewsGo } from './timelines.ts'
import { verifyShown } from './verifying.ts'

/** One link's inlet: what came over it, in order, and its end. */
export interface CoreLink {
  receive(frame: FrameDown): void
  closed(): void
}

export interface Core {
  /** The line is up: says hello. An older link is forgotten. */
  connect(wire: Wire, token: string): CoreLink
  /** @param id made by the caller: the same call again, by the same id, does nothing twice */
  call<Name extends CoreCallName>(id: EntryId, name: Name, args: CoreCalls[Name]): Promise<CallAnswer<Name>>
  /** Somebody looks at the newest `limit` messages of a channel; 0 = nobody any more. Changes are told when they are here. */
  watch(channel: ChannelId, limit: number): void
  /** The time asked for by `wakeAt` has come. */
  wake(): void
  /** Tells the relay that we are there; it answers with its mark. */
  beat(): void
  /** Another device of the account settled words under "Not sent". */
  settleUnsent(id: EntryId): void
  /** What is known, for views. Read it only between turns: from `changed`, or after `idle`. */
  readonly world: World
  /** Resolves when there is nothing left to do without the network or the clock. */
  idle(): Promise<void>
  /** Ends after the present step; waiting calls are answered `internal`. */
  stop(): Promise<void>
}

type Event =
  | { kind: 'connected'; link: Link; token: string }
  | { kind: 'frame'; link: Link; frame: FrameDown }
  | { kind: 'closed'; link: Link }
  | {
      kind: 'call'
      id: EntryId
      name: CoreCallName
      args: CoreCalls[CoreCallName]
      answer: (answer: CallAnswer<CallName>) => void
    }
  | { kind: 'watch'; channel: ChannelId; limit: number }
  | { kind: 'settle'; id: EntryId }
  | { kind: 'beat' }
  | { kind: 'wake' }
  | { kind: 'verify' }

/** Events in one turn, hence in one transaction: a flood of updates is saved in large pieces, and no call waits long behind it. */
const turnEventsMax = 64

export async function createCore(ports: CorePorts): Promise<Core> {
  const world = createWorld(ports, await ports.store.load())
  const mailbox = createMailbox<Event>(
    turnEventsMax,
    (events) => runTurn(world, events, () => mailbox.post({ kind: 'verify' })),
    (error, lost) => {
      for (const event of lost) if (event.kind === 'call') event.answer({ ok: false, code: 'internal' })
      for (const waiter of world.waiters.values()) waiter.answer('internal', '')
      world.link?.wire.close('the engine starts anew')
      ports.failed(error)
    },
  )
  return {
    world,
    connect: (wire, token) => {
      const link = startLink(wire)
      mailbox.post({ kind: 'connected', link, token })
      return {
        receive: (frame) => mailbox.post({ kind: 'frame', link, frame }),
        closed: () => mailbox.post({ kind: 'closed', link }),
      }
    },
    call: (id, name, args) =>
      new Promise((resolve) => {
        // reason: the answer to a call of this name is of this name's type, which the queue of all calls cannot say
        const answer = resolve as (answer: CallAnswer<CallName>) => void
        mailbox.post({ kind: 'call', id, name, args, answer })
      }),
    watch: (channel, limit) => mailbox.post({ kind: 'watch', channel, limit }),
    wake: () => mailbox.post({ kind: 'wake' }),
    beat: () => mailbox.post({ kind: 'beat' }),
    settleUnsent: (id) => mailbox.post({ kind: 'settle', id }),
    idle: () => mailbox.idle(),
    stop: async () => {
      for (const event of await mailbox.end()) if (event.kind === 'call') event.answer({ ok: false, code: 'internal' })
    },
  }
}

async function runTurn(world: World, events: readonly Event[], verifyLater: () => void): Promise<void> {
  world.turn = freshTurn()
  for (const event of events) await handle(world, event)
  for (const [channel, limit] of world.watched) {
    // One more than is looked at: whether there are older ones is part of the answer.
    if (world.turn.changes.has(`timeline ${channel}`)) await fillView(world, channel, limit + 1)
  }
  await sendOutbox(world)
  await sendCommands(world)
  sendMarkers(world)
  openWanted(world)
  askForKeys(world)
  const { batch, strict, frames, changes, after, wakeAt } = world.turn
  if (!isEmptyBatch(batch)) await world.ports.store.commit(batch, { strict })
  // Saved: now it may be sent and shown. If the tab dies here, the next leader finds it and sends it.
  for (const frame of frames) world.link?.wire.send(frame)
  for (const tell of after) tell()
  if (changes.size > 0) world.ports.changed(changes)
  world.ports.wakeAt(wakeAt)
  letIdleViewsGo(world)
  letIdleReplicasGo(world)
  const shown = [...world.watched.keys()].some((channel) => changes.has(`timeline ${channel}`))
  if (shown && !events.some((event) => event.kind === 'verify')) verifyLater()
}

async function handle(world: World, event: Event): Promise<void> {
  switch (event.kind) {
    case 'connected':
      loseLink(world)
      world.link = event.link
      sayHello(world, event.token)
      break
    case 'frame':
      if (world.link === event.link) await onFrame(world, event.link, event.frame)
      break
    case 'closed':
      if (world.link === event.link) loseLink(world)
      break
    case 'call':
      await answerCall(world, event.id, event.name, event.args, (answer) => event.answer(answer))
      break
    case 'watch':
      if (event.limit > 0) world.watched.set(event.channel, event.limit)
      else world.watched.delete(event.channel)
      changed(world, `timeline ${event.channel}`)
      break
    case 'settle':
      settleUnsent(world, event.id)
      break
    case 'beat':
      if (world.link) send(world, { kind: 'control', message: { t: 'beat' } })
      break
    case 'verify':
      await verifyShown(world)
      break
    case 'wake':
      break
  }
}

function loseLink(world: World): void {
  if (!world.link) return
  for (const stream of world.link.streams.values()) stream.fresh?.destroy()
  // Frames of this turn were meant for it.
  world.turn.frames = []
  world.link = undefined
  onLinkLost(world)
  changed(world, 'link')
}
