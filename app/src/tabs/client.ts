// How a tab reaches the one engine of this browser: joins the others on the line, and stands in for the leader when it goes.
import { version } from '$app/env'
import type { EngineClient } from '../engine/api.ts'
import engineUrl from '../engine/engine.worker.ts?worker&url'
import { type PageBuild, type RpcMessage, rpcChannel, type TabMessage } from '../engine/rpc.ts'
import { holdLock } from '../platform/lock.ts'
import { browserTimers } from '../platform/timers.ts'
import { trustedWorkerUrl } from '../platform/trusted.ts'
import { createFollower } from './follow.ts'
import { lead } from './lead.ts'

export function joinEngine(): EngineClient {
  const clock = { now: () => Date.now() }
  const page: PageBuild = { build: version, loadedAt: clock.now() }
  const channel = new BroadcastChannel(rpcChannel)
  const post = (message: TabMessage) => channel.postMessage(message)
  const follower = createFollower({
    clock,
    random: { bytes: (length) => crypto.getRandomValues(new Uint8Array(length)) },
    timers: browserTimers,
    page,
    post,
    outdated: reloadWhenHidden,
    firstSent: () => void askToKeep().then((granted) => post({ to: 'engine', kind: 'persisted', granted })),
  })
  channel.onmessage = (event: MessageEvent<RpcMessage>) => follower.receive(event.data)
  addEventListener('pagehide', (event: PageTransitionEvent) => {
    if (!event.persisted) follower.bye()
  })
  lead({
    clock,
    timers: browserTimers,
    lock: holdLock,
    startWorker: (failed) => {
      const worker = new Worker(trustedWorkerUrl(engineUrl), { type: 'module', name: `${page.build} ${page.loadedAt}` })
      worker.onerror = (event) => failed(event.message)
      return worker
    },
    heardAt: () => follower.heardAt,
    isVisible: () => document.visibilityState === 'visible',
  })
  return follower.client
}

let reloads = false

/** Pages and engine of two builds understand each other, but not for ever; nobody is torn out of what he reads. */
function reloadWhenHidden(): void {
  if (reloads) return
  reloads = true
  if (document.visibilityState === 'hidden') location.reload()
  else document.addEventListener('visibilitychange', () => location.reload(), { once: true })
}

/** Only a window may ask, and some browsers ask the person: so not before there is something to lose. */
async function askToKeep(): Promise<boolean> {
  return (await navigator.storage?.persist?.()) ?? false
}
