// The connection over a fake socket and a manual clock: when it tries again, when it does not, and what it beats and notices.
import { expect, test } from 'vitest'
import { createConnection } from '#app/engine/connection.ts'
import type { Core } from '#app/engine/core/core.ts'
import type { SocketEvents } from '#app/platform/socket.ts'
import { createPrng } from '#shared/base/prng.ts'
import { encodeDown, parseUp } from '#shared/protocol/frame-codec.ts'
import { closeCodes, type FrameDown } from '#shared/protocol/frames.ts'
import { createManualTime } from '../../../fakes/manual-timers.ts'

function stage(given: { leads?: boolean } = {}) {
  const time = createManualTime()
  /** How far the clock was set, ms; timers run on. */
  const set = { by: 0 }
  const sockets: { events: SocketEvents; at: number; sent: Uint8Array[]; over: boolean }[] = []
  const core = { beats: 0, links: 0, lost: 0, frames: [] as FrameDown[] }
  const stream = { connected: 0, got: [] as number[][], heard: 0 }
  const phases: string[] = []
  const fakeCore: Pick<Core, 'connect' | 'beat'> = {
    connect: (wire) => {
      core.links++
      wire.send({ kind: 'control', message: { t: 'beat' } })
      return { receive: (frame) => void core.frames.push(frame), closed: () => void core.lost++ }
    },
    beat: () => void core.beats++,
  }
  const connection = createConnection({
    clock: { now: () => time.now() + set.by },
    random: createPrng(3),
    timers: time,
    openSocket: (events) => {
      const socket = { events, at: time.now(), sent: [] as Uint8Array[], over: false }
      sockets.push(socket)
      const close = () => {
        if (!socket.over) events.closed(1006)
        socket.over = true
      }
      return { send: (bytes) => void socket.sent.push(bytes), close }
    },
    // reason: a connection uses of the core only what is faked here
    core: fakeCore as Core,
    token: 'token',
    firstPauseMs: 0,
    stream: {
      connect: () => void stream.connected++,
      disconnect: () => {
        stream.connected = 0
      },
      receive: (bytes) => void stream.got.push([...bytes]),
      heard: () => void stream.heard++,
    },
    stillLeads: async () => given.leads ?? true,
    changed: (phase) => void phases.push(phase),
  })
  const last = () => {
    const socket = sockets.at(-1)
    if (!socket) throw new Error('a socket was opened')
    return socket
  }
  const open = async () => {
    await time.pass(0)
    last().events.opened()
    connection.coreReady(true)
  }
  return { time, set, sockets, core, stream, phases, connection, last, open, start: time.now() }
}

test('[LINE-1] it connects at once, hands the link to the core, and is online when the core is ready', async () => {
  const s = stage()
  await s.open()
  expect([s.core.links, s.phases, s.connection.since, s.stream.connected]).toEqual([1, ['online'], 0, 1])
  expect(parseUp(s.last().sent[0] ?? new Uint8Array())).toMatchObject({ kind: 'control' })
})

test('[LINE-2] it tries again after half a second, then ever more slowly, up to half a minute, with jitter', async () => {
  const s = stage()
  await s.time.pass(0)
  const pauses: number[] = []
  for (let i = 0; i < 12; i++) {
    const lostAt = s.time.now()
    s.last().events.closed(1006)
    const count = s.sockets.length
    while (s.sockets.length === count) await s.time.pass(100)
    pauses.push(s.last().at - lostAt)
  }
  expect(pauses[0]).toBeGreaterThanOrEqual(500)
  expect(pauses[0]).toBeLessThanOrEqual(1_000)
  expect(pauses.every((pause) => pause <= 30_000)).toBe(true)
  expect(Math.min(...pauses.slice(7))).toBeGreaterThanOrEqual(15_000)
  expect(new Set(pauses.slice(7)).size).toBeGreaterThan(1)
})

test('[LINE-3] `connectNow` does not wait', async () => {
  const s = stage()
  await s.open()
  s.last().events.closed(1006)
  expect([s.phases.at(-1), s.core.lost]).toEqual(['offline', 1])
  s.connection.connectNow()
  expect(s.sockets).toHaveLength(2)
  expect(s.connection.since).toBe(s.start)
})

test('[LINE-4] a token that the relay does not know ends the trying; so does a version that is too old', async () => {
  for (const [code, phase] of [
    [closeCodes.unauthorized, 'expired'],
    [closeCodes.version, 'outdated'],
  ] as const) {
    const s = stage()
    await s.open()
    s.last().events.closed(code)
    await s.time.pass(3_600_000)
    expect([s.connection.phase, s.sockets.length]).toEqual([phase, 1])
  }
})

test('[LINE-5] replaced by a newer engine it stays away; replaced by a twin it comes back when used, or after 30 s, then 60 s', async () => {
  const overtaken = stage({ leads: false })
  await overtaken.open()
  overtaken.last().events.closed(closeCodes.replaced)
  await overtaken.time.pass(3_600_000)
  expect(overtaken.sockets).toHaveLength(1)

  const s = stage()
  await s.open()
  s.last().events.closed(closeCodes.replaced)
  await s.time.pass(29_999)
  expect([s.connection.phase, s.sockets.length]).toEqual(['replaced', 1])
  await s.time.pass(1)
  expect(s.sockets).toHaveLength(2)
  s.last().events.closed(closeCodes.replaced)
  await s.time.pass(59_999)
  expect(s.sockets).toHaveLength(2)
  s.connection.used()
  expect(s.sockets).toHaveLength(3)
})

