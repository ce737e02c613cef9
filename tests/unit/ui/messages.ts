// Messages as the engine shows them, for tests of what is drawn from them.
import type { MessageState, MessageView } from '#app/engine/api.ts'
import { idFromBytes } from '#shared/base/ids.ts'

export const minute = 60_000
export const noon = 1_790_000_000_000 - (1_790_000_000_000 % 86_400_000) + 43_200_000

const people = ['me', 'ann', 'bob'] as const
type Person = (typeof people)[number]

function message(nr: number, who: Person, at: number, seq: number, state: MessageState): MessageView {
  return {
    // reason: short ids keep what a test expects readable; rows only compare them
    id: `m${nr}` as MessageView['id'],
    by: idFromBytes<'account'>(new Uint8Array(16).fill(people.indexOf(who))),
    username: who,
    you: who === 'me',
    at,
    arrived: seq > 0 ? at : 0,
    seq,
    text: `words ${nr}`,
    edited: 0,
    newer: false,
    verified: true,
    reactions: [],
    pinned: false,
    state,
  }
}

export function accepted(seq: number, who: Person, at: number, more: Partial<MessageView> = {}): MessageView {
  return { ...message(seq, who, at, seq, { kind: 'accepted' }), ...more }
}

export function pending(nr: number, at: number): MessageView {
  return message(nr, 'me', at, 0, { kind: 'pending', signed: false })
}

export function refused(nr: number, at: number): MessageView {
  return message(nr, 'me', at, 0, { kind: 'refused', code: 'forbidden' })
}
