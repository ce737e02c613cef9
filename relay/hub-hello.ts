// A link's beginning: who is it, is the device still certified, and what may it see? Then welcome, a frame for each space, read markers, ready.
import { parseBase64Url } from '#shared/base/bytes.ts'
import type { SpaceId } from '#shared/base/ids.ts'
import { channelRights } from '#shared/community/permissions.ts'
import { type ChannelHead, type ControlUp, closeCodes, protocolVersion } from '#shared/protocol/frames.ts'
import { isAhead, writeMark } from './channel/mark.ts'
import { pagesOf } from './channel/pages.ts'
import type { HubCounters } from './hub-counters.ts'
import type { Link, LinkSession, Links } from './hub-links.ts'
import type { HubMemory } from './hub-memory.ts'
import type { HubPorts } from './hub-ports.ts'
import type { Readers } from './hub-readers.ts'
import type { Room } from './hub-room.ts'
import type { Served } from './hub-served.ts'

export interface HubParts {
  ports: HubPorts
  links: Links
  memory: HubMemory
  readers: Readers
  room: Room
  served: Served
  counters: HubCounters
}

/** Unread posts are counted to here: a badge says "99+". */
const unreadMax = 100

/** Answers `restored` when the device's mark proves that the relay's disk is older than its word. */
export async function greet(
  hub: HubParts,
  link: Link,
  hello: ControlUp & { t: 'hello' },
): Promise<'greeted' | 'closed' | 'restored'> {
  const { ports, links, memory } = hub
  const close = (code: number, reason: string) => {
    links.close(link, code, reason)
    return 'closed' as const
  }
  if (hello.v !== protocolVersion) return close(closeCodes.version, 'version')
  const meta = await memory.meta()
  // Before the token is looked at: a relay set back may have forgotten it, and the mark proves itself.
  if (isAhead(ports.mac, ports.markKey, hello.mark, meta)) return 'restored'

  const live = await ports.sessions.check(hello.token)
  if (!live) return close(closeCodes.unauthorized, 'unauthorized')
  if (live.dev === '') return close(closeCodes.forbidden, 'device')
  const { account, dev, idHash } = live
  if (link.closed) return 'closed'
  // At once, so that a sign-out that comes while the rest is read finds the link.
  const session: LinkSession = { account, dev, idHash, key: new Uint8Array(32), username: '' }
  for (const older of links.ofAccount(account))
    if (older.session?.dev === dev) links.close(older, closeCodes.replaced, 'replaced')
  links.identify(link, session)

  const [device] = await ports.accounts.devices([dev])
  const key = device && parseBase64Url(device.key)
  if (!device || !key || device.account !== account || device.until !== 0) return close(closeCodes.unauthorized, 'device')
  session.key = key
  session.username = (await ports.accounts.usernames([account])).get(account) ?? ''
  for (const space of await ports.community.spacesOf(account)) link.spaces.add(space)
  links.send(link, {
    t: 'welcome',
    v: protocolVersion,
    incarnation: meta.incarnation,
    now: memory.now(),
    mark: writeMark(ports.mac, ports.markKey, meta),
    account,
    dev,
    username: session.username,
  })
  for (const space of link.spaces) {
    await sendSpace(hub, link, space)
    await sendLateRows(hub, link, space)
  }
  for (const rows of pagesOf(await ports.log.readMarkers(account))) if (rows.length > 0) links.send(link, { t: 'read', rows })
  links.send(link, { t: 'ready' })
  return 'greeted'
}

/** Rows that changed without a command (an account was erased): a device that holds the whole chain would not ask for them. */
async function sendLateRows({ ports, links, memory }: HubParts, link: Link, space: SpaceId): Promise<void> {
  const n = (await memory.head(space))?.n
  const pages = n === undefined ? [] : pagesOf(await ports.community.members(space, n))
  for (const rows of pages)
    if (n !== undefined && rows.length > 0) links.send(link, { t: 'members', space, n, rows, more: false })
}

/** All channels of the space that this person may view, or only those in `only`. */
export async function sendSpace(hub: HubParts, link: Link, space: SpaceId, only?: ReadonlySet<string>): Promise<void> {
  const { ports, links, memory } = hub
  const head = await memory.head(space)
  const account = link.session?.account
  if (!head || !account) return
  const seen = (await ports.log.heads(space, account, unreadMax)).filter(
    ({ id }) =>
      (!only || only.has(id)) && channelRights(head.state, account, link.spaces.has(space), head.state.channels[id]).view,
  )
  const heads = seen.map(
    ({ id, rev, head: newest, last, unread }): ChannelHead => ({
      id,
      rev,
      view: 0,
      head: newest === 0 ? '' : newest,
      last,
      unread,
    }),
  )
  const pages = pagesOf(heads)
  pages.forEach((channels, i) => {
    links.send(link, { t: 'space', id: space, n: head.n, channels, more: i < pages.length - 1 })
  })
}
