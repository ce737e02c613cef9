// Making an account: an identity is born on this device, sealed under the password, and handed to the relay; then an ordinary sign-in.
import { toBase64Url } from '#shared/base/bytes.ts'
import { sealVault } from '#shared/crypto/vault.ts'
import { isEmail, isPasswordLength, isUsername } from '#shared/protocol/account-rules.ts'
import type { AccountPorts, SignedIn } from './account-ports.ts'
import { openAccount } from './open-account.ts'
import { type AccountAnswer, type Refused, readRefused } from './relay-answers.ts'
import { signIn, withPasswordKeys } from './sign-in.ts'

export interface NewAccount {
  username: string
  email: string
  password: string
}

export type SignUp = (given: NewAccount) => Promise<AccountAnswer<SignedIn>>

/**
 * Refusals: `username`, `email`, `password` (length), `password_common`; `username_taken`, `email_taken`; `too_many` and `busy`
 * (present = seconds to wait); `offline`; and those of signing in.
 * It remembers the last try whose answer got lost: the relay may have made the account, and then its name is taken by this very person.
 */
export function createSignUp(ports: AccountPorts): SignUp {
  let unanswered: { username: string; email: string } | undefined

  return async (given) => {
    const username = given.username.trim()
    const email = given.email.trim()
    const { password } = given
    const wrong = await findWrong(ports, { username, email, password })
    if (wrong) return wrong

    const sodium = await ports.sodium()
    const [salt, seed] = [ports.random.bytes(16), ports.random.bytes(32)]
    return withPasswordKeys(sodium, password, salt, ports.stretch, async (keys) => {
      const signer = sodium.signerFromSeed(seed)
      const vault = sealVault(sodium, ports.random, keys.kek, seed)
      signer.wipe()
      sodium.wipe(seed)
      const body = {
        username,
        email,
        salt: toBase64Url(salt),
        authKey: toBase64Url(keys.authKey),
        identity: toBase64Url(signer.publicKey),
        vault: toBase64Url(vault),
      }
      const before = unanswered
      unanswered = { username, email }
      const made = await ports.http.post('/api/register', body)
      if (!made.ok) {
        if (made.code === 'offline') return readRefused(made)
        unanswered = before
        const perhapsOurs = made.code === 'username_taken' && before?.username === username && before.email === email
        if (!perhapsOurs) return readRefused(made)
        const signedIn = await signIn(ports, { login: username, password })
        if (signedIn.ok) unanswered = undefined
        return signedIn.ok || signedIn.code !== 'bad_login' ? signedIn : readRefused(made)
      }
      const signedIn = await openAccount(ports, sodium, username, keys)
      if (signedIn.ok) unanswered = undefined
      return signedIn
    })
  }
}

async function findWrong(ports: AccountPorts, { username, email, password }: NewAccount): Promise<Refused | undefined> {
  if (!isUsername(username)) return { ok: false, code: 'username' }
  if (!isEmail(email)) return { ok: false, code: 'email' }
  if (!isPasswordLength(password)) return { ok: false, code: 'password' }
  if (!(await ports.isStrongPassword(password, [username, email]))) return { ok: false, code: 'password_common' }
  return undefined
}
