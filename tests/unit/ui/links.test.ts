// Web addresses in plain text: what becomes a link, where it ends, and what must not become one.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { splitLinks } from '#app/ui/timeline/links.ts'

const linksIn = (text: string): string[] => splitLinks(text).flatMap((part) => (part.href === undefined ? [] : [part.text]))

test.each([
  ['see https://a.example/x', 'https://a.example/x'],
  ['https://a.example', 'https://a.example'],
  ['HTTP://A.example/B?c=d&e=f#g', 'HTTP://A.example/B?c=d&e=f#g'],
  ['at https://a.example/x.', 'https://a.example/x'],
  ['really https://a.example/x?!', 'https://a.example/x'],
  ['(see https://a.example/x)', 'https://a.example/x'],
  ['(https://a.example/x_(y))', 'https://a.example/x_(y)'],
  ['"https://a.example/x"', 'https://a.example/x'],
  ['<https://a.example/x>', 'https://a.example/x'],
  ['見て、https://a.example/道。', 'https://a.example/道'],
  ['見https://a.example/x', 'https://a.example/x'],
  ['https://münchen.example/ü', 'https://münchen.example/ü'],
  ['http://localhost:8800/c', 'http://localhost:8800/c'],
  ['http://[::1]:8800/', 'http://[::1]:8800/'],
])('%s', (text, link) => {
  expect(linksIn(text)).toEqual([link])
})

test.each([
  'javascript:alert(1)',
  'data:text/html,x',
  'ftp://a.example',
  'xhttps://a.example',
  'https://',
  'https:///',
  'https://a b',
  'https://good.example@bad.example/',
  'www.a.example',
])('%s stays text', (text) => {
  expect(linksIn(text).filter((link) => link !== 'https://a')).toEqual([])
})

test('several links keep what stands between them', () => {
  const text = 'a https://a.example/1, b\nhttps://b.example/2 c'
  expect(splitLinks(text).map((part) => part.text)).toEqual(['a ', 'https://a.example/1', ', b\n', 'https://b.example/2', ' c'])
})

test('no character is lost, and every link is http or https', () => {
  const piece = fc.constantFrom(
    'https://',
    'http://',
    'a.example',
    '/',
    '(',
    ')',
    '.',
    ' ',
    '\n',
    '@',
    'ü',
    '見',
    '\u202e',
    '"',
    '%zz',
    '[',
    ']',
  )
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'grapheme' }),
        fc.array(piece).map((all) => all.join('')),
      ),
      (text) => {
        const parts = splitLinks(text)
        expect(parts.map((part) => part.text).join('')).toBe(text)
        for (const part of parts) if (part.href !== undefined) expect(new URL(part.href).protocol).toMatch(/^https?:$/)
      },
    ),
  )
})
