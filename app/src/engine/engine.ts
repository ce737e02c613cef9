// The engine's shell: who is signed in, what tabs ask, and the running account behind it. It does what a core may not know of
// (passwords, tokens, HTTP), and builds the account's core anew from storage when a commit failed.

import type { AccountId, EntryId } from '#shared/base/ids.ts'
import type { RefusalCode } from '#shared/protocol/refusals.ts'
import type { DeviceKeyPair } from '../platform/device-key.ts'
import type { AccountHttp } from './account/account-http.ts'
import type { AccountPorts, SignedIn } from './account/account-ports.ts'
import { askInvite, askUsernameFree } from './account/relay-questions.ts'
import { signIn } from './account/sign-in.ts'
import { endSession } from './account/sign-out.ts'
import { createSignUp } from './account/sign-up.ts'
import { type RunningAccount, type RuntimePorts, runAccount } from './account-runtime.ts'
import type { CallAnswer, CallName, Calls, LinkView, SessionView } from './api.ts'
import type { ConnectionPhase } from './connection.ts'
import type { CoreCallName, CoreCalls } from './core/calls.ts'
import { FencedError } from './device-store.ts'
import type { Subscription } from './rpc.ts'
import type { StoredSession } from './storage/profile-store.ts'
import { createTopicDesk, type News } from './topics.ts'
import { countWaiting, unsentView } from './views/message-views.ts'

export interface EnginePorts extends RuntimePorts {
  http: AccountHttp
  isStrongPassword: AccountPorts['isStrongPassword']
  stretch: AccountPorts['stretch']
  makeDeviceKey(): Promise<DeviceKeyPair>
  /** Everything that was stored for the account. */
  deleteAccount(account: AccountId): Promise<void>
  tell(news: News): void
}

export interface Engine {
  call<Name extends CallName>(id: EntryId, name: Name, args: Calls[Name]['args']): Promise<CallAnswer<Name>>
  subscribe(subscription: Subscription): void
  unsubscribe(subscription: Subscription): void
  /** The browser's word on keeping what is stored, where somebody has asked. */
  persisted(granted: boolean): void
  networkIsBack(): void
  networkIsGone(): void
  stop(): Promise<void>
}

const rebuildPauseMs = 1_000
/** The first stays offline for so long after a failed commit, each next one that fails soon twice as long. */
const awayLeastMs = 1_000
const awayMostMs = 300_000
/** Whoever signs out is not kept waiting for a relay that does not answer. */
const signOutPatienceMs = 3_000

