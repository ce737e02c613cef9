// Keeps the one socket to the relay: connects, connects again with growing and jittered pauses, beats, notices silence, and knows from the
// closing code whether trying again is right. Frames go to the core, the private stream to the private document.

import { limits } from '#shared/base/limits.ts'
import type { Clock, Random } from '#shared/base/ports.ts'
import { encodeUp, parseDown } from '#shared/protocol/frame-codec.ts'
import { closeCodes, privateStream } from '#shared/protocol/frames.ts'
import type { Socket, SocketEvents } from '../platform/socket.ts'
import type { Timers } from '../platform/timers.ts'
import type { Core, CoreLink } from './core/core.ts'
import { createSilence } from './silence.ts'

export type ConnectionPhase = 'connecting' | 'online' | 'offline' | 'replaced' | 'outdated' | 'expired'

export interface ConnectionPorts {
  clock: Clock
  random: Random
  timers: Timers
  openSocket(events: SocketEvents): Socket
  core: Core
  token: string
  /** How long to stay away at first, ms. */
  firstPauseMs: number
  /** The private document's side of the stream. */
  stream: {
    connect(send: (bytes: Uint8Array) => void): void
    disconnect(): void
    receive(bytes: Uint8Array): void
    heard(): void
  }
  /** A newer link of this device closed ours: does this engine still lead? It asks the storage. */
  stillLeads(): Promise<boolean>
  changed(phase: ConnectionPhase): void
}

export interface Connection {
  readonly phase: ConnectionPhase
  /** Since when it is not online; 0 while it is. */
  readonly since: number
  /** At once, whatever the pause: the network is back, or the person asked. */
  connectNow(): void
  /** The browser says that the network is gone: the line is given up without waiting for its silence. */
  networkIsGone(): void
  /** A tab is used: an engine that was replaced fights back only for somebody who is there. */
  used(): void
  /** The core says whether its link is ready. */
  coreReady(ready: boolean): void
  stop(): void
}

const pauseLeastMs = 500
const pauseMostMs = 30_000
/** A line that held this long was a good one: only then do the pauses begin anew. */
const steadyMs = 10_000
/** RFC 6455: what the relay's socket says before a frame is even looked at. Only a whole private document is so large. */
const frameTooLarge = 1009
/** RFC 6455: ended without a goodbye. */
const noLine = 1006
/** However long a relay says that it stays away. */
const announcedPauseMostMs = 60_000
const replacedPauseLeastMs = 30_000
const replacedPauseMostMs = 600_000

