// What is done of the next turn while this one runs: its entries are read, and their signatures checked on another thread, if there is one.
// Only a head start: what was not checked here, the decision checks itself. So nothing here may refuse, and nothing has to be right about
// the moment, only about bytes and keys.
import type { AccountId } from '#shared/base/ids.ts'
import { type ReceivedEntry, receiveEntry } from '#shared/log/entry-codec.ts'
import { claimOf } from '#shared/log/entry-signature.ts'
import type { Append } from './hub-append.ts'
import type { HubParts } from './hub-hello.ts'
import type { Turn } from './hub-inbox.ts'

/** A turn with its entries read. `checked` resolves when the signatures' check is back. */
export type ReadyTurn =
  | { kind: 'appends'; appends: Append[]; checked: Promise<void> | undefined }
  | Exclude<Turn, { kind: 'appends' }>

/** @param allowed how many entries of this person may be looked at now: a flood must not buy checks that it has no tokens for */
export function readTurn(hub: HubParts, turn: Turn | undefined, allowed: (append: Append) => number): ReadyTurn | undefined {
  if (turn?.kind !== 'appends') return turn
  const appends = turn.appends.map((append) => ({ ...append, entries: append.frame.entries.map(receiveEntry) }))
  return { kind: 'appends', appends, checked: checkAhead(hub, appends, allowed) }
}

function checkAhead(
  { ports, memory }: HubParts,
  appends: readonly Append[],
  allowed: (append: Append) => number,
): Promise<void> | undefined {
  const { verifyAhead } = ports
  if (!verifyAhead) return undefined
  const asked: ReceivedEntry[] = []
  /** By person: many frames of one turn share the tokens that each of them sees. */
  const looked = new Map<AccountId, number>()
  const claims = appends.flatMap((append) => {
    const { link, frame, entries } = append
    const space = memory.knownSpaceOf(frame.channel)
    // Who sends again what is known has it for free, and gets no check for it either; nor does who is no member, and pays nothing.
    if (!space || !link.session || !link.spaces.has(space) || link.sentAgain) return []
    const { account, dev, key } = link.session
    const before = looked.get(account) ?? 0
    const first = entries.slice(0, Math.max(0, allowed(append) - before))
    looked.set(account, before + first.length)
    return first.flatMap((entry) => {
      const isOwn = entry.parsed.ok && entry.parsed.value.by === account && entry.parsed.value.dev === dev
      const claim = isOwn ? claimOf({ space, channel: frame.channel }, key, entry) : undefined
      if (claim) asked.push(entry)
      return claim ? [claim] : []
    })
  })
  return verifyAhead(claims)?.then((answers) => {
    asked.forEach((entry, i) => {
      entry.signed = answers[i]
    })
  })
}
