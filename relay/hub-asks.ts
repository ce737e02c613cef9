// What devices ask beside segments: a community's chain and roster, device keys; and the read markers that one's devices share.
import type { ControlUp } from '#shared/protocol/frames.ts'
import { pagesOf } from './channel/pages.ts'
import type { HubParts } from './hub-hello.ts'
import type { Link } from './hub-links.ts'

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

export async function markRead(hub: HubParts, link: Link, frame: ControlUp & { t: 'read' }): Promise<void> {
  const { ports, links, memory } = hub
  const { session } = link
  // A marker of before a restore counts messages that there may be no more.
  if (!session || frame.incarnation !== (await memory.meta()).incarnation) return
  const facts = await ports.log.facts(frame.channel, [], [])
  if (!facts || !(await memory.rights(link, facts.channel.space, frame.channel)).view) return
  // Of a history that was lost: it says nothing about this one.
  if (frame.seq > facts.channel.seq) return
  const marker = { channel: frame.channel, gen: frame.gen, seq: frame.seq }
  if (!(await ports.log.markRead(session.account, marker))) return
  for (const other of links.ofAccount(session.account)) if (other !== link) links.send(other, { t: 'read', rows: [marker] })
}
