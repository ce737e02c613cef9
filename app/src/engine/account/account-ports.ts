// What the account flows need of the world, and what they give when they are through.
import type { DeviceKeyPair } from '#app/platform/device-key.ts'
import type { AccountId, DeviceId } from '#shared/base/ids.ts'
import type { Clock, Random } from '#shared/base/ports.ts'
import type { StretchSettings } from '#shared/crypto/key-derivation.ts'
import type { Sodium } from '#shared/crypto/sodium.ts'
import type { AccountHttp } from './account-http.ts'

export interface AccountPorts {
  http: AccountHttp
  clock: Clock
  random: Random
  sodium(): Promise<Sodium>
  /** This profile's key for that account: the one it has, or a new one. */
  deviceKey(account: AccountId): Promise<DeviceKeyPair>
  /** Is it not among what an attacker tries first? @param about username and e-mail address */
  isStrongPassword(password: string, about: string[]): Promise<boolean>
  /** The least that is accepted of a relay and used for a new account; tests set a cheap one. */
  stretch: StretchSettings
}

/** A certified device. Whoever gets this saves it before it is used. */
export interface SignedIn {
  token: string
  account: AccountId
  username: string
  operator: boolean
  /** The account's Ed25519 identity key, base64url; known from the vault, not from the relay's word. */
  identity: string
  dev: DeviceId
  device: DeviceKeyPair
}
