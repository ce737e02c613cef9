// Tabs and the engine's end of the line over a fake BroadcastChannel, and who leads over a fake lock.
import { expect, test } from 'vitest'
import type { CallAnswer, CallName, Topics } from '#app/engine/api.ts'
import type { Engine } from '#app/engine/engine.ts'
import type { RpcMessage, Subscription } from '#app/engine/rpc.ts'
import { createRpcServer } from '#app/engine/rpc-server.ts'
import { createFollower } from '#app/tabs/follow.ts'
import { type EngineWorker, lead } from '#app/tabs/lead.ts'

import { idFromBytes } from '#shared/base/ids.ts'
import { createPrng } from '#shared/base/prng.ts'
import { createManualTime } from '../../fakes/manual-timers.ts'

function createAir() {
  const listeners = new Set<(message: RpcMessage) => void>()
  return {
    /** As BroadcastChannel: whoever speaks does not hear himself, and gets copies, later. */
    join: (listen: (message: RpcMessage) => void) => {
      listeners.add(listen)
      return {
        post: (message: RpcMessage) => {
          if (!listeners.has(listen)) return
          for (const other of listeners)
            if (other !== listen) queueMicrotask(() => listeners.has(other) && other(structuredClone(message)))
        },
        leave: () => void listeners.delete(listen),
      }
    },
  }
}

function stage() {
  const time = createManualTime()
  const random = createPrng(4)
  const air = createAir()
  const place = { space: idFromBytes<'space'>(random.bytes(16)), channel: idFromBytes<'channel'>(random.bytes(16)) }

  /** An engine that remembers what it was told, and answers calls when it is told to. */
  const engine = (epoch: number, build = 'b1', loadedAt = 0) => {
    const calls: { id: string; name: CallName; answer: (answer: CallAnswer<CallName>) => void }[] = []
    const watched: Subscription[] = []
    const granted: boolean[] = []
    let receive: (message: RpcMessage) => void = () => {}
    const line = air.join((message) => receive(message))
    const server = createRpcServer({ clock: time, timers: time, page: { build, loadedAt }, epoch, post: line.post })
    receive = server.receive
    const fake: Engine = {
      call: (id, name) =>
        new Promise((resolve) => {
          // reason: the test answers with what fits the name
          calls.push({ id, name, answer: resolve as (answer: CallAnswer<CallName>) => void })
        }),
      subscribe: (one) => void watched.push(one),
      unsubscribe: (one) =>
        void watched.splice(
          watched.findIndex((other) => other.topic === one.topic && other.key === one.key),
          1,
        ),
      persisted: (yes) => void granted.push(yes),
      networkIsBack: () => {},
      networkIsGone: () => {},
      stop: async () => {},
    }
    return {
      calls,
      watched,
      granted,
      serve: () => server.serve(fake),
      tell: (text: string) => {
        const value: Topics['draft']['value'] = { text }
        line.post({ to: 'tabs', kind: 'news', topic: 'draft', key: place.channel, value })
      },
      die: () => {
        server.stop()
        line.leave()
      },
    }
  }
  const tab = (build = 'b1', loadedAt = 0) => {
    const told = { outdated: 0, firstSent: 0 }
    let receive: (message: RpcMessage) => void = () => {}
    const line = air.join((message) => receive(message))
    const follower = createFollower({
      clock: time,
      random,
      timers: time,
      page: { build, loadedAt },
      post: line.post,
      outdated: () => void told.outdated++,
      firstSent: () => void told.firstSent++,
    })
    receive = follower.receive
    return { ...follower, told, leave: line.leave }
  }
  return { time, engine, tab, ...place }
}

test('[LEAD-1] a call is answered to the tab that made it, and a topic is told to all that look', async () => {
  const s = stage()
  const engine = s.engine(1)
  engine.serve()
  const [one, two] = [s.tab(), s.tab()]
  const heard: string[] = []
  one.client.subscribe('draft', s.channel, ({ text }) => void heard.push(`one ${text}`))
  two.client.subscribe('draft', s.channel, ({ text }) => void heard.push(`two ${text}`))
  const sent = one.client.call('send', { space: s.space, channel: s.channel, text: 'hello' })
  await s.time.pass(1)
  expect(engine.watched).toHaveLength(2)
  engine.calls[0]?.answer({ ok: true, value: null })
  engine.tell('words')
  expect(await sent).toEqual({ ok: true, value: null })
  await s.time.pass(1)
  expect(heard).toEqual(['one words', 'two words'])
  expect([one.told.firstSent, two.told.firstSent]).toEqual([1, 0])
})

test('[LEAD-2] a new engine gets what the old one left unanswered, under the same id, and who looks at what', async () => {
  const s = stage()
  const first = s.engine(1)
  first.serve()
  const tab = s.tab()
  tab.client.subscribe('communities', '', () => {})
  const open = tab.client.call('send', { space: s.space, channel: s.channel, text: 'hello' })
  await s.time.pass(1)
  first.die()
  const second = s.engine(2)
  await s.time.pass(1)
  second.serve()
  await s.time.pass(1)
  expect(second.calls.map(({ id, name }) => [id, name])).toEqual(first.calls.map(({ id, name }) => [id, name]))
  expect(second.watched).toEqual([{ topic: 'communities', key: '' }])
  second.calls[0]?.answer({ ok: false, code: 'size' })
  expect(await open).toEqual({ ok: false, code: 'size' })
})

