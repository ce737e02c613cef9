// The engine's shell over a disk that a real core has filled: what happens around a sign-out.
import { expect, test } from 'vitest'
import type { DeviceStore } from '#app/engine/device-store.ts'
import { createEngine, type EnginePorts } from '#app/engine/engine.ts'
import type { StoredSession } from '#app/engine/storage/profile-store.ts'
import type { SocketEvents } from '#app/platform/socket.ts'
import { makeTimeId } from '#shared/base/ids.ts'
import { createPrng } from '#shared/base/prng.ts'
import { encodeDown } from '#shared/protocol/frame-codec.ts'
import { createManualTime } from '../../../fakes/manual-timers.ts'
import { openMemoryDeviceStore } from '../../../fakes/memory-device-store.ts'
import { createEngineWorld } from '../engine-world.ts'

async function stage(given: { diskIsFull?: boolean } = {}) {
  const world = createEngineWorld()
  const ann = await world.join('ann')
  const place = await world.community(ann)
  await ann.cut()
  await ann.core.stop()
  const { me, signer } = ann.core.world.ports
  const time = createManualTime(world.clock.time)
  const random = createPrng(8)
  const session: StoredSession = { token: 'token', account: me.account, username: 'ann', operator: false, dev: signer.dev }
  const deleted: string[] = []
  const sockets: SocketEvents[] = []
  let answerSignOut = () => {}
  const ports = {
    clock: time,
    timers: time,
    random,
    http: {
      post: () =>
        new Promise((resolve) => {
          answerSignOut = () => resolve({ ok: true, value: undefined })
        }),
    },
    sodium: async () => {
      throw new Error('not here')
    },
    profile: {
      epoch: 1,
      session: async () => session,
      deviceKey: async () => ({}),
      forget: async () => {},
      forgotten: async () => {},
      leaving: async () => undefined,
      leads: async () => true,
      close: () => {},
    },
    openDeviceKey: () => ({ sign: async () => new Uint8Array(64) }),
    openStore: async (): Promise<DeviceStore> => {
      const store = openMemoryDeviceStore(ann.disk)
      const commit = async () => {
        throw new Error('the disk is full')
      }
      return given.diskIsFull ? { ...store, commit } : store
    },
    openDocument: () => ({
      loaded: true,
      keep: () => {},
      find: () => undefined,
      settle: () => {},
      unsent: () => [],
      connect: () => {},
      disconnect: () => {},
      heard: () => {},
      close: async () => {},
    }),
    openSocket: (events: SocketEvents) => {
      sockets.push(events)
      return { send: () => {}, close: () => {} }
    },
    deleteAccount: async (account: string) => void deleted.push(account),
    tell: () => {},
    overtaken: () => {},
    report: () => {},
  }
  // reason: the flows of signing in, which use the rest, are not called here
  const engine = await createEngine(ports as unknown as EnginePorts, undefined)
  return {
    time,
    engine,
    place,
    deleted,
    sockets,
    session,
    disk: ann.disk,
    answerSignOut: () => answerSignOut(),
    id: () => makeTimeId<'entry'>(time.now(), random.bytes(16)),
  }
}

test('[IN-19] what another tab writes while one signs out is not taken and thrown away', async () => {
  const s = await stage()
  const leaving = s.engine.call(s.id(), 'signOut', { force: false })
  await s.time.pass(1)
  const said = await s.engine.call(s.id(), 'send', { ...s.place, text: 'wait for me' })
  s.answerSignOut()
  await s.time.pass(3_000)
  const left = await leaving
  expect(said.ok && s.deleted.length > 0).toBe(false)
  expect([said.ok, left]).toEqual([false, { ok: true, value: { done: true, unsent: 0 } }])
})

test('[IN-20] what was written just before is counted, and everything goes on', async () => {
  const s = await stage()
  const said = s.engine.call(s.id(), 'send', { ...s.place, text: 'one more thing' })
  const left = s.engine.call(s.id(), 'signOut', { force: false })
  await s.time.pass(1)
  s.answerSignOut()
  await s.time.pass(3_000)
  expect([(await said).ok, await left]).toEqual([true, { ok: true, value: { done: false, unsent: 1 } }])
  expect([s.deleted, s.disk.tables.outbox.size]).toEqual([[], 1])
  expect((await s.engine.call(s.id(), 'send', { ...s.place, text: 'and another' })).ok).toBe(true)
})

test('[LINE-10] a disk that takes nothing does not bring the device back to the relay every second', async () => {
  const s = await stage({ diskIsFull: true })
  const { account, dev } = s.session
  let answered = 0
  for (let second = 0; second < 600; second++) {
    await s.time.pass(1_000)
    for (; answered < s.sockets.length; answered++) {
      s.sockets[answered]?.opened()
      const about = { v: 1, incarnation: 'another', now: s.time.now(), mark: 'm', account, dev, username: 'ann' } as const
      s.sockets[answered]?.received(encodeDown({ kind: 'control', message: { t: 'welcome', ...about } }))
    }
  }
  expect(answered).toBeGreaterThan(3)
  expect(answered).toBeLessThan(15)
})