test('[LINE-6] it beats every ten seconds, and a line that was silent for 25 is dead', async () => {
  const s = stage()
  await s.open()
  await s.time.pass(10_000)
  s.last().events.received(encodeDown({ kind: 'control', message: { t: 'beat', mark: 'm', now: 1 } }))
  await s.time.pass(20_000)
  expect([s.core.beats, s.core.frames.length, s.core.lost]).toEqual([3, 1, 0])
  await s.time.pass(10_000)
  expect([s.core.lost, s.connection.phase]).toEqual([1, 'offline'])
})

test('[LINE-12] a silent line is dead after four beats, though the clock was set back meanwhile', async () => {
  const s = stage()
  await s.open()
  s.set.by = -3_600_000
  await s.time.pass(30_000)
  expect([s.core.beats, s.core.lost]).toEqual([3, 0])
  await s.time.pass(10_000)
  expect([s.core.lost, s.connection.phase]).toEqual([1, 'offline'])
})

test('[LINE-7] the private stream gets its own bytes, the core gets the rest, and bytes that are no frame end the line', async () => {
  const s = stage()
  await s.open()
  s.last().events.received(encodeDown({ kind: 'stock', stream: 1, bytes: Uint8Array.of(1, 2) }))
  s.last().events.received(encodeDown({ kind: 'stock', stream: 9, bytes: Uint8Array.of(3) }))
  expect([s.stream.got, s.core.frames]).toEqual([[[1, 2]], []])
  s.last().events.received(Uint8Array.of(250, 1))
  expect(s.core.lost).toBe(1)
})

test('[LINE-8] a line that breaks as soon as it is up is tried ever more slowly; one that held begins anew', async () => {
  const s = stage()
  const pauses: number[] = []
  await s.time.pass(0)
  for (let i = 0; i < 10; i++) {
    s.last().events.opened()
    s.connection.coreReady(true)
    const lostAt = s.time.now()
    s.last().events.closed(closeCodes.restarting)
    const count = s.sockets.length
    while (s.sockets.length === count) await s.time.pass(100)
    pauses.push(s.last().at - lostAt)
  }
  expect(Math.min(...pauses.slice(7))).toBeGreaterThanOrEqual(15_000)
  s.last().events.opened()
  s.connection.coreReady(true)
  await s.time.pass(10_000)
  const count = s.sockets.length
  s.last().events.closed(closeCodes.restarting)
  await s.time.pass(1_000)
  expect(s.sockets).toHaveLength(count + 1)
})

test('[LINE-9] a private document that is too large for the relay stays here, and the rest goes on', async () => {
  for (const code of [closeCodes.tooLarge, 1009]) {
    const s = stage()
    await s.open()
    s.last().events.closed(code)
    await s.time.pass(30_000)
    s.last().events.opened()
    s.connection.coreReady(true)
    expect([s.connection.phase, s.core.links, s.stream.connected]).toEqual(['online', 2, 0])
  }
})

test('[LINE-11] where the browser says that the network is gone, the line is given up at once, and tried again', async () => {
  const s = stage()
  await s.open()
  s.connection.networkIsGone()
  expect([s.core.lost, s.connection.phase, s.last().over]).toEqual([1, 'offline', true])
  await s.time.pass(1_000)
  expect(s.sockets).toHaveLength(2)
})

test('[STOP-5] a relay that said it stops is met again between that time and twice that, and nothing looks wrong until then', async () => {
  const pauses = new Set<number>()
  const s = stage()
  await s.open()
  for (let i = 0; i < 8; i++) {
    s.last().events.received(encodeDown({ kind: 'control', message: { t: 'restarting', ms: 4_000 } }))
    const [lostAt, count] = [s.time.now(), s.sockets.length]
    s.last().events.closed(closeCodes.restarting)
    expect(s.connection.phase).toBe('connecting')
    await s.time.pass(3_999)
    expect(s.sockets).toHaveLength(count)
    while (s.sockets.length === count) await s.time.pass(50)
    pauses.add(s.last().at - lostAt)
    s.last().events.opened()
    s.connection.coreReady(true)
  }
  expect(Math.max(...pauses)).toBeLessThanOrEqual(8_000)
  expect(pauses.size).toBeGreaterThan(5)
  expect(new Set(s.phases)).toEqual(new Set(['online', 'connecting']))
})

test('[STOP-6] what it said holds for one closing, is bounded, and takes nothing from what a closing code says', async () => {
  const s = stage()
  const announce = (ms: number) => s.last().events.received(encodeDown({ kind: 'control', message: { t: 'restarting', ms } }))
  await s.open()
  announce(3_600_000)
  s.last().events.closed(closeCodes.restarting)
  await s.time.pass(120_000)
  expect(s.sockets).toHaveLength(2)
  // Not there yet: now it is away like any other.
  s.last().events.closed(1006)
  expect(s.connection.phase).toBe('offline')
  await s.time.pass(1_000)
  s.last().events.opened()
  announce(1_000)
  s.last().events.closed(closeCodes.unauthorized)
  expect(s.connection.phase).toBe('expired')
})