test('[LEAD-3] what is asked while the engine starts waits for it; the last value known is told at once', async () => {
  const s = stage()
  const tab = s.tab()
  const engine = s.engine(1)
  void tab.client.call('connectNow', {})
  await s.time.pass(1)
  expect(engine.calls).toEqual([])
  engine.serve()
  await s.time.pass(1)
  // Asked once, though it was heard before the engine spoke and again when it did.
  expect(engine.calls).toHaveLength(1)
  const heard: string[] = []
  const stop = tab.client.subscribe('draft', s.channel, ({ text }) => void heard.push(text))
  await s.time.pass(1)
  engine.tell('words')
  await s.time.pass(1)
  stop()
  tab.client.subscribe('draft', s.channel, ({ text }) => void heard.push(`again ${text}`))
  expect(heard).toEqual(['words', 'again words'])
})

test('[LEAD-4] a topic that nobody looks at any more is let go after a while, and so is a tab that fell silent', async () => {
  const s = stage()
  const engine = s.engine(1)
  engine.serve()
  const tab = s.tab()
  const stop = tab.client.subscribe('communities', '', () => {})
  tab.client.subscribe('unsent', '', () => {})
  await s.time.pass(1)
  stop()
  await s.time.pass(9_000)
  expect(engine.watched).toHaveLength(2)
  await s.time.pass(2_000)
  expect(engine.watched).toEqual([{ topic: 'unsent', key: '' }])
  await s.time.pass(600_000)
  expect(engine.watched).toHaveLength(1)
  tab.leave()
  await s.time.pass(200_000)
  expect(engine.watched).toEqual([])
})

test('[LEAD-5] the page that was loaded earlier is the outdated one, whether it leads or follows', async () => {
  const s = stage()
  const old = s.tab('b1', 1)
  s.engine(1, 'b1', 1).serve()
  await s.time.pass(1)
  const fresh = s.tab('b2', 2)
  await s.time.pass(3_000)
  expect([old.told.outdated > 0, fresh.told.outdated]).toEqual([true, 0])
  const other = stage()
  const follower = other.tab('b1', 1)
  other.engine(1, 'b2', 2).serve()
  await other.time.pass(1)
  expect(follower.told.outdated).toBeGreaterThan(0)
})

/** One lock as the browser has it: first come, first served, unless it is stolen. */
function createLocks() {
  let holder: { lose: () => void } | undefined
  const line: (() => void)[] = []
  const grant = () => {
    if (!holder) line.shift()?.()
  }
  const page = () => {
    let mine: { lose: () => void } | undefined
    let gone = false
    return {
      lock: (_: string, { steal }: { steal: boolean }) =>
        new Promise<{ release(): void; lost: Promise<void> }>((resolve) => {
          const take = () => {
            if (gone) return grant()
            let lose = () => {}
            const lost = new Promise<void>((done) => {
              lose = done
            })
            mine = { lose }
            holder = mine
            resolve({ release: () => {}, lost })
          }
          if (steal) {
            holder?.lose()
            take()
          } else line.push(take)
          queueMicrotask(grant)
        }),
      close: () => {
        gone = true
        if (holder === mine) holder = undefined
        grant()
      },
    }
  }
  return { page }
}

function leadStage(pages: number, heardAt: () => number) {
  const time = createManualTime()
  const locks = createLocks()
  const running: string[] = []
  const failures: ((why: string) => void)[] = []
  const made = Array.from({ length: pages }, (_, nr) => {
    const page = { ...locks.page(), visible: true }
    lead({
      clock: time,
      timers: time,
      lock: page.lock,
      startWorker: (failed): EngineWorker => {
        const name = `page ${nr}`
        running.push(name)
        failures.push(failed)
        return { terminate: () => void running.splice(running.indexOf(name), 1) }
      },
      heardAt,
      isVisible: () => page.visible,
    })
    return page
  })
  return { time, running, failures, pages: made }
}

test('[LEAD-6] one page runs the engine; when it goes the next one does, at once', async () => {
  const time = { heard: 0 }
  const s = leadStage(3, () => time.heard)
  await s.time.pass(1)
  expect(s.running).toEqual(['page 0'])
  s.running.length = 0
  s.pages[0]?.close()
  await s.time.pass(1)
  expect(s.running).toEqual(['page 1'])
})

test('[LEAD-7] a leader that is silent for ten seconds is overtaken by a page that somebody looks at; thawed, it ends its engine', async () => {
  let heard = 0
  const s = leadStage(2, () => heard)
  const [leader, other] = s.pages
  if (!leader || !other) throw new Error('two pages')
  leader.visible = false
  other.visible = false
  await s.time.pass(1)
  heard = s.time.now()
  await s.time.pass(60_000)
  expect(s.running).toEqual(['page 0'])
  other.visible = true
  await s.time.pass(4_000)
  expect(s.running).toEqual(['page 1'])
  heard = s.time.now()
  await s.time.pass(8_000)
  expect(s.running).toEqual(['page 1'])
})

test('[LEAD-8] a worker that could not start is started again after a second', async () => {
  const s = leadStage(1, () => s.time.now())
  await s.time.pass(1)
  s.failures[0]?.('the download broke off')
  expect(s.running).toEqual([])
  await s.time.pass(1_000)
  expect(s.running).toEqual(['page 0'])
})
