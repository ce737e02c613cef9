// The oracle's own reading of canonical JSON: character by character, so that it shares nothing with JSON.stringify(JSON.parse(…)).
// One value has one spelling: no blanks, the shortest escapes, numbers as ECMAScript writes them, array-index keys first and in order, no key twice.

/** Objects as maps: no key means anything by itself. */
export type Plain = null | boolean | number | string | Plain[] | Map<string, Plain>

interface Rules {
  depthMax: number
  /** Whether `\ud800`, which is how canonical JSON spells a lone surrogate, may stand. */
  loneSurrogates: boolean
}

const shortEscapes: { readonly [letter: string]: string } = {
  '"': '"',
  '\\': '\\',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
}
const numberShape = /-?(0|[1-9]\d*)(\.\d+)?(e[+-]\d+)?/y

/** `undefined`: not JSON, or not its one spelling, or too deep. */
export function readCanonical(text: string, rules: Rules): Plain | undefined {
  let at = 0

  const literal = (word: string): boolean => {
    if (!text.startsWith(word, at)) return false
    at += word.length
    return true
  }

  const value = (depth: number): Plain | undefined => {
    const sign = text[at]
    if (sign === '"') return string()
    if (sign === '[') return depth < rules.depthMax ? list(depth + 1) : undefined
    if (sign === '{') return depth < rules.depthMax ? object(depth + 1) : undefined
    if (literal('true')) return true
    if (literal('false')) return false
    if (literal('null')) return null
    return number()
  }

  const number = (): number | undefined => {
    numberShape.lastIndex = at
    const word = numberShape.exec(text)?.[0]
    if (word === undefined || !Number.isFinite(Number(word)) || String(Number(word)) !== word) return undefined
    at += word.length
    return Number(word)
  }

  const string = (): string | undefined => {
    let said = ''
    at++
    for (;;) {
      const sign = text[at]
      if (sign === undefined || sign < ' ') return undefined
      at++
      if (sign === '"') return said
      if (sign !== '\\') {
        const code = sign.charCodeAt(0)
        if (code >= 0xd800 && code <= 0xdfff) {
          // Raw, a surrogate has its partner beside it.
          const partner = text.charCodeAt(at)
          if (code >= 0xdc00 || !(partner >= 0xdc00 && partner <= 0xdfff)) return undefined
          said += sign + String.fromCharCode(partner)
          at++
        } else said += sign
        continue
      }
      const letter = text[at++] ?? ''
      const short = Object.hasOwn(shortEscapes, letter) ? shortEscapes[letter] : undefined
      if (short !== undefined) {
        said += short
        continue
      }
      const hex = text.slice(at, at + 4)
      if (letter !== 'u' || !/^[0-9a-f]{4}$/.test(hex)) return undefined
      at += 4
      const code = Number.parseInt(hex, 16)
      const isControl = code < 0x20 && !'\b\f\n\r\t'.includes(String.fromCharCode(code))
      const isLone = rules.loneSurrogates && code >= 0xd800 && code <= 0xdfff && !pairs(said, code)
      if (!isControl && !isLone) return undefined
      said += String.fromCharCode(code)
    }
  }

  const list = (depth: number): Plain[] | undefined => {
    const items: Plain[] = []
    at++
    if (literal(']')) return items
    for (;;) {
      const item = value(depth)
      if (item === undefined) return undefined
      items.push(item)
      if (literal(']')) return items
      if (!literal(',')) return undefined
    }
  }

  const object = (depth: number): Map<string, Plain> | undefined => {
    const pairsRead = new Map<string, Plain>()
    let indexBefore = -1
    let named = false
    at++
    if (literal('}')) return pairsRead
    for (;;) {
      if (text[at] !== '"') return undefined
      const key = string()
      if (key === undefined || pairsRead.has(key) || !literal(':')) return undefined
      if (isIndex(key)) {
        if (named || Number(key) <= indexBefore) return undefined
        indexBefore = Number(key)
      } else named = true
      const item = value(depth)
      if (item === undefined) return undefined
      pairsRead.set(key, item)
      if (literal('}')) return pairsRead
      if (!literal(',')) return undefined
    }
  }

  const whole = value(0)
  return at === text.length ? whole : undefined
}

/** Would the two be one character, and so not spelled as escapes? */
function pairs(before: string, code: number): boolean {
  const last = before.charCodeAt(before.length - 1)
  return code >= 0xdc00 && last >= 0xd800 && last <= 0xdbff
}

/** An array index of ECMAScript: up to 2^32 - 2. */
function isIndex(key: string): boolean {
  return /^(0|[1-9]\d{0,9})$/.test(key) && Number(key) < 2 ** 32 - 1
}
