// What an erased account left in communities and channels goes, a piece a turn, with other turns in between: its name in rosters, its words and
// reactions, its private document, its read markers. Whoever has a segment open is told by a deleting update, as by a redaction.
// Nothing is kept here that must last: the store names the accounts until the end, and a relay that died in between begins anew with them.
import type { AccountId, ChannelId, EntryId } from '#shared/base/ids.ts'
import { decideErasure } from '#shared/log/erasure.ts'
import { tellUpdates } from './hub-append.ts'
import type { HubParts } from './hub-hello.ts'
import type { PrivateSizes } from './hub-private.ts'

export interface Eraser {
  /** The account is marked in the store already; all its lines end. */
  add(account: AccountId): void
  hasTurn(): boolean
  /** One piece. @throws what the store throws; the piece is tried again after a while */
  takeTurn(): Promise<void>
}

/** Ids looked at in one turn, and so at most so many entries deleted: one commit, some milliseconds. */
const entriesAtOnce = 200
/** Until a store that failed is asked again: it must not keep the loop busy. */
const againAfterMs = 10_000

interface Erasure {
  account: AccountId
  /** `undefined` until the rosters are done; then the channels that are left, the present one first. */
  channels: ChannelId[] | undefined
  /** How far the present channel has come. */
  after: EntryId | ''
}

export function createEraser(hub: HubParts, sizes: PrivateSizes, endLines: (account: AccountId) => void): Eraser {
  const { ports, links, memory } = hub
  const queue: Erasure[] = []
  let notBefore = 0

  async function leaveAll({ account }: Erasure): Promise<ChannelId[]> {
    for (const { space, row } of await ports.community.eraseMember(account, memory.now())) {
      const n = (await memory.head(space))?.n ?? row.n
      for (const link of links.inSpace(space)) links.send(link, { t: 'members', space, n, rows: [row], more: false })
    }
    const channels: ChannelId[] = []
    for (const space of await ports.community.spacesEver(account))
      for (const { id } of await ports.log.channels(space)) channels.push(id)
    return channels
  }

  async function deleteSome(erasure: Erasure, channel: ChannelId): Promise<void> {
    const { ids, next } = await ports.log.wordsOf(channel, erasure.account, erasure.after, entriesAtOnce)
    const facts = ids.length === 0 ? undefined : await ports.log.facts(channel, ids, ids)
    if (facts) {
      const now = memory.now()
      const decision = decideErasure({ ...facts, now }, ids, { random: ports.random, limits: ports.settings })
      if (decision.batch) {
        await ports.log.commit([decision.batch], now)
        memory.committed(now)
        await tellUpdates(hub, channel, decision)
      }
    }
    erasure.after = next
    if (next === '') erasure.channels?.shift()
  }

  async function finish({ account }: Erasure): Promise<void> {
    await ports.private.erase(account)
    sizes.delete(account)
    await ports.log.eraseMarkers(account)
    await ports.accounts.finishErasing(account)
    queue.shift()
  }

  async function takeTurn(erasure: Erasure): Promise<void> {
    await memory.meta()
    const channel = erasure.channels?.[0]
    if (!erasure.channels) erasure.channels = await leaveAll(erasure)
    else if (channel) await deleteSome(erasure, channel)
    else await finish(erasure)
  }

  return {
    add(account) {
      endLines(account)
      if (!queue.some((one) => one.account === account)) queue.push({ account, channels: undefined, after: '' })
    },
    hasTurn: () => queue.length > 0 && ports.clock.now() >= notBefore,
    async takeTurn() {
      const erasure = queue[0]
      if (!erasure) return
      notBefore = ports.clock.now() + againAfterMs
      await takeTurn(erasure)
      notBefore = 0
    },
  }
}
