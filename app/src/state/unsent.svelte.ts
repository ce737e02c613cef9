// What did not go: messages that the relay refused, and the ends of changes that were queued without a network.
import type { CommandId, EntryId } from '#shared/base/ids.ts'
import type { CallAnswer, OutcomeView, UnsentView } from '../engine/api.ts'
import { call, topic } from './client.svelte.ts'

export type { OutcomeView, UnsentView } from '../engine/api.ts'

export function unsent(): UnsentView[] {
  return topic('unsent', '').current ?? []
}

export function outcomes(): OutcomeView[] {
  return topic('outcomes', '').current ?? []
}

export function sendAgain(id: EntryId, text: string): Promise<CallAnswer<'retryUnsent'>> {
  return call('retryUnsent', { id, text })
}

export function dropUnsent(id: EntryId): Promise<CallAnswer<'dropUnsent'>> {
  return call('dropUnsent', { id })
}

export function dismissOutcome(id: CommandId): Promise<CallAnswer<'dismissOutcome'>> {
  return call('dismissOutcome', { id })
}
