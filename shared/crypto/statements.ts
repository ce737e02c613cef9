// Key statements: what an account's identity key says of its devices. Kept, sent and verified as the exact bytes that were signed.
// Whoever reads one gets a value or a refusal, never an exception: a valid signature does not make bytes well formed.
import { type Bytes, concatBytes, parseBase64Url, toBase64Url, utf8 } from '../base/bytes.ts'
import { type AccountId, type DeviceId, idFromBytes, parseAccountId, parseDeviceId } from '../base/ids.ts'
import { ok, type Result, refuse } from '../base/result.ts'
import type { Hasher, Verifier } from './ports.ts'
import { tag, taggedHash } from './signed-bytes.ts'

export interface DevAdd {
  v: 1
  t: 'dev.add'
  account: AccountId
  /** Ed25519 public key of the account, 32 bytes as base64url. */
  identity: string
  /** Ed25519 public key of the device, 32 bytes as base64url. */
  key: string
  /** The signer's clock, ms; it only informs. */
  at: number
  /** The device key's signature over the identity key: nobody claims another's key. */
  pop: string
}

export interface DevRevoke {
  v: 1
  t: 'dev.revoke'
  account: AccountId
  identity: string
  dev: DeviceId
  at: number
  why: string
}

export type Statement = DevAdd | DevRevoke

/** `shape`: no statement that this version knows. `account`: another account's. `signature`, `key`, `pop`: what does not hold. */
export type StatementRefusal = 'shape' | 'account' | 'signature' | 'key' | 'pop'

const statementCharactersMax = 1024
const whyCharactersMax = 200

/** First 16 bytes of H("account", identity key): never changes, so an account can move to another relay. */
export function accountIdOf(hasher: Hasher, identity: Uint8Array): AccountId {
  return idFromBytes<'account'>(taggedHash(hasher, 'account', identity).subarray(0, 16))
}

/** First 16 bytes of H("device", device key). */
export function deviceIdOf(hasher: Hasher, key: Uint8Array): DeviceId {
  return idFromBytes<'device'>(taggedHash(hasher, 'device', key).subarray(0, 16))
}

/** What a device key signs to prove that it is there: tag("device-pop") || identity key. */
export function popSignedBytes(identity: Uint8Array): Bytes {
  return concatBytes(tag('device-pop'), identity)
}

/** What an identity key signs: tag("keys") || utf8(statement). */
export function statementSignedBytes(text: string): Bytes {
  return concatBytes(tag('keys'), utf8(text))
}

export function writeDevAdd(fields: {
  account: AccountId
  identity: Uint8Array
  key: Uint8Array
  at: number
  pop: Uint8Array
}): string {
  const { account, at } = fields
  const [identity, key, pop] = [toBase64Url(fields.identity), toBase64Url(fields.key), toBase64Url(fields.pop)]
  return JSON.stringify({ v: 1, t: 'dev.add', account, identity, key, at, pop } satisfies DevAdd)
}

export function writeDevRevoke(fields: {
  account: AccountId
  identity: Uint8Array
  dev: DeviceId
  at: number
  why: string
}): string {
  const { account, dev, at, why } = fields
  return JSON.stringify({
    v: 1,
    t: 'dev.revoke',
    account,
    identity: toBase64Url(fields.identity),
    dev,
    at,
    why,
  } satisfies DevRevoke)
}

/** Exactly the keys of its kind, in their order, canonical; else `undefined`. Says nothing about signatures. */
export function parseStatement(text: string): Statement | undefined {
  if (text.length > statementCharactersMax) return undefined
  const raw = parseJson(text)
  if (typeof raw !== 'object' || raw === null) return undefined
  // reason: JSON gave an object; every field is checked below before it is used
  const { v, t, account: rawAccount, identity, key, dev: rawDev, at, pop, why } = raw as Record<string, unknown>
  const account = parseAccountId(rawAccount)
  if (v !== 1 || !account || !isEncoded(identity, 32) || !isTime(at)) return undefined
  let statement: Statement
  if (t === 'dev.add' && isEncoded(key, 32) && isEncoded(pop, 64)) statement = { v, t, account, identity, key, at, pop }
  else if (t === 'dev.revoke' && typeof why === 'string' && why.length <= whyCharactersMax) {
    const dev = parseDeviceId(rawDev)
    if (!dev) return undefined
    statement = { v, t, account, identity, dev, at, why }
  } else return undefined
  return JSON.stringify(statement) === text ? statement : undefined
}

/**
 * Does this account's identity say so? Checks the signature and, for `dev.add`, the device key and its own agreement.
 * @param signature 64 bytes as base64url @param identity the account's key as the reader knows it, 32 bytes
 */
export function verifyStatement(
  verifier: Verifier,
  text: string,
  signature: string,
  expected: { account: AccountId; identity: Uint8Array },
): Result<Statement, StatementRefusal> {
  const statement = parseStatement(text)
  const sig = parseBase64Url(signature)
  if (!statement || sig?.length !== 64) return refuse('shape')
  if (statement.account !== expected.account || statement.identity !== toBase64Url(expected.identity)) return refuse('account')
  if (!verifier.verify(sig, statementSignedBytes(text), expected.identity)) return refuse('signature')
  if (statement.t === 'dev.revoke') return ok(statement)
  const [key, pop] = [parseBase64Url(statement.key), parseBase64Url(statement.pop)]
  if (!key || !verifier.isValidKey(key)) return refuse('key')
  if (!pop || !verifier.verify(pop, popSignedBytes(expected.identity), key)) return refuse('pop')
  return ok(statement)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isEncoded(raw: unknown, length: number): raw is string {
  return typeof raw === 'string' && parseBase64Url(raw)?.length === length
}

function isTime(raw: unknown): raw is number {
  return typeof raw === 'number' && Number.isSafeInteger(raw) && raw >= 0
}
