// What a reader of screens hears first of a message: who, when, and how it stands. All that the cord shows is in here.
import type { MessageRow } from './rows.ts'
import { lateWords, momentWords } from './time-words.ts'

export function labelOf(row: MessageRow, now: number): string {
  const { message } = row
  const parts = [message.username, momentWords(row.at, now)]
  if (message.state.kind === 'refused') parts.push('not sent')
  if (message.state.kind === 'pending') parts.push(row.strand === 'own' ? 'waits on this device' : 'being sent')
  if (row.strand === 'new') parts.push('new')
  if (row.late) parts.push(lateWords(message.at, message.arrived))
  if (message.edited > 0) parts.push('edited')
  if (message.pinned) parts.push('pinned')
  return parts.join(', ')
}
