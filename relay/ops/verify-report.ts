// What a check found: one line each, that names what is wrong, where, and what it means. Of one kind only the first are kept, the rest counted.

export interface Finding {
  /** Its kind, for scripts. */
  code: string
  /** The row, by the ids that find it. */
  where: string
  /** What is not as it must be, and what follows from it. */
  what: string
}

export interface Findings {
  add(code: string, where: string, what: string): void
  /** In the order in which they were found. */
  list(): Finding[]
  /** All, those that are not in the list too. */
  count(): number
}

/** A spoilt disk has a million of the same. */
const perCodeMax = 50

export function createFindings(): Findings {
  const found: Finding[] = []
  const counts = new Map<string, number>()
  return {
    add(code, where, what) {
      const count = (counts.get(code) ?? 0) + 1
      counts.set(code, count)
      if (count <= perCodeMax) found.push({ code, where, what })
    },
    list() {
      const more = [...counts].filter(([, count]) => count > perCodeMax)
      return [
        ...found,
        ...more.map(([code, count]) => ({ code, where: 'elsewhere', what: `${count - perCodeMax} more of this kind` })),
      ]
    },
    count: () => [...counts.values()].reduce((sum, count) => sum + count, 0),
  }
}
