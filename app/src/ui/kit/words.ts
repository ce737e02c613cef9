// What a refusal says to a person.
import { type RefusalCode, refusals } from '#shared/protocol/refusals.ts'

export function refusalWords(code: RefusalCode): string {
  return refusals[code].text
}
