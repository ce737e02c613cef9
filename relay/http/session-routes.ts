// What a signed-in device asks over HTTP: certifying itself, signing out, and looking at an invite (which anybody may).
import type { Hono } from 'hono'
import * as v from 'valibot'
import { parseBase64Url } from '#shared/base/bytes.ts'
import type { DeviceId } from '#shared/base/ids.ts'
import { ok, type Result, refuse } from '#shared/base/result.ts'
import { deviceIdOf, verifyStatement } from '#shared/crypto/statements.ts'
import { nodeHasher } from '../crypto.ts'
import { bearerToken, readBody, sendAnswer, sendRefusal } from './answers.ts'
import type { HttpContext, HttpEnv, HttpPorts } from './ports.ts'
import { createLimiter } from './rate-limits.ts'
import type { SecurityEvent } from './security-log.ts'
import type { LiveSession } from './sessions.ts'

type DeviceRefusal = Extract<SecurityEvent, { event: 'device_refused' }>['why']

const bodies = {
  device: v.object({ statement: v.pipe(v.string(), v.maxLength(1024)), sig: v.pipe(v.string(), v.length(86)) }),
  invite: v.object({ code: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{22}$/)) }),
}

export function addSessionRoutes(http: Hono<HttpEnv>, ports: HttpPorts): void {
  const { accounts, sessions, log } = ports
  const previews = createLimiter(ports.settings.limits.previews, ports.clock)
  const statements = createLimiter(ports.settings.limits.devices, ports.clock)
  const session = (c: HttpContext) => sessions.check(bearerToken(c))

  http.post('/api/devices', async (c) => {
    const live = await session(c)
    if (!live) return sendRefusal(c, 'unauthorized')
    const wait = await statements.take(live.account)
    if (wait > 0) return sendLimited(c, wait)
    const body = await readBody(c, bodies.device)
    if (!body.ok) return sendRefusal(c, body.code)
    const admitted = await admitDevice(live, body.value.statement, body.value.sig)
    const { address } = c.var
    if (!admitted.ok) {
      if (admitted.code === 'ended') return sendRefusal(c, 'unauthorized')
      log.security({ event: 'device_refused', address, account: live.account, why: admitted.code })
      return sendRefusal(c, admitted.code === 'limit' ? 'device_limit' : 'device')
    }
    log.security({ event: 'device_certified', address, account: live.account, dev: admitted.value })
    return sendAnswer(c, 'devices', { dev: admitted.value })
  })

  http.post('/api/devices/revoke', async (c) => {
    const live = await session(c)
    if (!live) return sendRefusal(c, 'unauthorized')
    if (live.dev === '') return sendRefusal(c, 'device')
    const { address } = c.var
    const wait = await statements.take(live.account)
    if (wait > 0) return sendLimited(c, wait)
    const body = await readBody(c, bodies.device)
    if (!body.ok) return sendRefusal(c, body.code)
    const revoked = await revokeDevice(live, body.value.statement, body.value.sig)
    if (!revoked.ok) {
      if (revoked.code === 'ended') return sendRefusal(c, 'unauthorized')
      log.security({ event: 'device_refused', address, account: live.account, why: revoked.code })
      return sendRefusal(c, 'device')
    }
    log.security({ event: 'device_revoked', address, account: live.account, dev: revoked.value.dev, by: live.dev })
    return sendAnswer(c, 'revoked', revoked.value)
  })

  http.post('/api/sign-out', async (c) => {
    const live = await session(c)
    if (!live) return sendRefusal(c, 'unauthorized')
    await sessions.end(live.idHash)
    log.security({ event: 'signed_out', address: c.var.address, account: live.account, dev: live.dev })
    return c.body(null, 204)
  })

  http.post('/api/invite', async (c) => {
    const body = await readBody(c, bodies.invite)
    if (!body.ok) return sendRefusal(c, 'invite') // a link that was cut is not valid either
    const wait = await previews.take(c.var.address)
    if (wait > 0) return sendLimited(c, wait)
    const live = await session(c)
    const viewer = live && live.dev !== '' ? live.account : undefined
    const sight = await ports.previewInvite(body.value.code, viewer)
    return sight ? sendAnswer(c, 'invite', sight) : sendRefusal(c, 'invite')
  })

  /** The account's identity must say so. Revoking again changes nothing: the first time counts. */
  async function revokeDevice(
    live: LiveSession,
    text: string,
    sig: string,
  ): Promise<Result<{ dev: DeviceId; until: number }, DeviceRefusal | 'ended'>> {
    const account = await accounts.byId(live.account)
    if (!account) return refuse('ended')
    const verified = verifyStatement(ports.verifier, text, sig, { account: account.id, identity: account.identity })
    if (!verified.ok) return verified
    if (verified.value.t !== 'dev.revoke') return refuse('shape')
    const { dev } = verified.value
    const [held] = await accounts.devices([dev])
    if (held?.account !== account.id) return refuse('other_account')
    // Its lines end before the time is taken: what they wrote and was accepted is not later. Then once more, for who came in between.
    await sessions.endAll(account.id, (row) => row.dev !== dev)
    await accounts.revokeDevice(dev, { until: await ports.relayTime(), statement: text, sig })
    await sessions.endAll(account.id, (row) => row.dev !== dev)
    const [row] = await accounts.devices([dev])
    return ok({ dev, until: row?.until ?? 0 })
  }

  function sendLimited(c: HttpContext, retryAfterS: number): Response {
    log.security({ event: 'limited', address: c.var.address, path: c.req.path, retryAfterS })
    return sendRefusal(c, 'too_many', retryAfterS)
  }

  /** The account's identity must say so, the key must not be another account's or revoked, and there must be room. */
  async function admitDevice(live: LiveSession, text: string, sig: string): Promise<Result<DeviceId, DeviceRefusal | 'ended'>> {
    const account = await accounts.byId(live.account)
    if (!account) return refuse('ended')
    const verified = verifyStatement(ports.verifier, text, sig, { account: account.id, identity: account.identity })
    if (!verified.ok) return verified
    const statement = verified.value
    const key = statement.t === 'dev.add' ? parseBase64Url(statement.key) : undefined
    if (statement.t !== 'dev.add' || !key) return refuse('shape')
    const dev = deviceIdOf(nodeHasher, key)
    if (live.dev !== '' && live.dev !== dev) return refuse('other_device')
    const [held] = await accounts.devices([dev])
    if (held && held.account !== account.id) return refuse('other_account')
    if (held && held.until !== 0) return refuse('revoked') // a revocation wins over every certificate
    if (!(await sessions.hasRoomFor(live, dev))) return refuse('limit')
    if (!held) {
      const { identity } = statement
      const from = ports.clock.now()
      await accounts.putDevice({ dev, account: account.id, identity, key: statement.key, certificate: text, sig, from, until: 0 })
    }
    return (await sessions.bind(live, dev)) ? ok(dev) : refuse('ended')
  }
}
