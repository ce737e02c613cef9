// Bytes that were shipped: made once by an independent program over node:crypto, never edited. A device of any age must come to the same.
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parseBase64Url, toBase64Url } from '#shared/base/bytes.ts'
import { parseAccountId, parseSpaceId } from '#shared/base/ids.ts'
import { canonicalJson } from '#shared/community/canonical-json.ts'
import { bodyHash, checkRecord, stateHash } from '#shared/community/chain.ts'
import { parseCommand, writeCommandText } from '#shared/community/command-codec.ts'
import { inviteHash } from '#shared/community/invite-code.ts'
import type { CommunityHead } from '#shared/community/state.ts'
import { commandSignedBytes } from '#shared/crypto/signed-bytes.ts'
import { loadSodium } from '#shared/crypto/sodium.ts'

interface Golden {
  space: string
  account: string
  seed: string
  publicKey: string
  invite: { code: string; hash: string }
  acts: string[]
  links: {
    n: number
    at: number
    text: string
    signedBytes: string
    sig: string
    body: string
    canonicalState: string
    state: string
    h: string
  }[]
}

const golden: Golden = JSON.parse(readFileSync(new URL('./chain.json', import.meta.url), 'utf8'))
const sodium = await loadSodium()
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const space = parseSpaceId(golden.space)
const account = parseAccountId(golden.account)
if (!space || !account) throw new Error('the golden file has ids')
const signer = sodium.signerFromSeed(Buffer.from(golden.seed, 'hex'))

describe('golden bytes of the community', () => {
  test('[GOLD-C1] every act has the text that it always had', () => {
    for (const text of golden.acts) {
      const read = parseCommand(text, toBase64Url(new Uint8Array(64)))
      if (!read.ok) throw new Error(`${read.code}: ${text}`)
      expect(writeCommandText(read.value.command)).toBe(text)
    }
  })

  test.each(golden.links)('[GOLD-C2] command $n: signed bytes, signature and body hash', ({ text, signedBytes, sig, body }) => {
    expect(hex(commandSignedBytes(space, text))).toBe(signedBytes)
    expect(toBase64Url(signer.sign(commandSignedBytes(space, text)))).toBe(sig)
    expect(hex(bodyHash(sodium, parseBase64Url(sig) ?? new Uint8Array(), text))).toBe(body)
  })

  test('[GOLD-C3] h(1) to h(3), and the state hashes on the way', () => {
    let head: CommunityHead | undefined
    const key = { account, key: signer.publicKey }
    expect(hex(key.key)).toBe(golden.publicKey)
    for (const { n, at, text, sig, state, canonicalState, h } of golden.links) {
      const checked = checkRecord({ hasher: sodium, verifier: sodium }, space, head, { n, at, text, sig, state }, () => key)
      if (!checked.ok) throw new Error(`${n}: ${checked.code}`)
      head = checked.value
      expect(canonicalJson(head.state)).toBe(canonicalState)
      expect(toBase64Url(stateHash(sodium, head.state))).toBe(state)
      expect(hex(head.hash)).toBe(h)
    }
  })

  test('[GOLD-C4] the hash of an invite', () => {
    expect(inviteHash(sodium, golden.invite.code)).toBe(golden.invite.hash)
  })
})
