// Web addresses inside plain text. Only http and https become links, and only where the platform's own URL parser agrees;
// everything else stays text. It makes no markup: the view draws each part as a node.

export type Part = { text: string; href?: undefined } | { text: string; href: string }

const candidate = /https?:\/\/[^\s\p{Cc}\p{Cf}<>"'`{}|\\^]+/giu
// What closes a sentence rather than an address.
const trailing = /[.,:;!?…'"’”»*_~。、，！？：；،؛؟]$/u
const pairs: readonly (readonly [string, string])[] = [
  ['(', ')'],
  ['[', ']'],
  ['（', '）'],
  ['「', '」'],
]

/** The text in order, with its links apart. Joining all `text` gives the text back. */
export function splitLinks(text: string): Part[] {
  const parts: Part[] = []
  let from = 0
  for (const match of text.matchAll(candidate)) {
    const address = trimmed(match[0])
    const href = hrefOf(address)
    if (href === undefined || isInsideWord(text, match.index)) continue
    if (match.index > from) parts.push({ text: text.slice(from, match.index) })
    parts.push({ text: address, href })
    from = match.index + address.length
  }
  if (from < text.length) parts.push({ text: text.slice(from) })
  return parts
}

function trimmed(raw: string): string {
  let address = raw
  for (;;) {
    if (trailing.test(address) || isClosedTooOften(address)) address = address.slice(0, -1)
    else return address
  }
}

/** `(see https://a.example/x)` ends before the bracket, `https://a.example/x_(y)` with it. */
function isClosedTooOften(address: string): boolean {
  return pairs.some(([open, close]) => address.endsWith(close) && count(address, close) > count(address, open))
}

function count(text: string, part: string): number {
  return text.split(part).length - 1
}

function hrefOf(address: string): string | undefined {
  if (!URL.canParse(address)) return undefined
  const url = new URL(address)
  // An address with a name before the @ looks like another one: it stays text, so that nobody is led astray.
  const isPlain = url.username === '' && url.password === '' && url.hostname !== ''
  return isPlain && (url.protocol === 'https:' || url.protocol === 'http:') ? url.href : undefined
}

function isInsideWord(text: string, at: number): boolean {
  return (
    at > 0 &&
    /[\p{L}\p{N}_]/u.test(text[at - 1] ?? '') &&
    !/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u.test(text[at - 1] ?? '')
  )
}