export async function createEngine(ports: EnginePorts, storedPersisted: boolean | undefined): Promise<Engine> {
  const { clock, profile } = ports
  let running: RunningAccount | undefined
  let session: StoredSession | undefined
  let phase: SessionView['phase'] = 'starting'
  let persisted = storedPersisted
  let stopped = false
  /** Commits that failed one soon after the other. */
  let failures = 0
  let runningSince = 0
  const awayMs = () => Math.min(awayMostMs, awayLeastMs * 2 ** (failures - 1))
  const startedAt = clock.now()

  const accountPorts: AccountPorts = {
    http: ports.http,
    clock,
    random: ports.random,
    sodium: ports.sodium,
    isStrongPassword: ports.isStrongPassword,
    stretch: ports.stretch,
    deviceKey: async (account) => {
      const stored = await profile.deviceKey(account)
      return stored ? ports.openDeviceKey(stored) : ports.makeDeviceKey()
    },
  }
  const signUp = createSignUp(accountPorts)

  const sessionView = (): SessionView =>
    session
      ? { phase, account: session.account, username: session.username, operator: session.operator }
      : { phase, account: '', username: '', operator: false }
  const linkView = (): LinkView => {
    if (!running) return { phase: 'connecting', since: startedAt, waiting: 0, full: false, unsent: 0, persisted }
    const { core, document, connection } = running
    const waiting = countWaiting(core.world)
    return {
      // A session that ended is the session's news; for the link it is only away.
      phase: connection.phase === 'expired' ? 'offline' : connection.phase,
      since: connection.since,
      waiting,
      // Of no concern to whoever has nothing to give.
      full: waiting > 0 && (core.world.link?.noRoom ?? false),
      unsent: unsentView(core.world, document.unsent()).length,
      persisted,
    }
  }
  const desk = createTopicDesk(
    {
      session: sessionView,
      link: linkView,
      get core() {
        return running?.core
      },
      get document() {
        return running?.document
      },
      get empty() {
        return phase === 'signed-out'
      },
    },
    ports.tell,
  )

  const start = async (next: StoredSession): Promise<void> => {
    running = await runAccount(
      ports,
      next,
      {
        coreChanged: (changes) => desk.coreChanged(changes),
        documentChanged: (change) => desk.documentChanged(change),
        connectionChanged: (to) => onConnection(to),
        failed: (error) => void rebuild(error),
      },
      failures === 0 ? 0 : awayMs(),
    )
    runningSince = clock.now()
    session = next
    phase = 'signed-in'
    desk.shellChanged('session')
    desk.sourceChanged()
  }

  const onConnection = (to: ConnectionPhase) => {
    if (to === 'expired' && phase === 'signed-in') {
      // The relay does not know the token; what is stored stays, and goes on being used.
      phase = 'expired'
      desk.shellChanged('session')
    }
    desk.shellChanged('link')
  }

  const halt = async (): Promise<void> => {
    const ending = running
    running = undefined
    await ending?.halt()
  }

  /** Memory is ahead of the disk: the disk is right. */
  const rebuild = async (error: unknown): Promise<void> => {
    if (error instanceof FencedError) {
      await halt()
      ports.overtaken()
      return
    }
    ports.report(error)
    // A full disk fails again at the next update: what is held can be read meanwhile, but the relay is not asked for more every second.
    failures = clock.now() - runningSince > 2 * awayMostMs ? 1 : failures + 1
    const again = session
    await halt()
    if (!again || stopped) return
    ports.timers.after(rebuildPauseMs, () => {
      if (session === again && !running && !stopped) start(again).catch(rebuild)
    })
  }

  const enter = async (signedIn: SignedIn): Promise<void> => {
    const { token, account, username, operator, dev, device } = signedIn
    const next: StoredSession = { token, account, username, operator, dev }
    await profile.signIn(next, device.stored)
    await halt()
    failures = 0
    await start(next)
  }

  /** Noted first: if the browser dies in between, the next start goes on with it. */
  const forget = async (account: AccountId): Promise<void> => {
    await profile.forget(account)
    await ports.deleteAccount(account)
    await profile.forgotten()
  }

  const leave = async (force: boolean): Promise<Calls['signOut']['value']> => {
    if (!session) return { done: true, unsent: 0 }
    const leaving = session
    const core = running?.core
    await core?.idle()
    const first = core ? countUnsent(core) : 0
    if (first > 0 && !force) return { done: false, unsent: first }
    // The core ends before anything else: what another tab writes from here on is refused, and not taken and thrown away.
    session = undefined
    await halt()
    const unsent = core ? countUnsent(core) : 0
    if (unsent > 0 && !force) {
      await start(leaving)
      return { done: false, unsent }
    }
    const told = endSession(ports.http, leaving.token)
    await Promise.race([told, new Promise<void>((resolve) => void ports.timers.after(signOutPatienceMs, resolve))])
    phase = 'signed-out'
    await forget(leaving.account)
    desk.shellChanged('session')
    desk.sourceChanged()
    return { done: true, unsent }
  }

  /** Calls that are the shell's own. */
  const own: { [Name in Exclude<CallName, CoreCallName>]: (args: Calls[Name]['args']) => Promise<CallAnswer<Name>> } & {
    join: (args: Calls['join']['args'], id: EntryId) => Promise<CallAnswer<'join'>>
  } = {
    signUp: async (args) => entered(await signUp(args)),
    signIn: async (args) => entered(await signIn(accountPorts, args)),
    signOut: async ({ force }) => ({ ok: true, value: await leave(force) }),
    usernameFree: ({ username }) => askUsernameFree(ports.http, username),
    previewInvite: ({ code }) => askInvite(ports.http, code, session?.token ?? ''),
    join: async ({ code }, id) => {
      if (!running || !session) return notRunning()
      const asked = await askInvite(ports.http, code, session.token)
      if (!asked.ok) return asked
      const { space, joined } = asked.value
      return joined && running.core.world.tables.space.has(space)
        ? { ok: true, value: { space } }
        : running.core.call(id, 'join', { code, space })
    },
    setDraft: async ({ channel, text }) => {
      if (!running) return notRunning()
      await running.document.setDraft(channel, text)
      return { ok: true, value: null }
    },
    connectNow: async () => {
      running?.connection.connectNow()
      return { ok: true, value: null }
    },
  }
  /** Built anew after a failed write it is back in a moment; without a session it is not. */
  const notRunning = (): { ok: false; code: RefusalCode } => ({
    ok: false,
    code: session || phase === 'starting' ? 'busy' : 'unauthorized',
  })
  const entered = async (
    answer: Awaited<ReturnType<typeof signUp>>,
  ): Promise<{ ok: true; value: null } | (typeof answer & { ok: false })> => {
    if (!answer.ok) return answer
    await enter(answer.value)
    return { ok: true, value: null }
  }

  const call = async <Name extends CallName>(id: EntryId, name: Name, args: Calls[Name]['args']): Promise<CallAnswer<Name>> => {
    running?.connection.used()
    if (isOwn(name)) {
      // reason: `own` has the handler of this very name; TypeScript does not follow a key through a generic
      const handler = own[name] as (args: Calls[Name]['args'], id: EntryId) => Promise<CallAnswer<Name>>
      return handler(args, id)
    }
    if (!running) return notRunning()
    // reason: every name that is not `own` is the core's, with the same arguments
    return running.core.call(id, name as CoreCallName, args as CoreCalls[CoreCallName]) as Promise<CallAnswer<Name>>
  }
  const isOwn = (name: CallName): name is keyof typeof own => Object.hasOwn(own, name)

  const leaving = await profile.leaving()
  if (leaving) await forget(leaving)
  const stored = await profile.session()
  if (stored) await start(stored)
  else {
    phase = 'signed-out'
    desk.shellChanged('session')
  }

  return {
    call: async (id, name, args) => {
      try {
        return await call(id, name, args)
      } catch (error) {
        ports.report(error)
        return { ok: false, code: 'internal' }
      }
    },
    subscribe: (subscription) => desk.add(subscription),
    unsubscribe: (subscription) => desk.remove(subscription),
    persisted: (granted) => {
      persisted = granted
      desk.shellChanged('link')
    },
    networkIsBack: () => running?.connection.connectNow(),
    networkIsGone: () => running?.connection.networkIsGone(),
    stop: async () => {
      stopped = true
      await halt()
      profile.close()
    },
  }
}

/** What a person made here and the relay does not have. */
function countUnsent({ world: { tables } }: RunningAccount['core']): number {
  return [...tables.outbox.values()].filter((row) => row.state.kind !== 'accepted').length + tables.command.size
}
