// Somebody with a real account on a relay in this process: signs what he writes with his device's key and hands it to the hub as frames.
import { createFetchHttp } from '#app/engine/account/account-http.ts'
import { endSession } from '#app/engine/account/sign-out.ts'
import { createSignUp } from '#app/engine/account/sign-up.ts'
import { openDeviceKey } from '#app/platform/device-key.ts'
import { passwordStrength } from '#app/platform/password-strength.ts'
import { nodeRandom } from '#relay/crypto.ts'
import { toBase64Url, utf8 } from '#shared/base/bytes.ts'
import { type AccountId, type ChannelId, type DeviceId, type EntryId, makeTimeId, type SpaceId } from '#shared/base/ids.ts'
import type { Random } from '#shared/base/ports.ts'
import type { CommandAct } from '#shared/community/command.ts'
import { writeCommandText } from '#shared/community/command-codec.ts'
import { stretchLeast } from '#shared/crypto/key-derivation.ts'
import type { Signer } from '#shared/crypto/ports.ts'
import { commandSignedBytes, entrySignedBytes } from '#shared/crypto/signed-bytes.ts'
import type { Sodium } from '#shared/crypto/sodium.ts'
import type { EntryFields } from '#shared/log/entry.ts'
import { encodeEntry, writeEntryText } from '#shared/log/entry-codec.ts'
import { encodeUp, parseDown } from '#shared/protocol/frame-codec.ts'
import { type ControlDown, type ControlUp, type FrameUp, protocolVersion } from '#shared/protocol/frames.ts'
import type { Verdict } from '#shared/protocol/records.ts'
import type { SeedRelay } from './seed-relay.ts'

export type Words = Pick<EntryFields, 'op' | 'ref' | 'body'>

export interface SeedPerson {
  username: string
  account: AccountId
  /** @throws where the relay refuses: a seed does only what may be done */
  command(space: SpaceId, act: CommandAct, secret?: string): Promise<void>
  /** An entry as it would be sent, signed at the clock's time. */
  sign(place: { space: SpaceId; channel: ChannelId }, words: Words): { id: EntryId; bytes: Uint8Array }
  /** Hands over frames of entries, in one turn where the hub's bounds allow it; answers the relay's verdicts. */
  append(channel: ChannelId, entries: readonly Uint8Array[]): Promise<Verdict[]>
  markRead(channel: ChannelId, seq: number): Promise<void>
  /** Ends his session. */
  leave(): Promise<void>
  /** Closes his link; the session lives on. */
  hangUp(): void
}

/** Somebody who has an account, a certified device and a session already. */
export interface Entered {
  username: string
  account: AccountId
  dev: DeviceId
  token: string
  /** Of the device's certified key. */
  signer: Signer
}

/** Entries of one append frame: the protocol's most. */
const frameEntriesMax = 64

/** @param ids where the ids of what he writes come from; keys are always random */
export async function enterPerson(
  relay: SeedRelay,
  sodium: Sodium,
  ids: Random,
  given: { username: string; email: string; password: string },
): Promise<SeedPerson> {
  const { clock } = relay
  const seed = nodeRandom.bytes(32)
  const signer = sodium.signerFromSeed(seed)
  const http = createFetchHttp(relay.fetch)
  const entered = await createSignUp({
    http,
    clock,
    random: nodeRandom,
    sodium: async () => sodium,
    deviceKey: async () =>
      openDeviceKey({ kind: 'seed', publicKey: signer.publicKey, seed }, { subtle: undefined, sodium: async () => sodium }),
    isStrongPassword: async (password, about) => (await passwordStrength(password, about)).enough,
    stretch: stretchLeast,
  })(given)
  if (!entered.ok) throw new Error(`${given.username} gets no account: ${entered.code}`)
  const { account, dev, token } = entered.value
  return seatPerson(relay, ids, { username: given.username, account, dev, token, signer })
}

/** Signs in over a link to the hub. */
export async function seatPerson(relay: SeedRelay, ids: Random, entered: Entered): Promise<SeedPerson> {
  const { clock, hub } = relay
  const { username, account, dev, token, signer } = entered
  let answers: ControlDown[] = []
  let closed = ''
  const link = hub.connect({
    send(bytes) {
      const frame = parseDown(bytes)
      if (frame?.kind === 'control') answers.push(frame.message)
    },
    close(code, reason) {
      closed = `${code} ${reason}`
    },
    queuedBytes: () => 0,
  })
  let nr = 0

  async function ask(frames: readonly FrameUp[]): Promise<ControlDown[]> {
    answers = []
    for (const frame of frames) link.receive(encodeUp(frame))
    await hub.idle()
    if (closed !== '') throw new Error(`the relay closed the link of ${username}: ${closed}`)
    return answers
  }
  const say = (message: ControlUp) => ask([{ kind: 'control', message }])

  const welcome = (await say({ t: 'hello', v: protocolVersion, token, incarnation: '', mark: '' })).find(
    (one) => one.t === 'welcome',
  )
  if (!welcome) throw new Error(`${username} is not welcome`)

  return {
    username,
    account,
    async command(space, act, secret = '') {
      const id = makeTimeId<'command'>(clock.time, ids.bytes(16))
      const text = writeCommandText({ ...act, id, by: account, dev, at: clock.time })
      const sig = toBase64Url(signer.sign(commandSignedBytes(space, text)))
      const done = (await say({ t: 'command', space, text, sig, secret })).find((one) => one.t === 'done' && one.id === id)
      if (done?.t !== 'done' || 'code' in done) throw new Error(`${act.act} of ${username}: ${JSON.stringify(done)}`)
      // A command stands between what came before it and what comes after: the clock shows it.
      clock.time += 1
    },
    sign({ space, channel }, words) {
      const id = makeTimeId<'entry'>(clock.time, ids.bytes(16))
      const text = writeEntryText({ id, by: account, dev, at: clock.time, ext: 0, ...words })
      const sig = toBase64Url(signer.sign(entrySignedBytes(space, channel, utf8(text))))
      return { id, bytes: encodeEntry(sig, text) }
    },
    async append(channel, entries) {
      const frames: FrameUp[] = []
      for (let from = 0; from < entries.length; from += frameEntriesMax)
        frames.push({ kind: 'append', nr: ++nr, channel, entries: entries.slice(from, from + frameEntriesMax) })
      return (await ask(frames)).flatMap((answer) => (answer.t === 'result' ? answer.verdicts : []))
    },
    async markRead(channel, seq) {
      await say({ t: 'read', incarnation: welcome.incarnation, channel, gen: 0, seq })
    },
    async leave() {
      await endSession(createFetchHttp(relay.fetch), token)
      link.closed()
    },
    hangUp: () => link.closed(),
  }
}
