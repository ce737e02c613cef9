// Entries that come by HTTP and not by a link: bots, webhooks, imports, service workers. They wait in the same inbox, share the turns, the
// buckets and the decision; only their answers go another way. A session's posts stand behind each other like the frames of one link.
// Who is no member, and a channel that is not there, get one answer by one way, so that its time says nothing either.
import { parseBase64Url } from '#shared/base/bytes.ts'
import type { AccountId, ChannelId, DeviceId, SpaceId } from '#shared/base/ids.ts'
import { channelRights } from '#shared/community/permissions.ts'
import { parseDown } from '#shared/protocol/frame-codec.ts'
import type { FrameUp } from '#shared/protocol/frames.ts'
import type { Verdict } from '#shared/protocol/records.ts'
import type { RefusalCode } from '#shared/protocol/refusals.ts'
import { createLink, type Link } from './hub-links.ts'
import type { HubMemory } from './hub-memory.ts'
import type { HubPorts } from './hub-ports.ts'

export interface PostSession {
  account: AccountId
  dev: DeviceId
  idHash: string
}

export type PostAnswer =
  /** Verdicts up to the first entry that has to wait, for `wait` ms; `why`, where it is not the sender's own pace. */
  | { kind: 'decided'; verdicts: Verdict[]; wait: number; why: RefusalCode | undefined }
  /** `busy`: the relay may or may not have taken them; what is sent again is known then. */
  | { kind: 'refused'; code: 'nochannel' | 'device' | 'unauthorized' | 'forbidden' | 'busy' }

export interface Posts {
  submit(session: PostSession, space: SpaceId, channel: ChannelId, entries: Uint8Array[]): Promise<PostAnswer>
  /** At the beginning of their turn: those that come by links, and the posts whose author may see the channel now. */
  admit<Append extends SentPost>(appends: readonly Append[]): Promise<readonly Append[]>
  endSession(idHash: string): void
  endAll(): void
}

type AppendFrame = FrameUp & { kind: 'append' }

interface SentPost {
  link: Link
  frame: AppendFrame
}

interface Poster {
  session: PostSession
  link: Link
  waiting: Map<number, { space: SpaceId; answer: (answer: PostAnswer) => void }>
}

/** @param enqueue false: more than one may have waiting */
export function createPosts(
  ports: Pick<HubPorts, 'accounts' | 'community' | 'clock'>,
  memory: HubMemory,
  enqueue: (link: Link, frame: AppendFrame, bytes: number) => boolean,
  dequeue: (link: Link) => void,
): Posts {
  const bySession = new Map<string, Poster>()
  const byLink = new Map<Link, Poster>()
  let nr = 0

  function posterOf(session: PostSession): Poster {
    const known = bySession.get(session.idHash)
    if (known) return known
    const waiting: Poster['waiting'] = new Map()
    const link = createLink(
      {
        send(bytes) {
          const frame = parseDown(bytes)
          if (frame?.kind !== 'control' || frame.message.t !== 'result') return
          const { verdicts, wait, why } = frame.message
          settle(poster, frame.message.nr, { kind: 'decided', verdicts, wait, why })
        },
        close: () => end(poster, 'forbidden'),
        queuedBytes: () => 0,
      },
      ports.clock.now(),
    )
    const poster: Poster = { session, link, waiting }
    bySession.set(session.idHash, poster)
    byLink.set(link, poster)
    return poster
  }

  function forget({ session, link }: Poster): void {
    link.closed = true
    if (bySession.get(session.idHash)?.link === link) bySession.delete(session.idHash)
    byLink.delete(link)
    dequeue(link)
  }

  function settle(poster: Poster, of: number, answer: PostAnswer): void {
    const post = poster.waiting.get(of)
    poster.waiting.delete(of)
    post?.answer(answer)
    if (poster.waiting.size === 0) forget(poster)
  }

  function end(poster: Poster, code: (PostAnswer & { kind: 'refused' })['code']): void {
    forget(poster)
    for (const { answer } of poster.waiting.values()) answer({ kind: 'refused', code })
    poster.waiting.clear()
  }

  async function identify({ link, session: { account, dev, idHash } }: Poster): Promise<boolean> {
    if (link.session) return true
    const [device] = await ports.accounts.devices([dev])
    const key = device && parseBase64Url(device.key)
    if (!key || device.account !== account || device.until !== 0) return false
    link.session ??= { account, dev, idHash, key, username: '' }
    return true
  }

  async function mayPost({ link, session: { account } }: Poster, space: SpaceId, channel: ChannelId): Promise<boolean> {
    // Of a space that is not one's own nothing more is asked: neither what it holds, nor whether it is there.
    const isMember = (await ports.community.member(space, account))?.left === 0
    if (isMember) link.spaces.add(space)
    else link.spaces.delete(space)
    const state = isMember ? (await memory.head(space))?.state : undefined
    return state !== undefined && channelRights(state, account, isMember, state.channels[channel]).view
  }

  return {
    async submit(session, space, channel, entries) {
      const poster = posterOf(session)
      const own = ++nr
      const answered = Promise.withResolvers<PostAnswer>()
      poster.waiting.set(own, { space, answer: answered.resolve })
      if (!(await identify(poster))) settle(poster, own, { kind: 'refused', code: 'device' })
      // Else it was answered while the key was looked up: the session has ended.
      else if (poster.waiting.has(own)) {
        const bytes = entries.reduce((sum, entry) => sum + entry.length, 0)
        if (!enqueue(poster.link, { kind: 'append', nr: own, channel, entries }, bytes)) end(poster, 'busy')
      }
      return answered.promise
    },
    async admit(appends) {
      if (byLink.size === 0) return appends
      const admitted: (typeof appends)[number][] = []
      for (const append of appends) {
        const { link, frame } = append
        const poster = byLink.get(link)
        const post = poster?.waiting.get(frame.nr)
        if (!poster || (post && (await mayPost(poster, post.space, frame.channel)))) admitted.push(append)
        else settle(poster, frame.nr, { kind: 'refused', code: 'nochannel' })
      }
      return admitted
    },
    endSession(idHash) {
      const poster = bySession.get(idHash)
      if (poster) end(poster, 'unauthorized')
    },
    endAll() {
      for (const poster of [...byLink.values()]) end(poster, 'busy')
    },
  }
}
