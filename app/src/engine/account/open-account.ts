// The second half of signing in, after the password became two keys: login, vault, device key, certificate.
// The identity seed is in memory only between the opening of the vault and the signature of the statement.
import { equalBytes, toBase64Url } from '#shared/base/bytes.ts'
import type { PasswordKeys } from '#shared/crypto/key-derivation.ts'
import type { Sodium } from '#shared/crypto/sodium.ts'
import { accountIdOf, deviceIdOf, popSignedBytes, statementSignedBytes, writeDevAdd } from '#shared/crypto/statements.ts'
import { openVault } from '#shared/crypto/vault.ts'
import type { AccountPorts, SignedIn } from './account-ports.ts'
import { type AccountAnswer, readAnswer } from './relay-answers.ts'
import { endSession } from './sign-out.ts'

export async function openAccount(
  ports: AccountPorts,
  sodium: Sodium,
  login: string,
  keys: PasswordKeys,
): Promise<AccountAnswer<SignedIn>> {
  const given = readAnswer('login', await ports.http.post('/api/login', { login, authKey: toBase64Url(keys.authKey) }))
  if (!given.ok) return given
  const { token, account, username, operator, identity, vault } = given.value

  const certified = await certify()
  // A session without a device would stand in the way of others for an hour.
  if (!certified.ok) await endSession(ports.http, token)
  return certified

  async function certify(): Promise<AccountAnswer<SignedIn>> {
    const seed = openVault(sodium, keys.kek, vault)
    if (!seed) return { ok: false, code: 'vault' }
    const signer = sodium.signerFromSeed(seed)
    sodium.wipe(seed)
    try {
      // The relay could hand out another account's keys: what the vault holds is what counts.
      if (!equalBytes(signer.publicKey, identity) || accountIdOf(sodium, identity) !== account)
        return { ok: false, code: 'vault' }
      const device = await ports.deviceKey(account)
      const pop = await device.sign(popSignedBytes(identity))
      const statement = writeDevAdd({ account, identity, key: device.publicKey, at: ports.clock.now(), pop })
      const sig = toBase64Url(signer.sign(statementSignedBytes(statement)))
      const admitted = readAnswer('devices', await ports.http.post('/api/devices', { statement, sig }, token))
      if (!admitted.ok) return admitted
      const dev = deviceIdOf(sodium, device.publicKey)
      if (admitted.value.dev !== dev) return { ok: false, code: 'device' }
      return { ok: true, value: { token, account, username, operator, identity: toBase64Url(identity), dev, device } }
    } finally {
      signer.wipe()
    }
  }
}
