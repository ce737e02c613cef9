// The keys of devices: asked for when something that they signed is to be checked, kept when their certificate holds.
// An account's identity is pinned at first sight: a key under another identity of the same account is not believed.
import { parseBase64Url } from '#shared/base/bytes.ts'
import type { DeviceId } from '#shared/base/ids.ts'
import type { Hasher, Verifier } from '#shared/crypto/ports.ts'
import { accountIdOf, deviceIdOf, verifyStatement } from '#shared/crypto/statements.ts'
import type { DeviceKey } from '#shared/protocol/frames.ts'
import { cryptoAtHand } from './keys-at-hand.ts'
import { type Link, put, send, type World } from './state.ts'

/** Ids in one request: its answer, certificates included, must fit a control frame. */
const askedAtOnceMax = 64

export function hasKey(world: World, dev: DeviceId): boolean {
  return world.tables.key.has(dev)
}

/** @returns false where asking is of no use: the relay does not know it, or has shown one that does not hold. */
export function wantKey(world: World, link: Link, dev: DeviceId): boolean {
  if (world.tables.key.has(dev) || link.keysMissing.has(dev)) return false
  if (!link.keysAsked.has(dev)) link.keysWanted.add(dev)
  return true
}

/** Called at the end of every turn; one request is in flight. Chains need keys before `ready`, so it does not wait for that. */
export function askForKeys(world: World): void {
  const { link } = world
  if (!link || link.phase === 'hello' || link.keysAsked.size > 0 || link.keysWanted.size === 0) return
  link.keysAsked = new Set([...link.keysWanted].slice(0, askedAtOnceMax))
  for (const dev of link.keysAsked) link.keysWanted.delete(dev)
  send(world, { kind: 'control', message: { t: 'keys', devs: [...link.keysAsked] } })
}

/** The whole answer to the one request: what it leaves out, the relay does not have. */
export async function onKeys(world: World, link: Link, rows: readonly DeviceKey[]): Promise<void> {
  const crypto = await cryptoAtHand(world)
  if (!crypto) return link.wire.close('libsodium did not load')
  for (const row of rows) if (isCertified(world, crypto, row)) put(world, 'key', row)
  for (const dev of link.keysAsked) if (!world.tables.key.has(dev)) link.keysMissing.add(dev)
  link.keysAsked.clear()
}

function isCertified(world: World, crypto: Hasher & Verifier, row: DeviceKey): boolean {
  const identity = parseBase64Url(row.identity)
  const key = parseBase64Url(row.key)
  if (identity?.length !== 32 || key?.length !== 32 || deviceIdOf(crypto, key) !== row.dev) return false
  const pin = world.tables.pin.get(row.account)
  if (pin ? pin.identity !== row.identity : accountIdOf(crypto, identity) !== row.account) return false
  const statement = verifyStatement(crypto, row.certificate, row.sig, { account: row.account, identity })
  if (!statement.ok || statement.value.t !== 'dev.add' || statement.value.key !== row.key) return false
  if (!pin) put(world, 'pin', { account: row.account, identity: row.identity })
  return true
}
