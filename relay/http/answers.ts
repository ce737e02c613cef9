// How the HTTP side says no, and how it reads what it is sent: one JSON shape for refusals, one parser for bodies.
import type { Context } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import * as v from 'valibot'
import { type Bytes, parseBase64Url } from '#shared/base/bytes.ts'
import { ok, type Result, refuse } from '#shared/base/result.ts'
import type { HttpAnswerName, HttpAnswersSent } from '#shared/protocol/http-answers.ts'
import type { RefusalCode } from '#shared/protocol/refusals.ts'

/** Codes that are not plain 400. */
const statuses: Partial<Record<RefusalCode, ContentfulStatusCode>> = {
  bad_login: 401,
  unauthorized: 401,
  device: 403,
  forbidden: 403,
  invite: 404,
  nochannel: 404,
  owner: 409,
  stale: 409,
  username_taken: 409,
  email_taken: 409,
  device_limit: 409,
  size: 413,
  too_many: 429,
  internal: 500,
  busy: 503,
  disk_full: 503,
}

/** `{code}`, and `{code, retryAfterS}` with a Retry-After header where waiting helps. */
export function sendRefusal(c: Context, code: RefusalCode, retryAfterS = code === 'busy' ? 1 : 0): Response {
  if (retryAfterS > 0) c.header('retry-after', String(retryAfterS))
  return c.json(retryAfterS > 0 ? { code, retryAfterS } : { code }, statuses[code] ?? 400)
}

/** Only what a device will be able to parse compiles. */
export function sendAnswer<Name extends HttpAnswerName>(c: Context, _name: Name, answer: HttpAnswersSent[Name]): Response {
  return c.json(answer)
}

/** Unknown fields are skipped. A field whose check carries a refusal code as its message is refused by that code, all else as `shape`. */
export async function readBody<Schema extends v.GenericSchema>(
  c: Context,
  schema: Schema,
): Promise<Result<v.InferOutput<Schema>, RefusalCode>> {
  const parsed = v.safeParse(schema, parseJson(await c.req.text()), { abortEarly: true })
  if (parsed.success) return ok(parsed.output)
  const said = parsed.issues[0].message
  return refuse(said === 'username' || said === 'email' ? said : 'shape')
}

/** Canonical base64url of so many bytes. */
export function bytesField(least: number, most = least) {
  return v.pipe(
    v.string(),
    v.maxLength(Math.ceil((most * 4) / 3)),
    v.transform(parseBase64Url),
    v.custom<Bytes>((bytes) => bytes instanceof Uint8Array && bytes.length >= least && bytes.length <= most),
  )
}

export function bearerToken(c: Context): string {
  return /^Bearer (\S+)$/.exec(c.req.header('authorization') ?? '')?.[1] ?? ''
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
