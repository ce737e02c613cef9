// Deleting without an entry: an erased account's words, and a redaction that a backup did not know of. As with a redaction the elements become
// deleted runs, stored bytes are rewritten, and the ids stay taken for ever. Who may ask for it is decided by the caller.
import type { EntryId } from '../base/ids.ts'
import type { DecisionPorts } from './decision.ts'
import type { ChannelFacts, Decision } from './facts.ts'
import { createStaging } from './staging.ts'

/**
 * Deletes these accepted entries, and with a post all edits of it. Ids that are unknown, reserved or gone already are no matter:
 * where nothing is left to delete there is no batch.
 * @param facts as for a turn that redacts `ids`: their records, all edits of them, and one more of the newest posts than there are ids
 */
export function decideErasure(
  facts: ChannelFacts,
  ids: readonly EntryId[],
  { random, limits }: Pick<DecisionPorts, 'random' | 'limits'>,
): Omit<Decision, 'answers'> {
  const staging = createStaging(facts, random, limits)
  for (const id of ids) {
    const record = staging.record(id)
    if (record?.kind === 'accepted') staging.deletePost(record)
  }
  return staging.finish()
}
