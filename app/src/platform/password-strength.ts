// How guessable a new password is: the door of @zxcvbn-ts. Its lists (1.6 MB of common passwords, words and names) load with the first
// question. No rules of composition: refused is only what an attacker tries first, the person's own name and address among it.
import type { ZxcvbnFactory } from '@zxcvbn-ts/core'
import { isPasswordLength } from '#shared/protocol/account-rules.ts'

export interface PasswordStrength {
  /** 0 to 4, as zxcvbn scores: 0 under a thousand guesses, 1 under a million, 4 over ten thousand million. */
  lines: number
  /** It may be used: neither too short nor too long, and not among the first million guesses. */
  enough: boolean
  /** What is wrong or would help; '' = nothing to say. */
  words: string
}

/** Of one name or address; more would only slow the judging down. */
const partsMax = 8

let loading: Promise<ZxcvbnFactory> | undefined

/** @param about what is known of the person: username, e-mail address */
export async function passwordStrength(password: string, about: readonly string[]): Promise<PasswordStrength> {
  loading ??= load().catch((error: unknown) => {
    loading = undefined // offline now, perhaps not at the next letter
    throw error
  })
  const { score, feedback } = (await loading).check(password, contextWords(about))
  if (!isPasswordLength(password)) return { lines: Math.min(score, 1), enough: false, words: 'Use 10 to 256 characters.' }
  const words = feedback.warning || (score < 3 ? (feedback.suggestions[0] ?? '') : '')
  return { lines: score, enough: score >= 2, words }
}

async function load(): Promise<ZxcvbnFactory> {
  const [{ ZxcvbnFactory }, common, english] = await Promise.all([
    import('@zxcvbn-ts/core'),
    import('@zxcvbn-ts/language-common'),
    import('@zxcvbn-ts/language-en'),
  ])
  return new ZxcvbnFactory({
    dictionary: { ...common.dictionary, ...english.dictionary },
    graphs: common.adjacencyGraphs,
    translations: english.translations,
  })
}

/** Whole, in parts, and in runs of parts: who is `wren@hedge.example` must not use `wrenhedge1`. */
function contextWords(about: readonly string[]): string[] {
  const whole = about.map((word) => word.trim().toLowerCase()).filter((word) => word !== '')
  const runs = whole.flatMap((word) => {
    const parts = word.split(/[^\p{L}\p{N}]+/u).slice(0, partsMax)
    return parts.flatMap((_, from) => parts.slice(from).map((_, length) => parts.slice(from, from + length + 1).join('')))
  })
  return [...new Set([...whole, ...runs.filter((run) => run.length > 2), 'dupecord'])]
}
