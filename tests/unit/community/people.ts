// People with devices and keys from a seed, who write and sign commands: for tests of everything that takes commands.
import { toBase64Url } from '#shared/base/bytes.ts'
import {
  type AccountId,
  type ChannelId,
  type CommandId,
  type DeviceId,
  idFromBytes,
  makeTimeId,
  type SpaceId,
} from '#shared/base/ids.ts'
import { createPrng } from '#shared/base/prng.ts'
import type { Command, CommandAct } from '#shared/community/command.ts'
import { writeCommandText } from '#shared/community/command-codec.ts'
import type { Signer } from '#shared/crypto/ports.ts'
import { commandSignedBytes } from '#shared/crypto/signed-bytes.ts'
import { loadSodium } from '#shared/crypto/sodium.ts'

export const sodium = await loadSodium()

export interface Person {
  account: AccountId
  dev: DeviceId
  key: Uint8Array
  username: string
  signer: Signer
}

export interface People {
  person(username: string): Person
  space(): SpaceId
  channel(): ChannelId
  command(person: Person, act: CommandAct, at?: number): Command
  /** The frame as a device sends it. */
  frame(
    person: Person,
    space: SpaceId,
    act: CommandAct,
    secret?: string,
  ): { space: SpaceId; text: string; sig: string; secret: string; id: CommandId }
  bytes(length: number): Uint8Array<ArrayBuffer>
}

export function createPeople(seed: number): People {
  const random = createPrng(seed)
  let at = 1_700_000_000_000
  const people: People = {
    bytes: (length) => random.bytes(length),
    person(username) {
      const signer = sodium.signerFromSeed(random.bytes(32))
      const account = idFromBytes<'account'>(random.bytes(16))
      return { account, dev: idFromBytes<'device'>(random.bytes(16)), key: signer.publicKey, username, signer }
    },
    space: () => makeTimeId<'space'>(at, random.bytes(16)),
    channel: () => makeTimeId<'channel'>(at, random.bytes(16)),
    command: (person, act, when = ++at) => ({
      ...act,
      id: makeTimeId<'command'>(when, random.bytes(16)),
      by: person.account,
      dev: person.dev,
      at: when,
    }),
    frame(person, space, act, secret = '') {
      const command = people.command(person, act)
      return { space, secret, id: command.id, ...signed(person, space, writeCommandText(command)) }
    },
  }
  return people
}

export function signed(person: Person, space: SpaceId, text: string): { text: string; sig: string } {
  return { text, sig: toBase64Url(person.signer.sign(commandSignedBytes(space, text))) }
}
