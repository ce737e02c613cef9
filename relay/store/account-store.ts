// The port for accounts, their devices and sessions. Two implementations, one contract suite. Knows no password and no token in clear.
import type { Bytes } from '#shared/base/bytes.ts'
import type { AccountId, DeviceId } from '#shared/base/ids.ts'
import type { DeviceKey } from '#shared/protocol/frames.ts'

export interface AccountRow {
  id: AccountId
  username: string
  /** As written; unique without regard to case. */
  email: string
  emailConfirmed: boolean
  /** 16 bytes, made by the device at sign-up. */
  salt: Bytes
  /** Argon2id(HMAC(pepper, authKey)), encoded with its parameters. */
  passwordDigest: string
  /** Ed25519 public key, 32 bytes. */
  identity: Bytes
  vault: Bytes
  vaultRev: number
  /** SHA-256 of a picture; '' without one. */
  avatar: string
  created: number
  operator: boolean
}

/** What a change of the password changes. */
export type AccountSecrets = Pick<AccountRow, 'salt' | 'passwordDigest' | 'vault'>

/** A `dev.revoke` as it was accepted: kept as it was signed. `until`: the relay's clock. */
export interface Revocation {
  until: number
  statement: string
  sig: string
}

export interface SessionRow {
  /** SHA-256 of the token, base64url. */
  idHash: string
  account: AccountId
  /** '' until a device was certified for it. */
  dev: DeviceId | ''
  created: number
  expires: number
}

/** An account that was erased answers to no id, name or address any more; its id and its name stay taken. */
export interface AccountStore {
  byId(id: AccountId): Promise<AccountRow | undefined>
  byUsername(username: string): Promise<AccountRow | undefined>
  byEmail(email: string): Promise<AccountRow | undefined>
  count(): Promise<number>
  /** Refuses by name where one is taken; one transaction. The first account becomes the operator. `identity_taken`: the id is. */
  create(row: Omit<AccountRow, 'operator'>): Promise<'created' | 'username_taken' | 'email_taken' | 'identity_taken'>
  usernames(ids: readonly AccountId[]): Promise<Map<AccountId, string>>
  /** Compare-and-set: false where the vault is not at `vaultRev` any more. The new one is at the next rev. */
  setSecrets(id: AccountId, secrets: AccountSecrets, vaultRev: number): Promise<boolean>
  /**
   * Everything personal goes in one transaction: name, address, salt, digest, vault, sessions, words of revocations. Device keys stay,
   * valid `until`, since what others keep must be verified. The account stands in `erasing` until `finishErasing`.
   * @param mark what stays of the name: nobody can read it, and nobody takes the name
   */
  erase(id: AccountId, until: number, mark: string): Promise<void>
  /** Is it the mark of a name that an erased account had? */
  isMarked(mark: string): Promise<boolean>
  /** Erased accounts whose traces in communities and channels are not all gone yet. */
  erasing(): Promise<AccountId[]>
  finishErasing(id: AccountId): Promise<void>

  session(idHash: string): Promise<SessionRow | undefined>
  /** Nothing where the account was erased. */
  putSession(row: SessionRow): Promise<void>
  /** Changes it where it still is: using a session must not bring back one that ended meanwhile. false: it is gone. */
  updateSession(row: SessionRow): Promise<boolean>
  deleteSession(idHash: string): Promise<void>
  sessionsOf(account: AccountId): Promise<SessionRow[]>
  deleteExpiredSessions(now: number): Promise<void>

  /** Adds or replaces by `dev`. */
  putDevice(row: DeviceKey): Promise<void>
  /** false: it is no device, or was revoked before. */
  revokeDevice(dev: DeviceId, revocation: Revocation): Promise<boolean>
  devices(devs: readonly DeviceId[]): Promise<DeviceKey[]>
  devicesOf(account: AccountId): Promise<DeviceKey[]>
}
