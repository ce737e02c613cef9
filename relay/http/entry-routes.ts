// Writing from outside the app: bots, webhooks, service workers and imports send entries that they signed, by the hundred if they like.
// Nothing is decided here: what comes is read and handed to the hub, where it waits among the frames of all links.
import type { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import * as v from 'valibot'
import { utf8 } from '#shared/base/bytes.ts'
import { parseChannelId, parseSpaceId, type SpaceId } from '#shared/base/ids.ts'
import { limits } from '#shared/base/limits.ts'
import { bearerToken, readBody, sendAnswer, sendRefusal } from './answers.ts'
import type { HttpContext, HttpEnv, HttpPorts } from './ports.ts'
import { createLimiter } from './rate-limits.ts'

const path = '/api/channels/:channel/entries'
const pathShape = /^\/api\/channels\/[^/]*\/entries$/

/** A lone surrogate has no UTF-8: what was signed cannot have held one. */
const entry = v.pipe(
  v.string(),
  v.check((text) => text.isWellFormed()),
)
const bodies = {
  entries: v.object({
    space: v.custom<SpaceId>((raw) => parseSpaceId(raw) !== undefined),
    entries: v.pipe(v.array(entry), v.minLength(1), v.maxLength(limits.appendEntriesMax)),
  }),
}

/** Its bodies are larger than those of all other requests, so it measures them itself, once it knows who asks. */
export function measuresItself(c: HttpContext): boolean {
  return pathShape.test(c.req.path)
}

export function addEntryRoutes(http: Hono<HttpEnv>, ports: HttpPorts): void {
  const { sessions, settings, log } = ports
  const posts = createLimiter(settings.limits.entryPosts, ports.clock)
  const measure = bodyLimit({ maxSize: settings.entryPostBytesMax, onError: (c) => sendRefusal(c, 'size') })

  http.post(path, async (c) => {
    const live = await sessions.check(bearerToken(c))
    if (!live) return sendRefusal(c, 'unauthorized')
    const { account, dev, idHash } = live
    if (dev === '') return sendRefusal(c, 'device')
    const waitS = await posts.take(account)
    if (waitS > 0) {
      log.security({ event: 'limited', address: c.var.address, path: pathInLog, retryAfterS: waitS })
      return sendRefusal(c, 'too_many', waitS)
    }
    const tooLarge = await measure(c, async () => {})
    if (tooLarge) return tooLarge
    const body = await readBody(c, bodies.entries)
    if (!body.ok) return sendRefusal(c, body.code)
    const channel = parseChannelId(c.req.param('channel'))
    if (!channel) return sendRefusal(c, 'nochannel')

    const { space, entries } = body.value
    const answer = await ports.append({ account, dev, idHash }, space, channel, entries.map(utf8))
    if (answer.kind === 'refused') return sendRefusal(c, answer.code)
    const { verdicts, wait, why } = answer
    if (verdicts.length === 0 && wait > 0) return sendRefusal(c, why ?? 'too_many', Math.ceil(wait / 1000))
    return sendAnswer(c, 'entries', { verdicts, wait })
  })
}

const pathInLog = '/api/channels/…/entries'
