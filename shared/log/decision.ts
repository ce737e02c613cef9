// The relay's decision about one channel: from facts to verdicts, in one synchronous function. It stores nothing and sends nothing;
// the shell gathers the facts before, commits the batch, and only then sends. Facts are never changed.
// The order of checks is SPEC's: shape · session · known id · clock · signature · right · target. A later check never answers first,
// so nobody learns of a channel's content by what he is refused for.
import { utf8 } from '../base/bytes.ts'
import type { Random } from '../base/ports.ts'
import type { Verifier } from '../crypto/ports.ts'
import type { Verdict } from '../protocol/records.ts'
import type { RefusalCode } from '../protocol/refusals.ts'
import type { Entry, EntryExt } from './entry.ts'
import { type ReceivedEntry, writeElementPrefix } from './entry-codec.ts'
import { claimOf } from './entry-signature.ts'
import type {
  AcceptedEntry,
  Author,
  ChannelFacts,
  ChannelState,
  Decision,
  EntryRecord,
  ReservedEntry,
  Submission,
  SubmissionAnswer,
} from './facts.ts'
import { createStaging, type SegmentLimits, type Staging } from './staging.ts'

export interface DecisionPorts {
  verifier: Verifier
  /** For the ids and Yjs clients of new segments. */
  random: Random
  limits: SegmentLimits & { clockAheadMs: number }
}

/** No honest device sends these; the third on one link closes it. */
const severe: ReadonlySet<RefusalCode> = new Set<RefusalCode>(['shape', 'session', 'signature'])

// Roles, everyone, blobs and key ids are rights that this relay cannot judge yet, so it does not let them in.
const judged: ReadonlySet<string> = new Set<keyof EntryExt>(['m'])

/** Submissions are decided in their order, each as if those before it had been committed. */
export function decideChannel(facts: ChannelFacts, submissions: readonly Submission[], ports: DecisionPorts): Decision {
  const staging = createStaging(facts, ports.random, ports.limits)
  const answers = submissions.map((submission) => decideSubmission(staging, facts, submission, ports))
  return { answers, ...staging.finish() }
}

function decideSubmission(
  staging: Staging,
  facts: ChannelFacts,
  { author, entries, allowed, waitMs }: Submission,
  ports: DecisionPorts,
): SubmissionAnswer {
  const answer: SubmissionAnswer = { verdicts: [], spent: 0 }
  for (const received of entries) {
    const { parsed } = received
    const known =
      parsed.ok && isOfSession(parsed.value, author) ? knownVerdict(parsed.value, staging.record(parsed.value.id)) : undefined
    if (known) {
      answer.verdicts.push(known)
      continue
    }
    // Whatever has to be looked at costs a token, a refusal too: else a flood of bad signatures would be free.
    if (answer.spent >= allowed) return { ...answer, wait: { ms: waitMs } }
    answer.spent++
    answer.verdicts.push(
      parsed.ok ? decideEntry(staging, facts, author, parsed.value, received, ports) : refusal(parsed.id, parsed.code),
    )
  }
  return answer
}

function decideEntry(
  staging: Staging,
  facts: ChannelFacts,
  author: Author,
  entry: Entry,
  received: ReceivedEntry,
  ports: DecisionPorts,
): Verdict {
  const code = refusalOf(staging, facts, author, entry, received, ports)
  if (code) return refusal(entry.id, code)
  const target = entry.op === 'post' || entry.ref === 0 ? undefined : staging.record(entry.ref)
  const seq = staging.nextSeq()
  const prefix = utf8(writeElementPrefix(seq, facts.now))
  staging.append(entry, prefix, received.bytes, target?.kind === 'accepted' ? target.segment : undefined)
  if (entry.op === 'redact' && entry.ref !== 0) {
    if (target?.kind === 'accepted') staging.deletePost(target)
    else staging.reserve(reservation(entry.ref, target, author))
  }
  return { kind: 'accepted', id: entry.id, seq, at: facts.now }
}

/** Why not, or `undefined`. What stands first here answers first. */
function refusalOf(
  staging: Staging,
  { channel, now }: ChannelFacts,
  author: Author,
  entry: Entry,
  received: ReceivedEntry,
  { verifier, limits }: DecisionPorts,
): RefusalCode | undefined {
  if (!isOfSession(entry, author)) return 'session'
  // An id that is known was answered before; here it is another author's, or a reservation that does not bind.
  if (staging.record(entry.id)?.kind === 'accepted') return 'duplicate'
  if (entry.at > now + limits.clockAheadMs) return 'clock'
  if (!(received.signed ?? isSigned(verifier, channel, author.key, received))) return 'signature'
  if (entry.ext !== 0 && !Object.keys(entry.ext).every((key) => judged.has(key))) return 'ext'
  if (!author.may.has(entry.op)) return 'forbidden'
  return entry.op === 'post' || entry.ref === 0 ? undefined : targetRefusal(entry, staging.record(entry.ref), author)
}

function isSigned(verifier: Verifier, { space, id }: ChannelState, key: Uint8Array, received: ReceivedEntry): boolean {
  const claim = claimOf({ space, channel: id }, key, received)
  return claim !== undefined && verifier.verify(claim.signature, claim.message, claim.key)
}

/** What the entry is about must be a standing post; a redact may also come before its target, or again. `notarget`: wait for it. */
function targetRefusal(entry: Entry, target: EntryRecord | undefined, author: Author): RefusalCode | undefined {
  if (target?.kind === 'accepted') {
    if (target.op !== 'post') return 'target'
    if (entry.op !== 'redact' && target.gone) return 'target'
    if (target.by === author.by) return undefined
    const needsManage = entry.op === 'redact' || entry.op === 'pin' || entry.op === 'unpin'
    return entry.op === 'edit' || (needsManage && !author.manage) ? 'forbidden' : undefined
  }
  if (entry.op === 'redact') return undefined
  // Redacted before it came: it will never come if the redaction binds; else it still may.
  const neverComes = target && (target.manage || (entry.op === 'edit' && target.redactors.includes(author.by)))
  return neverComes ? 'target' : 'notarget'
}

/** The same id by the same author again, or one that was redacted for good before it came. */
function knownVerdict(entry: Entry, record: EntryRecord | undefined): Verdict | undefined {
  if (record?.kind === 'accepted')
    return record.by === entry.by ? { kind: 'known', id: entry.id, seq: record.seq, gone: record.gone } : undefined
  const binds = record && (record.manage || record.redactors.includes(entry.by))
  return binds ? { kind: 'known', id: entry.id, seq: 0, gone: true } : undefined
}

/** Each redactor is kept: whether one of them is the post's author is only known once it comes. */
function reservation(id: AcceptedEntry['id'], before: ReservedEntry | undefined, author: Author): ReservedEntry {
  const redactors = [...new Set([...(before?.redactors ?? []), author.by])]
  return { kind: 'reserved', id, redactors, manage: author.manage || (before?.manage ?? false) }
}

function isOfSession(entry: Entry, author: Author): boolean {
  return entry.by === author.by && entry.dev === author.dev
}

function refusal(id: Entry['id'] | 0, code: RefusalCode): Verdict {
  return { kind: 'refused', id, code, severe: severe.has(code) }
}
