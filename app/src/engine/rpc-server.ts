// The engine's end of the line to the tabs: answers calls, keeps who looks at what, and shows that it lives.
// A tab that went without a word (a crash) is dropped when it has been silent for long.
import type { Clock } from '#shared/base/ports.ts'
import type { Timers } from '../platform/timers.ts'
import type { Engine } from './engine.ts'
import {
  type EngineMessage,
  type PageBuild,
  pulseMs,
  type RpcMessage,
  type Subscription,
  type TabMessage,
  tabLostMs,
} from './rpc.ts'

export interface RpcServer {
  /** The engine is up: what was asked meanwhile is answered now. */
  serve(engine: Engine): void
  stop(): void
}

export interface RpcServerPorts {
  clock: Clock
  timers: Timers
  /** Of the page that runs this engine. */
  page: PageBuild
  epoch: number
  post(message: EngineMessage): void
}

interface Tab {
  seenAt: number
  subscriptions: Subscription[]
}

/** @returns also what takes a message in */
export function createRpcServer(ports: RpcServerPorts): RpcServer & { receive(message: RpcMessage): void } {
  const { clock, timers, page, epoch, post } = ports
  const tabs = new Map<string, Tab>()
  let engine: Engine | undefined
  let waiting: TabMessage[] = []
  /** Calls that the engine is at. A tab that hears a new engine asks again, and may have been heard before: a sign-in must not run twice. */
  const underWay = new Set<string>()

  const tabOf = (id: string): Tab => {
    const tab = tabs.get(id) ?? { seenAt: 0, subscriptions: [] }
    tab.seenAt = clock.now()
    tabs.set(id, tab)
    return tab
  }
  const has = (tab: Tab, { topic, key }: Subscription) => tab.subscriptions.some((one) => one.topic === topic && one.key === key)
  const add = (tab: Tab, subscription: Subscription) => {
    if (has(tab, subscription)) return
    tab.subscriptions.push(subscription)
    engine?.subscribe(subscription)
  }
  const remove = (tab: Tab, { topic, key }: Subscription) => {
    const at = tab.subscriptions.findIndex((one) => one.topic === topic && one.key === key)
    const [gone] = at < 0 ? [] : tab.subscriptions.splice(at, 1)
    if (gone) engine?.unsubscribe(gone)
  }
  const lose = (id: string) => {
    const tab = tabs.get(id)
    for (const subscription of [...(tab?.subscriptions ?? [])]) if (tab) remove(tab, subscription)
    tabs.delete(id)
  }

  const handle = async (message: TabMessage, serving: Engine): Promise<void> => {
    switch (message.kind) {
      case 'here': {
        const tab = tabOf(message.tab)
        const wanted = message.subscriptions
        for (const old of [...tab.subscriptions])
          if (!wanted.some((one) => one.topic === old.topic && one.key === old.key)) remove(tab, old)
        for (const subscription of wanted) add(tab, subscription)
        return
      }
      case 'subscribe':
        return add(tabOf(message.tab), message.subscription)
      case 'unsubscribe':
        return remove(tabOf(message.tab), message.subscription)
      case 'call': {
        if (underWay.has(message.id)) return
        underWay.add(message.id)
        const answer = await serving.call(message.id, message.name, message.args).finally(() => underWay.delete(message.id))
        return post({ to: 'tabs', kind: 'answer', tab: message.tab, id: message.id, answer })
      }
      case 'persisted':
        return serving.persisted(message.granted)
      case 'bye':
        return lose(message.tab)
    }
  }

  const pulse = (started: boolean) => post({ to: 'tabs', kind: 'pulse', page, epoch, started })
  const cancels = [
    timers.every(pulseMs, () => pulse(false)),
    timers.every(tabLostMs / 5, () => {
      for (const [id, tab] of tabs) if (clock.now() - tab.seenAt > tabLostMs) lose(id)
    }),
  ]
  // Every tab answers with what it looks at, and sends again what the last engine did not answer.
  pulse(true)

  return {
    receive: (message) => {
      if (message.to !== 'engine') return
      if (engine) void handle(message, engine)
      else waiting.push(message)
    },
    serve: (up) => {
      engine = up
      const held = waiting
      waiting = []
      for (const message of held) void handle(message, up)
    },
    stop: () => {
      for (const cancel of cancels) cancel()
    },
  }
}
