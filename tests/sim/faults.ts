// How a run fails: `safety`, something is so that must never be, or `liveness`, something does not come about although nothing is in its way.
/** It does not come together again. */
export class Stuck extends Error {
  override name = 'Stuck'
}

export class RunFailed extends Error {
  override name = 'RunFailed'
  readonly broken: readonly ('safety' | 'liveness')[]
  constructor(broken: readonly ('safety' | 'liveness')[], errors: readonly unknown[]) {
    const texts = errors.map((error) => (error instanceof Error ? error.message : String(error)))
    super(`${broken.join(' and ')} broken: ${texts.join('; ')}`, { cause: errors[0] })
    this.broken = broken
  }
}
