// Opening and listing segments. A device says how many elements it holds and which is the newest; it gets what it lacks, then every update.

import type { Bytes } from '#shared/base/bytes.ts'
import { parseEntryId } from '#shared/base/ids.ts'
import type { SegmentState } from '#shared/log/facts.ts'
import { hasClock } from '#shared/log/ranges.ts'
import { serveSegment } from '#shared/log/update-bytes.ts'
import { encodeDown } from '#shared/protocol/frame-codec.ts'
import { type ControlUp, closeCodes } from '#shared/protocol/frames.ts'
import type { HubParts } from './hub-hello.ts'
import type { Link } from './hub-links.ts'

/** Listings of one answer; a device asks on from the last one. */
const listingsMax = 200

export async function openSegment(
  hub: HubParts,
  link: Link,
  { req, seg, n, view, tail }: ControlUp & { t: 'open' },
): Promise<void> {
  const { ports, links, memory } = hub
  links.unsubscribe(link, seg)
  const segment = await ports.log.segment(seg)
  const space = segment && (await memory.spaceOf(segment.channel))
  // No such segment (any more), or none for this person: one answer, and a device that may not see the channel hears of that elsewhere.
  if (!segment || !space || !(await memory.rights(link, space, segment.channel)).view)
    return links.send(link, { t: 'stale', req })
  if (view !== 0 || !(await isSameHistory(hub, segment, n, tail))) return links.send(link, { t: 'stale', req })
  if (link.subscriptions.size >= ports.settings.openSegmentsPerLinkMax)
    return links.close(link, closeCodes.tooLarge, 'too many open segments')

  const update = await hub.served.serve(segment, n, () => frameFrom(hub, segment, n))
  links.subscribe(link, seg, { req, channel: segment.channel, space })
  links.send(link, { t: 'opened', req, client: segment.client })
  links.sendBytes(link, update)
}

async function frameFrom({ ports }: HubParts, segment: SegmentState, n: number): Promise<Bytes> {
  const stored = await ports.log.tape(segment.id, n)
  return encodeDown({ kind: 'update', seg: segment.id, update: serveSegment(segment, stored, n) })
}

export async function listSegments(hub: HubParts, link: Link, { channel, after }: ControlUp & { t: 'segments' }): Promise<void> {
  const { ports, links, memory } = hub
  const facts = await ports.log.facts(channel, [], [])
  if (!facts || !(await memory.rights(link, facts.channel.space, channel)).view) return links.send(link, { t: 'gone', channel })
  const { list, more } = await ports.log.segments(channel, after, listingsMax)
  links.send(link, { t: 'segments', channel, rev: facts.channel.rev, list, more })
}

/** A belt beside the incarnation: does the device's newest element stand where it says? A deletion on either side alone proves nothing but order. */
async function isSameHistory({ ports }: HubParts, segment: SegmentState, n: number, tail: string): Promise<boolean> {
  if (n > segment.next) return false
  if (n === 0) return true
  // The device saw it deleted; then it is deleted here.
  if (tail === '-') return hasClock(segment.deleted, n - 1)
  const id = parseEntryId(tail)
  const record = id && (await ports.log.entry(segment.channel, id))
  return record?.kind === 'accepted' && record.segment === segment.id && record.clock === n - 1
}
