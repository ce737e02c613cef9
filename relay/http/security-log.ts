// What the relay writes down of sign-ups, sign-ins and refusals: who and from where, never a password, token, key, code, or what somebody
// typed as a login (people type their password there).
import type { AccountId, DeviceId } from '#shared/base/ids.ts'
import type { StatementRefusal } from '#shared/crypto/statements.ts'
import type { RefusalCode } from '#shared/protocol/refusals.ts'

/** `address` as it is counted: an IPv4 address or an IPv6 /64. */
export type SecurityEvent = { address: string } & (
  | { event: 'registered'; account: AccountId; operator: boolean }
  | { event: 'register_refused'; code: RefusalCode }
  | { event: 'signed_in'; account: AccountId }
  /** '' where no account answers to the login. */
  | { event: 'sign_in_failed'; account: AccountId | '' }
  | { event: 'signed_out'; account: AccountId; dev: DeviceId | '' }
  | { event: 'device_certified'; account: AccountId; dev: DeviceId }
  | {
      event: 'device_refused'
      account: AccountId
      why: StatementRefusal | 'other_account' | 'revoked' | 'other_device' | 'limit'
    }
  | { event: 'device_revoked'; account: AccountId; dev: DeviceId; by: DeviceId }
  | { event: 'password_changed'; account: AccountId; dev: DeviceId }
  | { event: 'account_erased'; account: AccountId }
  /** A signed-in device did not know the password. */
  | { event: 'proof_failed'; account: AccountId; path: string }
  | { event: 'limited'; path: string; retryAfterS: number }
  | { event: 'busy'; path: string }
)

export interface SecurityLog {
  security(event: SecurityEvent): void
  /** What broke while a request was answered. */
  failure(path: string, error: unknown): void
}
