// A command: the desk decides and stores it; here the community's links are told, and whoever left stops receiving in the same turn.
import type { AccountId, ChannelId, SpaceId } from '#shared/base/ids.ts'
import { parseCommand } from '#shared/community/command-codec.ts'
import { type ControlUp, closeCodes } from '#shared/protocol/frames.ts'
import { writeMark } from './channel/mark.ts'
import { pagesOf } from './channel/pages.ts'
import type { TokenBuckets } from './channel/token-bucket.ts'
import type { CommandDone } from './community/command-desk.ts'
import { countSevere } from './hub-append.ts'
import { writeMarks } from './hub-asks.ts'
import { countOne } from './hub-counters.ts'
import { type HubParts, sendSpace } from './hub-hello.ts'
import type { Link } from './hub-links.ts'
import { freesRoom, unlessFull } from './hub-room.ts'

/** No honest device's command is refused like this. */
const severe: ReadonlySet<string> = new Set(['shape', 'session', 'signature'])

export async function runCommand(
  hub: HubParts,
  buckets: TokenBuckets<string>,
  link: Link,
  frame: ControlUp & { t: 'command' },
): Promise<void> {
  const { ports, links, memory, counters } = hub
  const { session } = link
  if (!session) return
  const { space } = frame
  await memory.meta()
  if (buckets.left(session.account, ports.clock.now()) < 1) return refuseUnread(hub, link, frame, 'too_many')
  if (hub.room.full && !freesRoom(frame.text, frame.sig)) return refuseUnread(hub, link, frame, 'disk_full')
  buckets.take(session.account, 1, ports.clock.now())
  const handled = await unlessFull(hub.room, () => ports.desk.handle(session, frame, memory.now()))
  const outcome = handled?.value
  switch (outcome?.kind) {
    case undefined:
      // Nothing was executed, and nothing here has changed.
      buckets.take(session.account, -1, ports.clock.now())
      return refuseUnread(hub, link, frame, 'disk_full')
    case 'done':
      counters.commandsDone++
      await tell(hub, space, outcome)
      return links.send(link, { t: 'done', id: outcome.id, space, n: outcome.n, mark: markNow(hub) })
    case 'known':
      return links.send(link, { t: 'done', id: outcome.id, space, n: outcome.n })
    case 'refused': {
      const { id, code, present } = outcome
      if (id === 0) return links.close(link, closeCodes.malformed, 'command')
      countOne(counters.commandsRefused, code)
      links.send(link, { t: 'done', id, space, code, present: present ?? null })
      return countSevere(hub, link, [{ kind: 'refused', id: 0, code, severe: severe.has(code) }])
    }
  }
}

function markNow({ ports, memory }: HubParts): string | undefined {
  return memory.knownMeta && writeMark(ports.mac, ports.markKey, memory.knownMeta)
}

/** Not because of what it says. */
function refuseUnread(
  { links, counters }: HubParts,
  link: Link,
  { space, text, sig }: ControlUp & { t: 'command' },
  code: 'too_many' | 'disk_full',
): void {
  const parsed = parseCommand(text, sig)
  const id = parsed.ok ? parsed.value.command.id : parsed.id
  if (id === 0) {
    links.close(link, closeCodes.malformed, 'command')
    return
  }
  if (code === 'disk_full') counters.noRoom++
  else countOne(counters.commandsRefused, code)
  links.send(link, { t: 'done', id, space, code, present: null })
}

async function tell(hub: HubParts, space: SpaceId, done: CommandDone): Promise<void> {
  const { links, memory } = hub
  // Everything that ends or begins does so before the first wait: nothing is ever sent by what held before.
  memory.committed(done.record.at + 1)
  memory.putHead(done.head)
  for (const channel of done.channelsDeleted) memory.forgetChannel(channel)
  for (const account of done.left) {
    for (const link of links.ofAccount(account)) leave(hub, link, space)
    hub.readers.leave(account, space)
  }
  const joined = done.joined.flatMap((account) => links.ofAccount(account))
  const before = links.inSpace(space)
  for (const link of joined) link.spaces.add(space)

  // Who just came in has no chain to put a record behind, except the very first: he reads the `space` frame and asks.
  const isFirst = done.n === 1
  if (!isFirst) {
    await startRead(hub, space, done.joined)
    tellRecord(hub, before, space, done)
  }
  dropChannels(hub, before, done.channelsDeleted)
  for (const link of joined) await sendSpace(hub, link, space)
  if (isFirst) tellRecord(hub, joined, space, done)
  else if (done.channelsMade.length > 0) for (const link of before) await sendSpace(hub, link, space, new Set(done.channelsMade))
}

function tellRecord({ links }: HubParts, to: readonly Link[], space: SpaceId, { n, record, members }: CommandDone): void {
  const pages = members.length === 0 ? [] : pagesOf(members)
  for (const link of to) {
    links.send(link, { t: 'record', space, records: [record], more: false })
    pages.forEach((rows, i) => {
      links.send(link, { t: 'members', space, n, rows, more: i < pages.length - 1 })
    })
  }
}

function leave({ links }: HubParts, link: Link, space: SpaceId): void {
  link.spaces.delete(space)
  links.unsubscribeAll(link, space)
  links.send(link, { t: 'left', space, code: 'notmember' })
}

function dropChannels({ links, readers }: HubParts, members: readonly Link[], channels: readonly ChannelId[]): void {
  for (const channel of channels) {
    readers.drop(channel)
    for (const link of members) {
      links.unsubscribeAll(link, channel)
      links.send(link, { t: 'gone', channel })
    }
  }
}

/** What was written before one came is not unread for him. */
async function startRead(hub: HubParts, space: SpaceId, accounts: readonly AccountId[]): Promise<void> {
  if (accounts.length === 0) return
  const begun = (await hub.ports.log.channels(space)).filter(({ last }) => last > 0)
  // The command is done, and has to be told, also where there is no room for this: then all of it looks unread for once.
  await writeMarks(
    hub,
    accounts.flatMap((account) => begun.map(({ id, last }) => ({ account, marker: { channel: id, gen: 0, seq: last } }))),
  )
}
