// What the relay says, frame by frame: which part of the core each one is for, and what `hello` and `welcome` mean.
import { unreachable } from '#shared/base/assert.ts'
import { type ControlDown, type FrameDown, protocolVersion } from '#shared/protocol/frames.ts'
import { followChain, onMembers, onRecord, resumeChains } from './chain-follower.ts'
import { onCommandRefused, onDone } from './commands.ts'
import { onKeys } from './device-keys.ts'
import { leaveSpace, loseChannel } from './losing.ts'
import { onRead } from './read-markers.ts'
import { onResult } from './sending.ts'
import { onReady, onSpace, startOver } from './spaces.ts'
import { type Link, put, send, type World } from './state.ts'
import { onOpened, onSegment, onSegments, onStale, onUpdate } from './syncing.ts'

export function sayHello(world: World, token: string): void {
  const { incarnation, mark } = world.tables.meta.get('meta') ?? { incarnation: '', mark: '' }
  send(world, { kind: 'control', message: { t: 'hello', v: protocolVersion, token, incarnation, mark } })
}

export async function onFrame(world: World, link: Link, frame: FrameDown): Promise<void> {
  if (frame.kind === 'update') await onUpdate(world, link, frame.seg, frame.update)
  else if (frame.kind === 'control') await onControl(world, link, frame.message)
}

async function onControl(world: World, link: Link, message: ControlDown): Promise<void> {
  switch (message.t) {
    case 'welcome':
      return welcome(world, link, message)
    case 'space':
      return onSpace(world, link, message)
    case 'ready':
      return onReady(world, link)
    case 'opened':
      return onOpened(world, link, message.req, message.client)
    case 'segment':
      return onSegment(world, link, message)
    case 'segments':
      return onSegments(world, link, message)
    case 'result':
      noteMark(world, message.mark)
      return onResult(world, link, message.nr, message.verdicts, message.wait, message.why)
    case 'stale':
      return onStale(world, link, message.req)
    case 'gone':
      return loseChannel(world, message.channel, 'nochannel')
    case 'left':
      return leaveSpace(world, message.space, message.code)
    case 'done': {
      if ('code' in message) return onCommandRefused(world, link, message.id, message.space, message.code, message.present)
      noteMark(world, message.mark)
      onDone(world, link, message.id, message.space, message.n)
      // The relay tells the chain by itself; asked for all the same where it is new here, since nothing is shown without it.
      if ((world.tables.space.get(message.space)?.n ?? 0) === 0 && world.finished.has(message.id))
        followChain(world, link, message.space)
      return
    }
    case 'record':
      return onRecord(world, link, message)
    case 'members':
      return onMembers(world, link, message)
    case 'keys':
      await onKeys(world, link, message.rows)
      return resumeChains(world, link)
    case 'read':
      return onRead(world, message.rows)
    case 'beat':
      return heard(world, link, message.mark, message.now)
    case 'restarting':
      // The connection's business.
      return
    default:
      return unreachable(message)
  }
}

async function welcome(world: World, link: Link, message: Extract<ControlDown, { t: 'welcome' }>): Promise<void> {
  const { me, signer } = world.ports
  if (message.account !== me.account || message.dev !== signer.dev) {
    link.wire.close('the relay takes us for somebody else')
    return
  }
  link.phase = 'welcome'
  if (message.incarnation !== world.tables.meta.get('meta')?.incarnation) {
    await startOver(world, message.incarnation, message.mark)
  }
  heard(world, link, message.mark, message.now)
}

function heard(world: World, link: Link, mark: string, now: number): void {
  link.skew = now - world.ports.clock.now()
  noteMark(world, mark)
}

/** How far the relay says it was, saved together with what it said before: it is told again at the next hello. */
function noteMark(world: World, mark: string | undefined): void {
  const meta = world.tables.meta.get('meta')
  if (mark !== undefined && meta && meta.mark !== mark) put(world, 'meta', { ...meta, mark })
}
