// What the relay answers to the account flows, parsed at the border: what is not of its shape is `internal`, whatever it was.
import * as v from 'valibot'
import { type Bytes, parseBase64Url } from '#shared/base/bytes.ts'
import { type AccountId, type DeviceId, parseAccountId, parseDeviceId, parseSpaceId, type SpaceId } from '#shared/base/ids.ts'
import type { RefusalCode } from '#shared/protocol/refusals.ts'
import type { HttpAnswer } from './account-http.ts'

export type Refused = { ok: false; code: RefusalCode; present?: string }
export type AccountAnswer<Value> = { ok: true; value: Value } | Refused

const account = v.custom<AccountId>((raw) => parseAccountId(raw) !== undefined)
const dev = v.custom<DeviceId>((raw) => parseDeviceId(raw) !== undefined)
const space = v.custom<SpaceId>((raw) => parseSpaceId(raw) !== undefined)
const bytes = (least: number, most: number) =>
  v.pipe(
    v.string(),
    v.transform(parseBase64Url),
    v.custom<Bytes>((raw) => raw instanceof Uint8Array && raw.length >= least && raw.length <= most),
  )

export const answers = {
  prelogin: v.object({ salt: bytes(16, 16), ops: v.number(), memKiB: v.number() }),
  login: v.object({
    token: v.string(),
    account,
    username: v.string(),
    operator: v.boolean(),
    identity: bytes(32, 32),
    vault: bytes(1, 4096),
  }),
  device: v.object({ dev }),
  username: v.object({ free: v.boolean() }),
  invite: v.object({ space, name: v.string(), members: v.number(), from: v.string(), joined: v.boolean() }),
}

/** `too_many` and `busy` carry the seconds to wait as `present`. */
export function readAnswer<Schema extends v.GenericSchema>(
  answer: HttpAnswer,
  schema: Schema,
): AccountAnswer<v.InferOutput<Schema>> {
  if (!answer.ok) return readRefused(answer)
  const parsed = v.safeParse(schema, answer.value)
  return parsed.success ? { ok: true, value: parsed.output } : { ok: false, code: 'internal' }
}

export function readRefused({ code, retryAfterS }: { code: RefusalCode; retryAfterS: number }): Refused {
  return retryAfterS > 0 ? { ok: false, code, present: String(retryAfterS) } : { ok: false, code }
}
