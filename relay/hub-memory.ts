// What the hub remembers of the stores, so that a turn need not ask again. All of it can be read anew, and is after a failed commit.
// The relay's time lives here too: it never goes back, and after a command it is later than the command's.
import type { ChannelId, SegmentId, SpaceId } from '#shared/base/ids.ts'
import { type ChannelRights, channelRights } from '#shared/community/permissions.ts'
import type { CommunityHead } from '#shared/community/state.ts'
import type { Link } from './hub-links.ts'
import type { HubPorts } from './hub-ports.ts'
import type { RelayMeta } from './store/log-store.ts'

/** Communities remembered at once; the oldest go, and come back when somebody asks. */
const headsMax = 1_000
const channelsMax = 50_000

export interface HubMemory {
  /** @throws what the store throws */
  meta(): Promise<RelayMeta>
  /** `undefined` until it was read: what is known without asking. */
  readonly knownMeta: RelayMeta | undefined
  now(): number
  /** One more commit is on the disk; time goes on at or behind `clock`. */
  committed(clock: number): void
  /** Time goes on at or behind `clock`, also if the commit that used it fails. */
  reached(clock: number): void
  head(space: SpaceId): Promise<CommunityHead | undefined>
  putHead(head: CommunityHead): void
  spaceOf(channel: ChannelId): Promise<SpaceId | undefined>
  /** As far as it is known without asking. */
  knownSpaceOf(channel: ChannelId): SpaceId | undefined
  forgetChannel(channel: ChannelId): void
  /** What this link's person may in the channel now. */
  rights(link: Link, space: SpaceId, channel: ChannelId): Promise<ChannelRights>
  /** Rows behind the snapshot of a segment, as far as they were counted. */
  readonly rows: Map<SegmentId, number>
  forgetAll(): void
}

export function createMemory({ meta, community, clock }: Pick<HubPorts, 'meta' | 'community' | 'clock'>): HubMemory {
  const heads = new Map<SpaceId, CommunityHead>()
  const spaces = new Map<ChannelId, SpaceId>()
  const rows = new Map<SegmentId, number>()
  let known: RelayMeta | undefined
  let floor = 0

  const memory: HubMemory = {
    async meta() {
      known ??= await meta.read()
      floor = Math.max(floor, known.clock + 1)
      return known
    },
    get knownMeta() {
      return known
    },
    now: () => Math.max(clock.now(), floor),
    committed(at) {
      floor = Math.max(floor, at)
      if (known) known = { ...known, commits: known.commits + 1 }
    },
    reached(at) {
      floor = Math.max(floor, at)
    },
    async head(space) {
      const known = heads.get(space)
      if (known) return known
      const head = await community.head(space)
      if (head) memory.putHead(head)
      return head
    },
    putHead(head) {
      remember(heads, head.space, head, headsMax)
    },
    async spaceOf(channel) {
      const known = spaces.get(channel)
      if (known) return known
      const space = await community.spaceOf(channel)
      if (space) remember(spaces, channel, space, channelsMax)
      return space
    },
    knownSpaceOf: (channel) => spaces.get(channel),
    forgetChannel: (channel) => void spaces.delete(channel),
    async rights(link, space, channel) {
      const state = (await memory.head(space))?.state
      if (!state || !link.session) return { view: false, may: new Set(), manage: false }
      return channelRights(state, link.session.account, link.spaces.has(space), state.channels[channel])
    },
    rows,
    forgetAll() {
      heads.clear()
      spaces.clear()
      rows.clear()
      known = undefined
    },
  }
  return memory
}

function remember<Key, Value>(map: Map<Key, Value>, key: Key, value: Value, most: number): void {
  map.delete(key)
  map.set(key, value)
  const oldest = map.keys().next()
  if (map.size > most && !oldest.done) map.delete(oldest.value)
}
