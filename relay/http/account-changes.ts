// What a person does to the own account as a whole: another password, and the end of it. Both ask for the present password beside the session:
// a device that was left open, or a stolen token, may do neither.
import type { Hono } from 'hono'
import * as v from 'valibot'
import type { DeviceId } from '#shared/base/ids.ts'
import type { AccountRow } from '../store/account-store.ts'
import { nameMark } from './account-routes.ts'
import { bearerToken, bytesField, readBody, sendAnswer, sendRefusal } from './answers.ts'
import type { LoginGuard } from './login-guard.ts'
import type { HttpContext, HttpEnv, HttpPorts } from './ports.ts'
import type { LiveSession } from './sessions.ts'

const bodies = {
  erase: v.object({ authKey: bytesField(32) }),
  password: v.object({
    authKey: bytesField(32),
    salt: bytesField(16),
    newAuthKey: bytesField(32),
    vault: bytesField(41, 1024),
    vaultRev: v.pipe(v.number(), v.safeInteger()),
  }),
}

type Certified = LiveSession & { dev: DeviceId }

export function addAccountChanges(http: Hono<HttpEnv>, ports: HttpPorts, guard: LoginGuard): void {
  const { accounts, sessions, log } = ports

  http.post('/api/password', async (c) => {
    const live = await certified(c)
    if (live instanceof Response) return live
    const body = await readBody(c, bodies.password)
    if (!body.ok) return sendRefusal(c, body.code)
    const { authKey, salt, newAuthKey, vault, vaultRev } = body.value
    const account = await prove(c, live, authKey)
    if (account instanceof Response) return account
    // The relay cannot look into the vault: a device that has not seen the newest would write its keys away.
    if (account.vaultRev !== vaultRev) return sendRefusal(c, 'stale')
    const digest = await guard.digests.make(newAuthKey)
    if (!digest.ok) return sendBusy(c)
    if (!(await accounts.setSecrets(account.id, { salt, passwordDigest: digest.value, vault }, vaultRev)))
      return sendRefusal(c, 'stale')
    await sessions.endAll(account.id, ({ idHash }) => idHash === live.idHash)
    const token = await sessions.renew(live)
    log.security({ event: 'password_changed', address: c.var.address, account: account.id, dev: live.dev })
    return sendAnswer(c, 'password', { token, vaultRev: vaultRev + 1 })
  })

  http.post('/api/account/erase', async (c) => {
    const live = await certified(c)
    if (live instanceof Response) return live
    const body = await readBody(c, bodies.erase)
    if (!body.ok) return sendRefusal(c, body.code)
    const account = await prove(c, live, body.value.authKey)
    if (account instanceof Response) return account
    if (await ports.ownsCommunity(account.id)) return sendRefusal(c, 'owner')
    await sessions.endAll(account.id)
    // Behind the last line's end: what its devices wrote and was accepted is not later than their keys are good for.
    await accounts.erase(account.id, await ports.relayTime(), nameMark(ports.pepper, account.username))
    ports.eraseTraces(account.id)
    log.security({ event: 'account_erased', address: c.var.address, account: account.id })
    return c.json({}, 202)
  })

  async function certified(c: HttpContext): Promise<Certified | Response> {
    const live = await sessions.check(bearerToken(c))
    if (!live) return sendRefusal(c, 'unauthorized')
    return live.dev === '' ? sendRefusal(c, 'device') : { ...live, dev: live.dev }
  }

  async function prove(c: HttpContext, live: Certified, authKey: Uint8Array): Promise<AccountRow | Response> {
    const { address } = c.var
    const account = await accounts.byId(live.account)
    if (!account) return sendRefusal(c, 'unauthorized')
    const proof = await guard.prove(address, account.id, account.passwordDigest, authKey)
    switch (proof.kind) {
      case 'right':
        return account
      case 'wrong':
        log.security({ event: 'proof_failed', address, account: account.id, path: c.req.path })
        return sendRefusal(c, 'bad_login')
      case 'busy':
        return sendBusy(c)
      case 'wait':
        log.security({ event: 'limited', address, path: c.req.path, retryAfterS: proof.seconds })
        return sendRefusal(c, 'too_many', proof.seconds)
    }
  }

  function sendBusy(c: HttpContext): Response {
    log.security({ event: 'busy', address: c.var.address, path: c.req.path })
    return sendRefusal(c, 'busy')
  }
}
