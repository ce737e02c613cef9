// What was tried and what came of it: by kind of case, apart for right and nearly right ones, so that one sees how deep the nearly right reach.

export interface Tally {
  count(kind: string, how: readonly string[], outcome: string): void
  readonly cases: number
  /** Outcomes by kind, right ones and nearly right ones apart. */
  table(): string
  /** How often each mutation was part of a case that was let through all the same. */
  readonly through: ReadonlyMap<string, number>
  has(kind: string, outcome: string): boolean
}

export function createTally(): Tally {
  const rows = new Map<string, Map<string, number>>()
  const through = new Map<string, number>()
  let cases = 0
  return {
    count(kind, how, outcome) {
      cases++
      const name = `${kind} ${how.length === 0 ? 'right' : 'nearly'}`
      const row = rows.get(name) ?? new Map<string, number>()
      rows.set(name, row.set(outcome, (row.get(outcome) ?? 0) + 1))
      if (['accepted', 'ok', 'done', '200'].includes(outcome))
        for (const one of new Set(how)) through.set(one, (through.get(one) ?? 0) + 1)
    },
    get cases() {
      return cases
    },
    table: () =>
      [...rows]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(
          ([name, row]) =>
            `${name.padEnd(32)} ${[...row]
              .sort((a, b) => b[1] - a[1])
              .map(([outcome, count]) => `${outcome} ${count}`)
              .join(', ')}`,
        )
        .join('\n'),
    through,
    has: (kind, outcome) => [...rows].some(([name, row]) => name.startsWith(kind) && row.has(outcome)),
  }
}
