// How names and topics are written. A name is good when tidying does not change it; what a person types is tidied first, so that little is refused.
// Signs are judged by fixed ranges, not by Unicode properties: relay and devices must agree, whatever Unicode version their engines know.
import { limits } from '../base/limits.ts'
import type { ChannelKind } from './state.ts'

type Ranges = readonly (readonly [from: number, to: number])[]

/** Signs that are drawn as nothing or turn the text around them: controls, bidi marks and overrides, fillers, lone surrogates, noncharacters. */
const unfit: Ranges = [
  [0x0000, 0x001f],
  [0x007f, 0x009f],
  [0x00ad, 0x00ad],
  [0x034f, 0x034f],
  [0x061c, 0x061c],
  [0x115f, 0x1160],
  [0x17b4, 0x17b5],
  [0x180b, 0x180f],
  [0x200b, 0x200b],
  [0x200e, 0x200f],
  [0x2028, 0x202e],
  [0x2060, 0x206f],
  [0x3164, 0x3164],
  [0xd800, 0xdfff],
  [0xfdd0, 0xfdef],
  [0xfeff, 0xfeff],
  [0xffa0, 0xffa0],
  [0xfff0, 0xfffb],
  [0xfffe, 0xffff],
  [0xe0000, 0xe001f],
]

/** Tab, line ends, and every kind of blank: a name has single spaces only. */
const blank: Ranges = [
  [0x0009, 0x000d],
  [0x0020, 0x0020],
  [0x0085, 0x0085],
  [0x00a0, 0x00a0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
]

/** Needed inside words and emoji (joiners, variation selectors, flag tags), but they show nothing by themselves. */
const invisible: Ranges = [
  [0x200c, 0x200d],
  [0xfe00, 0xfe0f],
  [0xe0020, 0xe01ef],
]

/** What Discord, too, leaves out of a text channel's name. */
const punctuation = new Set('!"#$%&\'()*+,./:;<=>?@[\\]^`{|}~')

/** @returns the name as it may stand, or `undefined` where nothing is left of it or it is too long */
export function tidyCommunityName(raw: string): string | undefined {
  return bounded(tidyLine(raw, ' '), limits.communityNameMax)
}

/** Text channels are lower-case with dashes, in any script; voice channels keep blanks and capitals, as on Discord. */
export function tidyChannelName(raw: string, kind: ChannelKind): string | undefined {
  return bounded(kind === 'text' ? tidySlug(raw) : tidyLine(raw, ' '), limits.channelNameMax)
}

/** A topic may be empty and may have several lines. */
export function tidyTopic(raw: string): string | undefined {
  const lines = raw.replaceAll('\r\n', '\n').replaceAll('\r', '\n').split('\n')
  const topic = lines
    .map((line) => tidyLine(line, ' '))
    .join('\n')
    .replace(/^\n+|\n+$/g, '')
  return countCharacters(topic) <= limits.topicCharactersMax ? topic : undefined
}

/** Characters as a person counts them, near enough and the same everywhere: code points. */
export function countCharacters(text: string): number {
  let count = 0
  for (const _ of text) count++
  return count
}

function bounded(name: string, charactersMax: number): string | undefined {
  if (countCharacters(name) > charactersMax) return undefined
  for (const sign of name) if (!isIn(invisible, sign)) return name
  return undefined
}

function tidyLine(raw: string, space: string): string {
  let line = ''
  for (const sign of raw) {
    if (isIn(blank, sign)) line += line.endsWith(space) ? '' : space
    else if (!isIn(unfit, sign)) line += sign
  }
  // Composed last: what was taken out may have stood between a letter and its accent.
  return trim(line, space).normalize('NFC')
}

function tidySlug(raw: string): string {
  let slug = ''
  for (const sign of tidyLine(raw, '-').toLowerCase().normalize('NFC')) {
    if (sign === '-') slug += slug.endsWith('-') ? '' : '-'
    else if (!punctuation.has(sign)) slug += sign
  }
  return trim(slug, '-').normalize('NFC')
}

function trim(text: string, sign: string): string {
  let from = 0
  let to = text.length
  while (from < to && text[from] === sign) from++
  while (to > from && text[to - 1] === sign) to--
  return text.slice(from, to)
}

function isIn(ranges: Ranges, sign: string): boolean {
  const code = sign.codePointAt(0) ?? 0
  return ranges.some(([from, to]) => code >= from && code <= to)
}
