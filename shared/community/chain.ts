// The chain of a community's commands: every record is bound to all before it and to the state after it, so that one history is shown to all.
// The relay extends it (`extendChain`); a device re-executes and checks each record (`checkRecord`). Who had the right is the relay's word.
import { type Bytes, toBase64Url, u64be, utf8 } from '../base/bytes.ts'
import { type AccountId, type DeviceId, idBytes, type SpaceId } from '../base/ids.ts'
import { ok, type Result, refuse } from '../base/result.ts'
import type { Hasher, Verifier } from '../crypto/ports.ts'
import { commandSignedBytes, taggedHash } from '../crypto/signed-bytes.ts'
import type { CommandRecord } from '../protocol/records.ts'
import { canonicalJson } from './canonical-json.ts'
import { parseCommand, type SignedCommand } from './command-codec.ts'
import { execute } from './execute.ts'
import type { CommunityHead, CommunityState } from './state.ts'

/** h(0): 32 zero bytes. */
export const chainStart: Bytes = new Uint8Array(32)

/** H("state", canonical JSON of what all members may know), 32 bytes. */
export function stateHash(hasher: Hasher, state: CommunityState): Bytes {
  return taggedHash(hasher, 'state', utf8(canonicalJson(state)))
}

/** H("command-body", sig(64) || text) */
export function bodyHash(hasher: Hasher, signature: Uint8Array, text: string): Bytes {
  return taggedHash(hasher, 'command-body', signature, utf8(text))
}

/** h(n) = H("chain", space(16) || u64be n || u64be at || h(n-1) || body || state) */
export function chainHash(
  hasher: Hasher,
  link: { space: SpaceId; n: number; at: number; before: Uint8Array; body: Uint8Array; state: Uint8Array },
): Bytes {
  return taggedHash(hasher, 'chain', idBytes(link.space), u64be(link.n), u64be(link.at), link.before, link.body, link.state)
}

/** The record and the new head for a command that was executed to `state`. */
export function extendChain(
  hasher: Hasher,
  space: SpaceId,
  head: CommunityHead | undefined,
  { text, signature }: SignedCommand,
  state: CommunityState,
  at: number,
): { record: CommandRecord; head: CommunityHead } {
  const n = (head?.n ?? 0) + 1
  const after = stateHash(hasher, state)
  const body = bodyHash(hasher, signature, text)
  const hash = chainHash(hasher, { space, n, at, before: head?.hash ?? chainStart, body, state: after })
  return { record: { n, at, text, sig: toBase64Url(signature), state: toBase64Url(after) }, head: { space, n, hash, state } }
}

/**
 * `order`: not the next number · `newer`: of a version that this one does not know · `shape`: not a command · `key`: the key of its device is not
 * known here (ask for it, then try again) · `signature` · `effect`: it cannot have been executed on this state · `state`: it led elsewhere.
 * All but `key` and `newer` mean that the relay does not tell the truth, or is broken.
 */
export type ChainFault = 'order' | 'newer' | 'shape' | 'key' | 'signature' | 'effect' | 'state'

/** @param head what this device has checked so far; `undefined` = nothing, then the record must be the first */
export function checkRecord(
  ports: { hasher: Hasher; verifier: Verifier },
  space: SpaceId,
  head: CommunityHead | undefined,
  record: CommandRecord,
  keyOf: (dev: DeviceId) => { account: AccountId; key: Uint8Array } | undefined,
): Result<CommunityHead, ChainFault> {
  if (record.n !== (head?.n ?? 0) + 1 || !Number.isSafeInteger(record.at) || record.at < 0) return refuse('order')
  const parsed = parseCommand(record.text, record.sig)
  if (!parsed.ok) return refuse(parsed.code === 'act' ? 'newer' : 'shape')
  const { command, signature, text } = parsed.value
  const owner = keyOf(command.dev)
  if (!owner) return refuse('key')
  if (owner.account !== command.by || !ports.verifier.verify(signature, commandSignedBytes(space, text), owner.key)) {
    return refuse('signature')
  }
  const executed = execute(head?.state, command)
  if (!executed.ok) return refuse('effect')
  const extended = extendChain(ports.hasher, space, head, parsed.value, executed.value, record.at)
  return extended.record.state === record.state ? ok(extended.head) : refuse('state')
}
