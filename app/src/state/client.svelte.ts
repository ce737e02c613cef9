// The one place that holds the engine's client. Everything else in `state` asks here; components never see it.
// It also turns the engine's topics into runes: a topic is subscribed while something on screen reads it, and shared by all that do.
import { createSubscriber } from 'svelte/reactivity'
import { assert } from '#shared/base/assert.ts'
import type { CallAnswer, CallName, Calls, EngineClient, TopicName, Topics } from '../engine/api.ts'

export interface Topic<Name extends TopicName> {
  /** `undefined` until the engine has said something. */
  readonly current: Topics[Name]['value'] | undefined
}

let client: EngineClient | undefined
const held = new Map<string, Topic<TopicName>>()

/** Called once by the root layout, before anything is drawn. */
export function setEngineClient(joined: EngineClient): void {
  client = joined
  held.clear()
}

export function engineClient(): EngineClient {
  assert(client !== undefined, 'the root layout sets the client before a component reads state')
  return client
}

export function call<Name extends CallName>(name: Name, args: Calls[Name]['args']): Promise<CallAnswer<Name>> {
  return engineClient().call(name, args)
}

/** Read `current` inside a component or a `$derived`: it follows the engine as long as it is read there. */
export function topic<Name extends TopicName>(name: Name, key: Topics[Name]['key']): Topic<Name> {
  const place = `${name} ${key}`
  const known = held.get(place)
  // reason: the map's key begins with the topic's name, so what lies there is of that name
  if (known) return known as Topic<Name>
  const made = follow(name, key, () => held.delete(place))
  held.set(place, made)
  return made
}

function follow<Name extends TopicName>(name: Name, key: Topics[Name]['key'], onIdle: () => void): Topic<Name> {
  let value: Topics[Name]['value'] | undefined
  const subscribe = createSubscriber((update) => {
    const stop = engineClient().subscribe(name, key, (next) => {
      value = next
      update()
    })
    return () => {
      onIdle()
      stop()
    }
  })
  return {
    get current() {
      subscribe()
      return value
    },
  }
}
