// A device in Node: the real account flows, engine core and cryptography over a real socket to a real relay, with its disk in memory.
// It connects again as often as it is cut, until it is stopped.
import { createFetchHttp } from '#app/engine/account/account-http.ts'
import type { AccountPorts, SignedIn } from '#app/engine/account/account-ports.ts'
import { signIn } from '#app/engine/account/sign-in.ts'
import { createSignUp } from '#app/engine/account/sign-up.ts'
import type { CallAnswer } from '#app/engine/api.ts'
import type { CoreCallName, CoreCalls } from '#app/engine/core/calls.ts'
import { type Core, createCore } from '#app/engine/core/core.ts'
import { type DeviceKeyPair, makeDeviceKey } from '#app/platform/device-key.ts'
import { type ChannelId, type EntryId, makeTimeId, type SpaceId } from '#shared/base/ids.ts'
import type { Clock, Random } from '#shared/base/ports.ts'
import { stretchLeast } from '#shared/crypto/key-derivation.ts'
import { loadSodium } from '#shared/crypto/sodium.ts'
import { encodeUp, parseDown } from '#shared/protocol/frame-codec.ts'
import { type MemoryDisk, openMemoryDeviceStore } from './memory-device-store.ts'

export const nodePassword = 'a password for machines only'

export interface NodeDevice {
  readonly core: Core
  readonly account: SignedIn
  call<Name extends CoreCallName>(name: Name, args: CoreCalls[Name]): Promise<CallAnswer<Name>>
  send(space: SpaceId, channel: ChannelId, text: string): Promise<EntryId>
  /** Resolves when `holds` is true; looked at after every change. */
  until(holds: () => boolean): Promise<void>
  /** What it has stored. */
  readonly disk: MemoryDisk
  /** Its network is gone; what it does is kept until it is back. */
  setOffline(offline: boolean): void
  stop(): Promise<void>
}

const systemRandom: Random = { bytes: (length) => crypto.getRandomValues(new Uint8Array(length)) }
const systemClock: Clock = { now: () => Date.now() }

/** Signs up where `isNew`, else signs in as another device. `clock` is the device's own and may be wrong. */
export async function startNodeDevice(url: string, username: string, isNew: boolean, clock = systemClock): Promise<NodeDevice> {
  const account = await enter(url, username, isNew, clock)
  const sodium = await loadSodium()
  const listeners = new Set<() => void>()
  let socket: WebSocket | undefined
  let timer: NodeJS.Timeout | undefined
  let isStopped = false
  let isOffline = false
  const store = openMemoryDeviceStore()
  const core = await createCore({
    store,
    clock,
    random: systemRandom,
    signer: { dev: account.dev, sign: (message) => account.device.sign(message) },
    me: { account: account.account, username: account.username },
    words: { keep: () => {}, find: () => undefined, settle: () => {} },
    crypto: async () => sodium,
    wakeAt: (time) => {
      clearTimeout(timer)
      if (time > 0) timer = setTimeout(() => core.wake(), Math.max(0, time - clock.now()))
    },
    changed: () => {
      for (const listen of listeners) listen()
    },
    failed: (error) => {
      throw error
    },
  })
  const connect = () => {
    if (isStopped || isOffline) return
    const line = new WebSocket(`${url.replace(/^http/, 'ws')}/api/socket`)
    line.binaryType = 'arraybuffer'
    socket = line
    let link: ReturnType<Core['connect']> | undefined
    line.onopen = () => {
      const wire = {
        send: (frame: Parameters<typeof encodeUp>[0]) => {
          if (line.readyState === WebSocket.OPEN) line.send(encodeUp(frame))
        },
        close: () => line.close(),
      }
      link = core.connect(wire, account.token)
    }
    line.onmessage = (event) => {
      const frame = parseDown(new Uint8Array(event.data))
      if (frame && frame.kind !== 'unknown') link?.receive(frame)
    }
    line.onclose = () => {
      link?.closed()
      setTimeout(connect, 100).unref()
    }
  }
  connect()
  const beats = setInterval(() => core.beat(), 10_000)
  const newId = () => makeTimeId<'entry'>(clock.now(), systemRandom.bytes(16))
  return {
    core,
    account,
    call: (name, args) => core.call(newId(), name, args),
    send: async (space, channel, text) => {
      const answer = await core.call(newId(), 'send', { space, channel, text })
      if (!answer.ok) throw new Error(`not saved: ${answer.code}`)
      return answer.value.id
    },
    until: (holds) =>
      new Promise((resolve) => {
        const look = () => {
          if (!holds()) return
          listeners.delete(look)
          resolve()
        }
        listeners.add(look)
        look()
      }),
    disk: store.disk,
    setOffline: (offline) => {
      if (offline === isOffline) return
      isOffline = offline
      if (offline) socket?.close()
      else connect()
    },
    stop: async () => {
      isStopped = true
      clearInterval(beats)
      clearTimeout(timer)
      await core.stop()
      socket?.close()
    },
  }
}

async function enter(url: string, username: string, isNew: boolean, clock: Clock): Promise<SignedIn> {
  let key: DeviceKeyPair | undefined
  const ports: AccountPorts = {
    http: createFetchHttp((path, init) => fetch(`${url}${String(path)}`, init)),
    clock,
    random: systemRandom,
    sodium: loadSodium,
    deviceKey: async () => {
      key ??= await makeDeviceKey({ subtle: undefined, random: systemRandom, sodium: loadSodium, keeps: async () => false })
      return key
    },
    isStrongPassword: async () => true,
    stretch: stretchLeast,
  }
  const answer = isNew
    ? await createSignUp(ports)({ username, email: `${username}@people.example`, password: nodePassword })
    : await signIn(ports, { login: username, password: nodePassword })
  if (!answer.ok) throw new Error(`${username} is not let in: ${answer.code}`)
  return answer.value
}
