// Seeds that once failed, and what they found: run with every test, whatever else is drawn.
export const keptSeeds: readonly (readonly [seed: number, found: string])[] = []
