// A view's end of the line: calls with ids, subscriptions, and what to do when another engine leads. Knows no lock and no worker.
import { type EntryId, makeTimeId } from '#shared/base/ids.ts'
import type { Clock, Random } from '#shared/base/ports.ts'
import type { CallAnswer, CallName, EngineClient, TopicName, Topics } from '../engine/api.ts'
import { type EngineMessage, hereMs, type PageBuild, type RpcMessage, type Subscription, type TabMessage } from '../engine/rpc.ts'
import type { Timers } from '../platform/timers.ts'

export interface FollowPorts {
  clock: Clock
  random: Random
  timers: Timers
  page: PageBuild
  post(message: TabMessage): void
  /** A page that was loaded later runs another build: this one is of yesterday. */
  outdated(): void
  /** The first message of one's own is saved: now the browser may be asked to keep it. */
  firstSent(): void
}

export interface Follower {
  client: EngineClient
  receive(message: RpcMessage): void
  /** When an engine was heard last, by our clock; 0 = never. */
  readonly heardAt: number
  /** This page goes. */
  bye(): void
}

interface OpenCall {
  message: TabMessage & { kind: 'call' }
  resolve(answer: CallAnswer<CallName>): void
}

interface Topic {
  subscription: Subscription
  listeners: Set<(value: Topics[TopicName]['value']) => void>
  known: { value: Topics[TopicName]['value'] } | undefined
}

/** A topic that nobody reads any more is kept this long: going back to a channel shows at once what was there. */
const lingerMs = 10_000

export function createFollower(ports: FollowPorts): Follower {
  const { clock, random, timers, page, post } = ports
  const tab = makeTimeId(clock.now(), random.bytes(16))
  const calls = new Map<EntryId, OpenCall>()
  const topics = new Map<string, Topic>()
  let heardAt = 0
  let sent = false

  const here = () => {
    const subscriptions = [...topics.values()].map((topic) => topic.subscription)
    post({ to: 'engine', kind: 'here', tab, page, subscriptions })
  }
  timers.every(hereMs, here)
  here()

  const compare = (other: PageBuild) => {
    if (other.build !== page.build && other.loadedAt > page.loadedAt) ports.outdated()
  }
  const onEngine = (message: EngineMessage) => {
    heardAt = clock.now()
    switch (message.kind) {
      case 'pulse':
        compare(message.page)
        if (!message.started) return
        // A new engine knows nothing of us: what we look at, and what the last one left unanswered. Each call keeps its id.
        here()
        for (const { message: open } of calls.values()) post(open)
        return
      case 'answer': {
        const open = message.tab === tab ? calls.get(message.id) : undefined
        if (!open) return
        calls.delete(message.id)
        open.resolve(message.answer)
        if (open.message.name === 'send' && message.answer.ok && !sent) {
          sent = true
          ports.firstSent()
        }
        return
      }
      case 'news': {
        const topic = topics.get(`${message.topic} ${message.key}`)
        if (!topic) return
        topic.known = { value: message.value }
        for (const listen of [...topic.listeners]) listen(message.value)
      }
    }
  }

  return {
    get heardAt() {
      return heardAt
    },
    receive: (message) => {
      if (message.to === 'tabs') onEngine(message)
      else if (message.kind === 'here') compare(message.page)
    },
    bye: () => post({ to: 'engine', kind: 'bye', tab }),
    client: {
      call: (name, args) =>
        new Promise((resolve) => {
          const id = makeTimeId<'entry'>(clock.now(), random.bytes(16))
          // reason: name and args belong together by this function's type, which the union of all calls cannot say
          const message = { to: 'engine', kind: 'call', tab, id, name, args } as TabMessage & { kind: 'call' }
          // reason: the answer to a call of this name is of this name's type, which the map of all calls cannot say
          calls.set(id, { message, resolve: resolve as OpenCall['resolve'] })
          post(message)
        }),
      subscribe: (name, key, listen) => {
        const place = `${name} ${key}`
        const known = topics.get(place)
        // reason: a topic's name and key belong together by this function's type, and so do its value and listener
        const subscription = { topic: name, key } as Subscription
        const topic: Topic = known ?? { subscription, listeners: new Set(), known: undefined }
        // reason: as above
        const heard = listen as (value: Topics[TopicName]['value']) => void
        topic.listeners.add(heard)
        topics.set(place, topic)
        if (!known) post({ to: 'engine', kind: 'subscribe', tab, subscription })
        else if (topic.known) heard(topic.known.value)
        return () => {
          topic.listeners.delete(heard)
          timers.after(lingerMs, () => {
            if (topic.listeners.size > 0 || topics.get(place) !== topic) return
            topics.delete(place)
            post({ to: 'engine', kind: 'unsubscribe', tab, subscription })
          })
        }
      },
    },
  }
}
