// Which files below a folder hold this text, byte for byte: what was erased must be in none of them.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** Paths below the folder, sorted. Looked for in UTF-8 and, as JavaScript stores strings, in UTF-16. */
export function filesWith(folder: string, text: string): string[] {
  const forms = [Buffer.from(text, 'utf8'), Buffer.from(text, 'utf16le')]
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(join(folder, name)).isFile())
    .filter((name) => {
      const bytes = readFileSync(join(folder, name))
      return forms.some((form) => bytes.includes(form))
    })
    .sort()
}
