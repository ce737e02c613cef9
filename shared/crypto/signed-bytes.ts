// What is hashed and signed: every input starts with a tag that says for what, so that bytes signed for one thing mean nothing elsewhere.
import { type Bytes, concatBytes, utf8 } from '../base/bytes.ts'
import { type ChannelId, idBytes, type SpaceId } from '../base/ids.ts'
import type { Hasher } from './ports.ts'

/** utf8("dupecord/<label>/1") || 0x00 */
export function tag(label: string): Bytes {
  return concatBytes(utf8(`dupecord/${label}/1`), Uint8Array.of(0))
}

/** H(label, bytes) = SHA-256(tag || bytes), 32 bytes. */
export function taggedHash(hasher: Hasher, label: string, ...parts: Uint8Array[]): Bytes {
  return hasher.sha256(concatBytes(tag(label), ...parts))
}

const entryTag = tag('entry')

/** tag("entry") || space(16) || channel(16) || utf8(text). Fixed widths make it unambiguous. */
export function entrySignedBytes(space: SpaceId, channel: ChannelId, text: Uint8Array): Bytes {
  return concatBytes(entryTag, idBytes(space), idBytes(channel), text)
}

/** tag("command") || space(16) || utf8(text) */
export function commandSignedBytes(space: SpaceId, text: string): Bytes {
  return concatBytes(tag('command'), idBytes(space), utf8(text))
}