export function createConnection(ports: ConnectionPorts): Connection {
  const { clock, random, timers, core } = ports
  let phase: ConnectionPhase = 'connecting'
  let since = clock.now()
  let failures = 0
  let replacements = 0
  let socket: Socket | undefined
  let link: CoreLink | undefined
  const silence = createSilence(clock)
  let onlineAt = 0
  /** The relay closed the line over the private document's size: it stays on this device, so that messages go on. */
  let streamTooLarge = false
  /** The relay said that it stops, and for how long; 0 = it did not. */
  let announcedMs = 0
  let stopped = false
  let cancelRetry = () => {}

  const enter = (next: ConnectionPhase) => {
    if (phase === next) return
    since = next === 'online' ? 0 : since || clock.now()
    phase = next
    ports.changed(next)
  }

  const connect = () => {
    cancelRetry()
    if (stopped || socket) return
    announcedMs = 0
    if (phase !== 'connecting') enter('connecting')
    const opening = ports.openSocket({
      opened: () => {
        if (socket !== opening) return
        silence.heard()
        const wire = {
          send: (frame: Parameters<typeof encodeUp>[0]) => opening.send(encodeUp(frame)),
          close: () => opening.close(),
        }
        link = core.connect(wire, ports.token)
      },
      received: (bytes) => {
        if (socket === opening) receive(bytes)
      },
      closed: (code) => {
        if (socket === opening) giveUp(code)
      },
    })
    socket = opening
  }

  const giveUp = (code: number) => {
    socket = undefined
    link?.closed()
    link = undefined
    ports.stream.disconnect()
    lost(code)
  }

  const receive = (bytes: Parameters<typeof parseDown>[0]) => {
    silence.heard()
    ports.stream.heard()
    const frame = parseDown(bytes)
    if (!frame) socket?.close()
    else if (frame.kind === 'stock') {
      if (frame.stream === privateStream) ports.stream.receive(frame.bytes)
    } else if (frame.kind !== 'unknown') {
      if (frame.kind === 'control' && frame.message.t === 'restarting')
        announcedMs = Math.min(frame.message.ms, announcedPauseMostMs)
      link?.receive(frame)
    }
  }

  const retryIn = (ms: number) => {
    cancelRetry()
    cancelRetry = timers.after(ms, connect)
  }

  const lost = (code: number) => {
    if (stopped) return
    if (code === closeCodes.unauthorized) return enter('expired')
    if (code === closeCodes.version) return enter('outdated')
    if (code === closeCodes.replaced) return void replaced()
    if (code === closeCodes.tooLarge || code === frameTooLarge) streamTooLarge = true
    // It said so, and is no failure of the line: nothing is shown but that it connects. Everybody comes back at a time of their own.
    if (announcedMs > 0) {
      enter('connecting')
      return retryIn(announcedMs + spread(random, announcedMs))
    }
    // A relay that greets everybody and fails at the next write would else be met by all devices every second. (LINE-8)
    if (phase === 'online' && clock.now() - onlineAt >= steadyMs) failures = 0
    failures++
    // What the relay calls final for these bytes may be over after a while: a token bucket, a bug that was mended. Not at once, though.
    const least = code >= 4400 && code < 4500 ? pauseMostMs : pauseLeastMs
    const most = Math.min(pauseMostMs, Math.max(least, pauseLeastMs * 2 ** failures))
    enter('offline')
    retryIn(jittered(random, most))
  }

  const replaced = async () => {
    // Storage that cannot be asked says nothing against this engine; its next write is fenced in any case.
    const leads = await ports.stillLeads().catch(() => true)
    if (!leads || stopped || socket) return
    enter('replaced')
    retryIn(Math.min(replacedPauseMostMs, replacedPauseLeastMs * 2 ** replacements))
    replacements++
  }

  const cancelBeat = timers.every(limits.beatIntervalMs, () => {
    if (!socket || !link) return
    if (silence.isDead()) socket.close()
    else core.beat()
  })

  cancelRetry = timers.after(ports.firstPauseMs, connect)
  return {
    get phase() {
      return phase
    },
    get since() {
      return since
    },
    connectNow: () => {
      failures = 0
      if (phase !== 'expired') connect()
    },
    networkIsGone: () => {
      const dead = socket
      if (!dead) return
      giveUp(noLine)
      dead.close()
    },
    used: () => {
      if (phase === 'replaced') connect()
    },
    coreReady: (ready) => {
      if (!ready || phase === 'online' || !socket) return
      const to = socket
      onlineAt = clock.now()
      enter('online')
      if (streamTooLarge) return
      ports.stream.connect((bytes) => to.send(encodeUp({ kind: 'stock', stream: privateStream, bytes })))
    },
    stop: () => {
      stopped = true
      cancelRetry()
      cancelBeat()
      ports.stream.disconnect()
      socket?.close()
    },
  }
}

/** Between half and all of it: a relay that comes back is not met by everybody at once. */
function jittered(random: Random, ms: number): number {
  const [byte = 0] = random.bytes(1)
  return Math.round((ms * (256 + byte)) / 512)
}

/** Anywhere below `ms`, finely enough for thousands of devices. */
function spread(random: Random, ms: number): number {
  const [high = 0, low = 0] = random.bytes(2)
  return Math.round((ms * (256 * high + low)) / 65_536)
}
