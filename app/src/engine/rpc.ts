// What tabs and the engine say to each other over BroadcastChannel. Every tab hears everything and takes what is for it.
import type { EntryId } from '#shared/base/ids.ts'
import type { CallAnswer, CallName, Calls, TopicName, Topics } from './api.ts'

export const rpcChannel = 'dupecord-engine'
/** Who holds this lock runs the engine. */
export const engineLock = 'dupecord-engine'

/** Of a page: which build it runs and when it was loaded, by the clock that all tabs share. Loaded later is the same build or a newer one. */
export interface PageBuild {
  build: string
  loadedAt: number
}

export type Subscription = { [Name in TopicName]: { topic: Name; key: Topics[Name]['key'] } }[TopicName]

/** From a tab. `tab` is random, new with every page load. */
export type TabMessage =
  /** Here I am, with all that I look at: at the start, to a new engine, and from time to time, so that a lost tab can be told from a quiet one. */
  | { to: 'engine'; kind: 'here'; tab: string; page: PageBuild; subscriptions: Subscription[] }
  | { to: 'engine'; kind: 'subscribe'; tab: string; subscription: Subscription }
  | { to: 'engine'; kind: 'unsubscribe'; tab: string; subscription: Subscription }
  /** `id` is made by the caller and stays when the call is sent again to the next engine: nothing is done twice. */
  | {
      [Name in CallName]: { to: 'engine'; kind: 'call'; tab: string; id: EntryId; name: Name; args: Calls[Name]['args'] }
    }[CallName]
  /** What `navigator.storage.persist()` said: only a window can ask. */
  | { to: 'engine'; kind: 'persisted'; granted: boolean }
  | { to: 'engine'; kind: 'bye'; tab: string }

/** From the engine. */
export type EngineMessage =
  /** It lives. Sent every two seconds: a leader that is frozen keeps its lock, and is known by its silence. `started` marks its first. */
  | { to: 'tabs'; kind: 'pulse'; page: PageBuild; epoch: number; started: boolean }
  | { to: 'tabs'; kind: 'answer'; tab: string; id: EntryId; answer: CallAnswer<CallName> }
  | {
      [Name in TopicName]: { to: 'tabs'; kind: 'news'; topic: Name; key: Topics[Name]['key']; value: Topics[Name]['value'] }
    }[TopicName]

export type RpcMessage = TabMessage | EngineMessage

export const pulseMs = 2_000
/** A tab that looks at something says so this often; a hidden one may be held back to once a minute. */
export const hereMs = 30_000
export const tabLostMs = 150_000
