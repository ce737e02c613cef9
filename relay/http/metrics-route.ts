// GET /metrics: figures for whoever runs the relay. They name nobody, but how busy a relay is is not everybody's business: they are given
// on the machine itself, where no proxy stands between, or for the operator's token.
import { timingSafeEqual } from 'node:crypto'
import { getConnInfo } from '@hono/node-server/conninfo'
import type { Hono } from 'hono'
import { utf8 } from '#shared/base/bytes.ts'
import { nodeHasher } from '../crypto.ts'
import { bearerToken } from './answers.ts'
import type { HttpContext, HttpEnv, HttpPorts } from './ports.ts'

const loopback: ReadonlySet<string> = new Set(['127.0.0.1', '::1', '::ffff:127.0.0.1'])
/** What a proxy says of whom it speaks for. */
const forwarded = ['x-forwarded-for', 'forwarded', 'x-real-ip', 'via']

export function addMetricsRoute(http: Hono<HttpEnv>, { metrics, settings }: HttpPorts): void {
  http.get('/metrics', async (c) => {
    if (!metrics || !(isHere(c) || isOperator(c, settings.metricsToken))) return c.text('', 403)
    return c.body(await metrics.text(), 200, { 'content-type': metrics.contentType, 'cache-control': 'no-store' })
  })
}

function isHere(c: HttpContext): boolean {
  return loopback.has(getConnInfo(c).remote.address ?? '') && forwarded.every((name) => c.req.header(name) === undefined)
}

/** Compared as hashes, so that neither length nor first difference shows in the time. */
function isOperator(c: HttpContext, token: string): boolean {
  const given = bearerToken(c)
  return token !== '' && given !== '' && timingSafeEqual(nodeHasher.sha256(utf8(given)), nodeHasher.sha256(utf8(token)))
}
