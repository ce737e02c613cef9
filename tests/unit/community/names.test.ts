import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { limits } from '#shared/base/limits.ts'
import { countCharacters, tidyChannelName, tidyCommunityName, tidyTopic } from '#shared/community/names.ts'

const typed = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 120 }),
  fc.string({ unit: 'grapheme', maxLength: 120 }),
  // What the rules are about, thickly: case, accents apart, blanks, dashes, turned text, joiners, halves of pairs.
  fc.string({
    unit: fc.constantFrom(
      'a',
      'B',
      'İ',
      'ẞ',
      'e',
      '\u0301',
      ' ',
      '\u00a0',
      '\u3000',
      '-',
      '_',
      '#',
      '\u202e',
      '\u200b',
      '\u200d',
      '\ufe0f',
      '\ud800',
      '\udc00',
      '\t',
      '\n',
      'ſ',
      'K',
      'Σ',
    ),
    maxLength: 30,
  }),
)

describe('names', () => {
  test.each([
    ['General Chat', 'general-chat'],
    ['  What’s  new? ', 'what’s-new'],
    ["what's/new!", 'whatsnew'],
    ['#off_topic', 'off_topic'],
    ['-- a -- b --', 'a-b'],
    ['ПИВО та Кава', 'пиво-та-кава'],
    ['日本語 雑談', '日本語-雑談'],
    ['ÉCOLE', 'école'],
    ['e\u0301cole', 'école'],
    ['🎮Games', '🎮games'],
    ['👩‍💻 work', '👩‍💻-work'],
  ])('[NAME-1] a text channel that is called %j is written %j', (raw, written) => {
    expect(tidyChannelName(raw, 'text')).toBe(written)
  })

  test('[NAME-1] a voice channel keeps its capitals and blanks', () => {
    expect(tidyChannelName('  The   Lounge! ', 'voice')).toBe('The Lounge!')
  })

  test('[NAME-2] signs that show nothing or turn the text around are taken out', () => {
    expect(tidyCommunityName('Pay\u202epal\u200b\u0000\ufeff')).toBe('Paypal')
    expect(tidyCommunityName('a\ud800b')).toBe('ab')
    expect(tidyCommunityName('Two\nlines\tand\u00a0blanks')).toBe('Two lines and blanks')
  })

  test('[NAME-3] a name is not empty, not invisible, and not over its length', () => {
    for (const raw of ['', '   ', '\u200b', '\u200d\ufe0f', '\ud800']) expect(tidyCommunityName(raw)).toBeUndefined()
    for (const raw of ['', '---', '###', ' - ']) expect(tidyChannelName(raw, 'text')).toBeUndefined()
    expect(tidyCommunityName('🎈'.repeat(limits.communityNameMax))).toBeDefined()
    expect(tidyCommunityName('🎈'.repeat(limits.communityNameMax + 1))).toBeUndefined()
    expect(tidyChannelName('x'.repeat(limits.channelNameMax + 1), 'text')).toBeUndefined()
  })

  test('[NAME-4] a topic may be empty and have lines, not more than its length', () => {
    expect(tidyTopic('')).toBe('')
    expect(tidyTopic('\n One \r\n\u202e two\rthree\n\n')).toBe('One\ntwo\nthree')
    expect(tidyTopic('x'.repeat(limits.topicCharactersMax))).toBeDefined()
    expect(tidyTopic('x'.repeat(limits.topicCharactersMax + 1))).toBeUndefined()
  })

  test('[NAME-5] tidying twice is tidying once, so that a tidied name is always accepted', () => {
    const rules = [
      tidyCommunityName,
      tidyTopic,
      (raw: string) => tidyChannelName(raw, 'text'),
      (raw: string) => tidyChannelName(raw, 'voice'),
    ]
    fc.assert(
      fc.property(typed, (raw) => {
        for (const tidy of rules) {
          const once = tidy(raw)
          if (once === undefined) continue
          expect(tidy(once)).toBe(once)
          expect(once).toBe(once.normalize('NFC'))
          expect(once.isWellFormed()).toBe(true)
          expect(countCharacters(once)).toBeLessThanOrEqual(limits.topicCharactersMax)
        }
      }),
      { numRuns: 3_000, seed: 4 },
    )
  })
})
