// A person whose account, device certificate, entries and commands are made by hand: no engine, no slow hash of a password, and nothing that
// keeps him from signing what no device would sign.
import { Buffer } from 'node:buffer'
import { randomBytes } from 'node:crypto'
import { type Bytes, concatBytes, toBase64Url, utf8 } from '#shared/base/bytes.ts'
import { type AccountId, type ChannelId, type DeviceId, makeTimeId, type SpaceId } from '#shared/base/ids.ts'
import type { CommandAct } from '#shared/community/command.ts'
import { commandSignedBytes, entrySignedBytes } from '#shared/crypto/signed-bytes.ts'
import { loadSodium, type SeedSigner } from '#shared/crypto/sodium.ts'
import { accountIdOf, deviceIdOf, popSignedBytes, statementSignedBytes, writeDevAdd } from '#shared/crypto/statements.ts'

export interface Place {
  space: SpaceId
  channel: ChannelId
}

/** An account whose session has no device yet. */
export interface RawAccount {
  username: string
  account: AccountId
  /** What a device would derive from the password, 32 bytes. */
  authKey: Bytes
  identity: SeedSigner
  token: string
}

export interface RawPerson extends RawAccount {
  dev: DeviceId
  device: SeedSigner
}

export interface HttpReply {
  status: number
  /** `undefined` where it is no JSON object. */
  json: Record<string, unknown>
  text: string
}

export function someBytes(length: number): Bytes {
  return new Uint8Array(randomBytes(length))
}

/** @param token '' sends none */
export async function postJson(url: string, path: string, body: unknown, token = ''): Promise<HttpReply> {
  const headers: Record<string, string> = { 'content-type': 'application/json' }
  if (token !== '') headers.authorization = `Bearer ${token}`
  const answer = await fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
  const text = await answer.text()
  return { status: answer.status, json: readObject(text), text }
}

export async function newSigner(): Promise<SeedSigner> {
  return (await loadSodium()).signerFromSeed(someBytes(32))
}

/** Registers and signs in. @throws where the relay refuses */
export async function makeAccount(url: string, username: string): Promise<RawAccount> {
  const identity = await newSigner()
  const authKey = someBytes(32)
  const body = {
    username,
    email: `${username}@people.example`,
    salt: toBase64Url(someBytes(16)),
    authKey: toBase64Url(authKey),
    identity: toBase64Url(identity.publicKey),
    vault: toBase64Url(someBytes(64)),
  }
  const made = await postJson(url, '/api/register', body)
  if (made.status !== 201) throw new Error(`${username} gets no account: ${made.text}`)
  const account = accountIdOf(await loadSodium(), identity.publicKey)
  return { username, account, authKey, identity, token: await signInByHand(url, username, authKey) }
}

/** The token of a new session. @throws where the relay refuses */
export async function signInByHand(url: string, username: string, authKey: Bytes): Promise<string> {
  const entered = await postJson(url, '/api/login', { login: username, authKey: toBase64Url(authKey) })
  if (typeof entered.json.token !== 'string') throw new Error(`${username} is not let in: ${entered.text}`)
  return entered.json.token
}

/** A `dev.add` and its signature, as `POST /api/devices` takes it; every part can be another's. */
export function certificateOf(by: {
  account: AccountId
  identity: Pick<SeedSigner, 'publicKey'>
  signer: Pick<SeedSigner, 'sign'>
  key: Bytes
  pop: Bytes
}): { statement: string; sig: string } {
  const { account, identity, key, pop } = by
  const statement = writeDevAdd({ account, identity: identity.publicKey, key, at: Date.now(), pop })
  return { statement, sig: toBase64Url(by.signer.sign(statementSignedBytes(statement))) }
}

/** Another device of an account, on a session of its own. @throws where the relay refuses */
export async function addDevice(url: string, account: RawAccount, token: string): Promise<RawPerson> {
  const { identity } = account
  const device = await newSigner()
  const pop = device.sign(popSignedBytes(identity.publicKey))
  const signed = certificateOf({ account: account.account, identity, signer: identity, key: device.publicKey, pop })
  const admitted = await postJson(url, '/api/devices', signed, token)
  if (admitted.status !== 200) throw new Error(`the device of ${account.username} is not let in: ${admitted.text}`)
  return { ...account, token, device, dev: deviceIdOf(await loadSodium(), device.publicKey) }
}

export async function makePerson(url: string, username: string): Promise<RawPerson> {
  const account = await makeAccount(url, username)
  return addDevice(url, account, account.token)
}

/** The eight fields as text, whatever they are. */
export function entryText(person: RawPerson, fields: Record<string, unknown> = {}): string {
  const at = Date.now()
  const id = makeTimeId<'entry'>(at, someBytes(16))
  const all = { id, by: person.account, dev: person.dev, at, op: 'post', ref: 0, ext: 0, body: { t: 'hello' }, ...fields }
  return JSON.stringify([all.id, all.by, all.dev, all.at, all.op, all.ref, all.ext, all.body])
}

/** An entry as it is sent: a true signature of these very bytes for this place, and the bytes. */
export function signEntry(signer: Pick<SeedSigner, 'sign'>, { space, channel }: Place, text: string | Uint8Array): Bytes {
  const bytes = typeof text === 'string' ? new Uint8Array(Buffer.from(text)) : text
  return concatBytes(utf8(toBase64Url(signer.sign(entrySignedBytes(space, channel, bytes)))), bytes)
}

/** The fields of a `command` frame, truly signed. @param given fields of the command's text that differ */
export function signCommand(person: RawPerson, space: SpaceId, act: CommandAct, given: Record<string, unknown> = {}) {
  const at = Date.now()
  const id = makeTimeId<'command'>(at, someBytes(16))
  const all = { id, by: person.account, dev: person.dev, at, act: act.act, args: act.args, was: act.was, ...given }
  return signCommandText(person, space, JSON.stringify([all.id, all.by, all.dev, all.at, all.act, all.args, all.was]))
}

export function signCommandText(person: Pick<RawPerson, 'device'>, space: SpaceId, text: string) {
  return { t: 'command', space, text, sig: toBase64Url(person.device.sign(commandSignedBytes(space, text))), secret: '' }
}

function readObject(text: string): Record<string, unknown> {
  try {
    const json: unknown = JSON.parse(text)
    return typeof json === 'object' && json !== null ? { ...json } : {}
  } catch {
    return {}
  }
}
