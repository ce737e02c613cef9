// Who looks at what, and what each topic's value is now. A topic is computed only while somebody looks at it.
import type { ChannelId, SpaceId } from '#shared/base/ids.ts'
import { parseChannelId, parseSpaceId } from '#shared/base/ids.ts'
import type { LinkView, SessionView, Topics } from './api.ts'
import type { Core } from './core/core.ts'
import type { Change } from './core/ports.ts'
import type { PrivateChange, PrivateDocument } from './private/private-document.ts'
import type { Subscription } from './rpc.ts'
import { communitiesView, membersView, outcomesView } from './views/community-views.ts'
import { timelineView, unsentView } from './views/message-views.ts'

/** What the views are drawn from: nothing of an account while nobody is signed in. */
export interface TopicSource {
  session(): SessionView
  link(): LinkView
  core: Core | undefined
  document: PrivateDocument | undefined
  /** No account is there, and that is known. */
  empty: boolean
}

export type News = {
  [Name in keyof Topics]: { topic: Name; key: Topics[Name]['key']; value: Topics[Name]['value'] }
}[keyof Topics]

export interface TopicDesk {
  /** @returns the value, where there is one already */
  add(subscription: Subscription): void
  remove(subscription: Subscription): void
  coreChanged(changes: ReadonlySet<Change>): void
  documentChanged(change: PrivateChange): void
  /** Another account, another core: everything is looked at anew. */
  sourceChanged(): void
  shellChanged(topic: 'session' | 'link'): void
}

export function createTopicDesk(source: TopicSource, tell: (news: News) => void): TopicDesk {
  const held = new Map<string, { subscription: Subscription; count: number }>()

  const each = (want: (subscription: Subscription) => boolean) => {
    for (const { subscription } of held.values()) {
      if (!want(subscription)) continue
      const news = newsOf(source, subscription)
      if (news) tell(news)
    }
  }
  const watchChannel = (channel: ChannelId) => {
    let limit = 0
    for (const { subscription } of held.values()) {
      if (subscription.topic !== 'timeline') continue
      const place = parseTimelineKey(subscription.key)
      if (place?.channel === channel) limit = Math.max(limit, place.limit)
    }
    source.core?.watch(channel, limit)
  }
  const onTimeline = (subscription: Subscription) => {
    const place = subscription.topic === 'timeline' ? parseTimelineKey(subscription.key) : undefined
    if (place) watchChannel(place.channel)
    return place !== undefined
  }

  return {
    add: (subscription) => {
      const name = nameOf(subscription)
      const known = held.get(name)
      held.set(name, { subscription, count: (known?.count ?? 0) + 1 })
      // A timeline is told by the turn that reads it from the store.
      if (onTimeline(subscription) && source.core) return
      each((other) => nameOf(other) === name)
    },
    remove: (subscription) => {
      const name = nameOf(subscription)
      const known = held.get(name)
      if (!known) return
      if (known.count > 1) held.set(name, { ...known, count: known.count - 1 })
      else held.delete(name)
      onTimeline(subscription)
    },
    coreChanged: (changes) => {
      each((subscription) => {
        switch (subscription.topic) {
          case 'members':
            return changes.has(`members ${subscription.key}`)
          case 'timeline': {
            const place = parseTimelineKey(subscription.key)
            return !!place && changes.has(`timeline ${place.channel}`)
          }
          case 'communities':
          case 'outcomes':
          case 'unsent':
          case 'link':
            return changes.has(subscription.topic)
          case 'session':
          case 'draft':
            return false
        }
      })
    },
    documentChanged: (change) => {
      if (change.kind === 'draft') each((subscription) => subscription.topic === 'draft' && subscription.key === change.channel)
      else each((subscription) => subscription.topic === 'unsent' || subscription.topic === 'link')
    },
    sourceChanged: () => {
      for (const { subscription } of held.values()) onTimeline(subscription)
      each((subscription) => subscription.topic !== 'timeline' || !source.core)
    },
    shellChanged: (topic) => each((subscription) => subscription.topic === topic),
  }
}

function newsOf(source: TopicSource, subscription: Subscription): News | undefined {
  const { core, document, empty } = source
  const world = core?.world
  switch (subscription.topic) {
    case 'session':
      return { topic: 'session', key: '', value: source.session() }
    case 'link':
      return { topic: 'link', key: '', value: source.link() }
    case 'communities':
      if (!world && !empty) return undefined
      return { topic: 'communities', key: '', value: world ? communitiesView(world) : [] }
    case 'members': {
      const space: SpaceId | undefined = parseSpaceId(subscription.key)
      return world && space ? { topic: 'members', key: space, value: membersView(world, space) } : undefined
    }
    case 'timeline': {
      const place = parseTimelineKey(subscription.key)
      if (!world || !place) return undefined
      return { topic: 'timeline', key: subscription.key, value: timelineView(world, place.channel, place.limit) }
    }
    case 'draft':
      if (!document?.loaded) return undefined
      return { topic: 'draft', key: subscription.key, value: { text: document.draft(subscription.key) } }
    case 'unsent':
      if (!world && !empty) return undefined
      return { topic: 'unsent', key: '', value: world ? unsentView(world, document?.unsent() ?? []) : [] }
    case 'outcomes':
      if (!world && !empty) return undefined
      return { topic: 'outcomes', key: '', value: world ? outcomesView(world) : [] }
  }
}

/** `${channel} ${limit}` */
function parseTimelineKey(key: string): { channel: ChannelId; limit: number } | undefined {
  const [rawChannel, rawLimit] = key.split(' ')
  const channel = parseChannelId(rawChannel)
  const limit = Number(rawLimit)
  return channel && Number.isSafeInteger(limit) && limit > 0 ? { channel, limit } : undefined
}

function nameOf({ topic, key }: Subscription): string {
  return `${topic} ${key}`
}
