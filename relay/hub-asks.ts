// What devices ask beside segments: a community's chain and roster, device keys; and the read markers that one's devices share.
import type { ChannelId } from '#shared/base/ids.ts'
import type { ChannelState } from '#shared/log/facts.ts'
import type { ControlUp } from '#shared/protocol/frames.ts'
import { pagesOf } from './channel/pages.ts'
import type { HubParts } from './hub-hello.ts'
import type { SentRead } from './hub-inbox.ts'
import type { Link } from './hub-links.ts'
import { unlessFull } from './hub-room.ts'
import type { MarkOf } from './store/log-store.ts'

/** Records read from the store at once. */
const recordsMax = 200

/**
 * All records after `after`, then all changed roster rows; `more` in every frame but the last of each kind.
 * A long chain goes in parts: where the line is full it stops, and goes on when the line has room.
 */
export async function sendChain(hub: HubParts, link: Link, frame: ControlUp & { t: 'chain' }): Promise<void> {
  const { ports, links, memory } = hub
  const { space } = frame
  const head = link.spaces.has(space) ? await memory.head(space) : undefined
  if (!head) {
    link.chainsUnderWay.delete(space)
    return links.send(link, { t: 'left', space, code: 'notmember' })
  }
  let from = link.chainsUnderWay.get(space) ?? frame.after
  do {
    const records = await ports.community.records(space, from, recordsMax)
    const pages = pagesOf(records)
    from = records.length < recordsMax ? head.n : (records.at(-1)?.n ?? head.n)
    pages.forEach((page, i) => {
      links.send(link, { t: 'record', space, records: page, more: from < head.n || i < pages.length - 1 })
    })
    if (from < head.n && link.wire.queuedBytes() > ports.settings.linkQueueBytesMax / 4) {
      link.chainsUnderWay.set(space, from)
      link.asks.unshift({ frame: { kind: 'control', message: frame }, bytes: 0 })
      return
    }
  } while (from < head.n)
  link.chainsUnderWay.delete(space)
  const pages = pagesOf(await ports.community.members(space, frame.after))
  pages.forEach((rows, i) => {
    links.send(link, { t: 'members', space, n: head.n, rows, more: i < pages.length - 1 })
  })
}

/** Of former members too: what they wrote stays and must be verified. */
export async function sendKeys({ ports, links }: HubParts, link: Link, { devs }: ControlUp & { t: 'keys' }): Promise<void> {
  for (const rows of pagesOf(await ports.accounts.devices(devs))) links.send(link, { t: 'keys', rows })
}

/** All markers that came together: one commit. */
export async function markRead(hub: HubParts, reads: readonly SentRead[]): Promise<void> {
  const { ports, links, memory } = hub
  const { incarnation } = await memory.meta()
  const channels = new Map<ChannelId, ChannelState | undefined>()
  const marks: (MarkOf & { link: Link })[] = []
  for (const { link, message } of reads) {
    const { channel, gen, seq } = message
    // A marker of before a restore counts messages that there may be no more.
    if (link.closed || !link.session || message.incarnation !== incarnation) continue
    if (!channels.has(channel)) channels.set(channel, (await ports.log.facts(channel, [], []))?.channel)
    const state = channels.get(channel)
    // Beyond the newest it is of a history that was lost: it says nothing about this one.
    if (!state || seq > state.seq || !(await memory.rights(link, state.space, channel)).view) continue
    marks.push({ account: link.session.account, marker: { channel, gen, seq }, link })
  }
  const changed = await writeMarks(hub, marks)
  marks.forEach(({ account, marker, link }, i) => {
    if (!changed[i]) return
    for (const other of links.ofAccount(account)) if (other !== link) links.send(other, { t: 'read', rows: [marker] })
  })
}

/** Nothing is lost where there is no room: a device tells its markers anew with its next link. */
export async function writeMarks({ ports, room }: HubParts, marks: readonly MarkOf[]): Promise<boolean[]> {
  if (marks.length === 0) return []
  return (await unlessFull(room, () => ports.log.markRead(marks)))?.value ?? []
}
