// What the relay answers over HTTP where it does not refuse. The relay writes these shapes, a device parses them at the border.
import * as v from 'valibot'
import { type Bytes, parseBase64Url } from '../base/bytes.ts'
import { type AccountId, type DeviceId, parseAccountId, parseDeviceId, parseSpaceId, type SpaceId } from '../base/ids.ts'
import { verdictShape } from './control-shapes.ts'

const account = v.custom<AccountId>((raw) => parseAccountId(raw) !== undefined)
const dev = v.custom<DeviceId>((raw) => parseDeviceId(raw) !== undefined)
const space = v.custom<SpaceId>((raw) => parseSpaceId(raw) !== undefined)

/** Canonical base64url of so many bytes. */
function bytes(least: number, most = least) {
  return v.pipe(
    v.string(),
    v.transform(parseBase64Url),
    v.custom<Bytes>((raw) => raw instanceof Uint8Array && raw.length >= least && raw.length <= most),
  )
}

const shapes = {
  /** How to make `mk` of a password: Argon2id's salt, passes and memory. */
  prelogin: v.object({ salt: bytes(16), ops: v.number(), memKiB: v.number() }),
  login: v.object({
    token: v.string(),
    account,
    username: v.string(),
    operator: v.boolean(),
    identity: bytes(32),
    vault: bytes(1, 4096),
    vaultRev: v.number(),
  }),
  devices: v.object({ dev }),
  /** `until`: the relay's clock; what the device signed and was accepted before stays valid. */
  revoked: v.object({ dev, until: v.number() }),
  /** All other sessions are over, and this one has another token. */
  password: v.object({ token: v.string(), vaultRev: v.number() }),
  username: v.object({ free: v.boolean() }),
  /** Verdicts up to the first entry that has to wait, for `wait` ms; behind it nothing was processed. */
  entries: v.object({ verdicts: v.array(verdictShape), wait: v.number() }),
  /** `from`: username of who made the invite. `joined`: one is a member already. */
  invite: v.object({ space, name: v.string(), members: v.number(), from: v.string(), joined: v.boolean() }),
}

export type HttpAnswerName = keyof typeof shapes
/** As parsed. */
export type HttpAnswers = { [Name in HttpAnswerName]: v.InferOutput<(typeof shapes)[Name]> }
/** As written. */
export type HttpAnswersSent = { [Name in HttpAnswerName]: v.InferInput<(typeof shapes)[Name]> }

/** `undefined` for whatever is not of that shape; unknown fields are skipped. */
export function parseHttpAnswer<Name extends HttpAnswerName>(name: Name, raw: unknown): HttpAnswers[Name] | undefined {
  const parsed = v.safeParse(shapes[name], raw)
  // reason: the compiler does not follow one name through two mapped types; the schema of `name` gave this output
  return parsed.success ? (parsed.output as HttpAnswers[Name]) : undefined
}
