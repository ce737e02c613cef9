// How the account flows read what the relay answered: a value of the shape that was asked for, or a refusal.
import { type HttpAnswerName, type HttpAnswers, parseHttpAnswer } from '#shared/protocol/http-answers.ts'
import type { RefusalCode } from '#shared/protocol/refusals.ts'
import type { HttpAnswer } from './account-http.ts'

export type Refused = { ok: false; code: RefusalCode; present?: string }
export type AccountAnswer<Value> = { ok: true; value: Value } | Refused

/** An answer of another shape is `internal`, whatever it was. */
export function readAnswer<Name extends HttpAnswerName>(name: Name, answer: HttpAnswer): AccountAnswer<HttpAnswers[Name]> {
  if (!answer.ok) return readRefused(answer)
  const value = parseHttpAnswer(name, answer.value)
  return value ? { ok: true, value } : { ok: false, code: 'internal' }
}

/** `too_many` and `busy` carry the seconds to wait as `present`. */
export function readRefused({ code, retryAfterS }: { code: RefusalCode; retryAfterS: number }): Refused {
  return retryAfterS > 0 ? { ok: false, code, present: String(retryAfterS) } : { ok: false, code }
}
