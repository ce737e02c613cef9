// Words under "Not sent" as they lie in the private document: another device, perhaps of another version, may have written them.
import { parseChannelId, parseEntryId, parseSpaceId } from '#shared/base/ids.ts'
import { isRefusalCode } from '#shared/protocol/refusals.ts'
import type { UnsentWords } from '../core/ports.ts'

/** @returns `undefined` for what was settled, and for what cannot be read */
export function parseWords(rawId: string, raw: unknown): UnsentWords | undefined {
  if (typeof raw !== 'object' || raw === null) return undefined
  // reason: an object out of JSON; every field is checked below before it is used
  const fields = raw as Record<string, unknown>
  const id = parseEntryId(rawId)
  const space = parseSpaceId(fields.space)
  const channel = parseChannelId(fields.channel)
  const { text, at, code, communityName, channelName } = fields
  if (!id || !space || !channel || typeof text !== 'string' || typeof at !== 'number') return undefined
  return {
    id,
    space,
    channel,
    communityName: typeof communityName === 'string' ? communityName : '',
    channelName: typeof channelName === 'string' ? channelName : '',
    text,
    at,
    // A reason of a later version is one that we have no words for.
    code: isRefusalCode(code) ? code : 'internal',
  }
}
