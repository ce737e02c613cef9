// What a person or a community looks like before they have a picture: always the same for the same id, on every device.

/** A stable number below `count` from an id. FNV-1a: not secret, only spread well. */
export function pick(id: string, count: number, salt = 0): number {
  let hash = 0x811c9dc5 ^ salt
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193)
  hash ^= hash >>> 15
  return (Math.imul(hash, 0x2c1b3ce5) >>> 0) % count
}

/** At most two letters as a person would write them: the first of two words, or the first two of one. */
export function initialsOf(name: string): string {
  const words = name.split(/[\s._-]+/u).filter(Boolean)
  const letters = (text: string) => Array.from(new Intl.Segmenter().segment(text), ({ segment }) => segment)
  const [first = '?', second] = words
  return second ? `${letters(first)[0] ?? ''}${letters(second)[0] ?? ''}` : letters(first).slice(0, 2).join('')
}
