// Statements about devices, signed or to be signed by a real identity: right ones, and nearly right ones.
import { toBase64Url } from '#shared/base/bytes.ts'
import type { Prng } from '#shared/base/prng.ts'
import type { Signer } from '#shared/crypto/ports.ts'
import { popSignedBytes } from '#shared/crypto/statements.ts'
import { treeOf, writeTree } from './json-tree.ts'
import { mutateTree, type Pool } from './tree-mutations.ts'

export interface StatementScene {
  account: string
  identity: Signer
  device: Signer
  devs: readonly string[]
}

// Keys that libsodium must not admit: of small order, and no point at all (RFC 7748, "Taming the many EdDSAs").
const weakKeys = [
  new Uint8Array(32),
  Uint8Array.of(1, ...new Uint8Array(31)),
  Uint8Array.from(Buffer.from('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05', 'hex')),
  Uint8Array.from(Buffer.from('ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f', 'hex')),
  new Uint8Array(32).fill(255),
]

export function drawStatement(scene: StatementScene, random: Prng, pool: Pool): { text: string; how: string[] } {
  const { account, identity, device, devs } = scene
  const how: string[] = []
  let key = device.publicKey
  let pop = device.sign(popSignedBytes(identity.publicKey))
  const wrong = random.below(20)
  if (wrong === 0) {
    key = Uint8Array.from(random.pick(weakKeys))
    how.push('weak-key')
  } else if (wrong === 1) {
    pop = device.sign(popSignedBytes(random.bytes(32)))
    how.push('other-pop')
  }
  const at = random.pick([0, 1_800_000_000_000, Number.MAX_SAFE_INTEGER])
  const [own, named] = [toBase64Url(identity.publicKey), account]
  const add = { v: 1, t: 'dev.add', account: named, identity: own, key: toBase64Url(key), at, pop: toBase64Url(pop) }
  const why = random.pick(['', 'lost', 'w'.repeat(200), 'w'.repeat(201), '\ud800', '\u0000'])
  const revoke = { v: 1, t: 'dev.revoke', account: named, identity: own, dev: random.pick(devs), at, why }
  const tree = treeOf(random.chance(0.75) ? add : revoke)
  if (!random.chance(0.55)) return { text: writeTree(tree), how }
  const mutated = mutateTree(tree, random, [...pool, own])
  return { text: writeTree(mutated.tree), how: [...how, ...mutated.how] }
}
