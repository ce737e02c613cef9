// Signing in: the password becomes two keys on this device; the relay sees the one that proves it, and never the password.
import {
  isAcceptableStretch,
  masterKey,
  type PasswordKeys,
  passwordKeys,
  type StretchSettings,
} from '#shared/crypto/key-derivation.ts'
import type { Sodium } from '#shared/crypto/sodium.ts'
import { foldLogin, isPasswordLength } from '#shared/protocol/account-rules.ts'
import type { AccountPorts, SignedIn } from './account-ports.ts'
import { openAccount } from './open-account.ts'
import { type AccountAnswer, readAnswer } from './relay-answers.ts'

/**
 * Refusals: `bad_login`; `too_many` and `busy` (present = seconds to wait); `offline`; `stretch` where the relay asks for weak protection;
 * `vault` where the account's keys do not open; `device_limit`, `device`.
 */
export async function signIn(ports: AccountPorts, given: { login: string; password: string }): Promise<AccountAnswer<SignedIn>> {
  const login = foldLogin(given.login)
  if (login === '' || !isPasswordLength(given.password)) return { ok: false, code: 'bad_login' } // no account has such a one
  const told = readAnswer('prelogin', await ports.http.post('/api/prelogin', { login }))
  if (!told.ok) return told
  const settings = { passes: told.value.ops, memoryKiB: told.value.memKiB }
  if (!isAcceptableStretch(settings, ports.stretch)) return { ok: false, code: 'stretch' }

  const sodium = await ports.sodium()
  return withPasswordKeys(sodium, given.password, told.value.salt, settings, (keys) => openAccount(ports, sodium, login, keys))
}

/** The keys live as long as `use` runs. */
export async function withPasswordKeys<Value>(
  sodium: Sodium,
  password: string,
  salt: Uint8Array,
  settings: StretchSettings,
  use: (keys: PasswordKeys) => Promise<Value>,
): Promise<Value> {
  const mk = masterKey(sodium, password, salt, settings)
  const keys = passwordKeys(sodium, mk)
  sodium.wipe(mk)
  try {
    return await use(keys)
  } finally {
    sodium.wipe(keys.authKey, keys.kek)
  }
}
