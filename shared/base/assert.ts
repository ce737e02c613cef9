// What must hold, kept in production. A failed assertion is a bug of ours, never a person's or a device's mistake.

/** @throws {Error} with `what must hold` as its message */
export function assert(holds: unknown, what: string): asserts holds {
  if (!holds) throw new Error(`must hold: ${what}`)
}

/** The end of a switch over a closed union: a new member must not compile until it is handled. */
export function unreachable(value: never): never {
  throw new Error(`must hold: unreachable ${JSON.stringify(value)}`)
}
