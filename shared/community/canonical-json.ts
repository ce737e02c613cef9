// One text for one value, so that hashes of it agree everywhere: keys sorted by UTF-16 unit, no blanks, whole numbers only.
import { assert } from '../base/assert.ts'

/**
 * @param value plain data: strings, safe integers, arrays, objects
 * @throws {Error} on anything else: only our own state is ever written so, a foreign one never gets here
 */
export function canonicalJson(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'number') {
    assert(Number.isSafeInteger(value) && !Object.is(value, -0), 'a number in canonical JSON is a safe integer')
    return String(value)
  }
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  assert(typeof value === 'object' && value !== null, 'canonical JSON holds strings, numbers, arrays and objects')
  // The default order of sort() compares UTF-16 units, which is what the format asks for.
  const pairs = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${pairs.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`).join(',')}}`
}
