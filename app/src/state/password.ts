// How good a new password is, for the door. The lists it is judged by are fetched with the first letter, not before.
export interface Strength {
  /** 0 to 4 lines drawn. */
  lines: number
  /** Good enough to make an account with. */
  enough: boolean
  /** What would help, or that it is good; '' = nothing to say. */
  words: string
}

/** @returns undefined where the lists cannot be had, without a network: then the length alone decides */
export async function strengthOf(password: string, about: string[]): Promise<Strength | undefined> {
  const { passwordStrength } = await import('../platform/password-strength.ts')
  return passwordStrength(password, about).catch(() => undefined)
}
