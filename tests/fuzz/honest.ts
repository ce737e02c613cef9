// The honest device beside all that: it has every segment of its channel open in stock Yjs, and what it writes must be accepted at once, always.
import * as Y from 'yjs'
import type { SegmentId } from '#shared/base/ids.ts'
import { encodeUp } from '#shared/protocol/frame-codec.ts'
import type { FuzzLink, FuzzWorld, Person } from './fuzz-world.ts'

export interface Honest {
  readonly held: { link: FuzzLink; severe: number } | undefined
  hold(link: { link: FuzzLink; severe: number }): void
  /** Applies what came and opens what is new. @throws where the relay closed its link or gave up one of its segments */
  take(): Promise<void>
  /** Live elements by segment, as Yjs has them. */
  readonly documents: ReadonlyMap<SegmentId, Y.Doc>
}

export function createHonest(world: FuzzWorld, person: Person): Honest {
  const documents = new Map<SegmentId, Y.Doc>()
  let held: Honest['held']
  let req = 0

  const open = (link: FuzzLink, seg: SegmentId) => {
    documents.set(seg, new Y.Doc({ gc: false }))
    link.handle.receive(encodeUp({ kind: 'control', message: { t: 'open', req: ++req, seg, n: 0, view: 0, tail: '' } }))
  }

  return {
    get held() {
      return held
    },
    hold(link) {
      if (held) throw new Error(`the honest device was cut off with ${held.link.closedWith}`)
      held = link
    },
    documents,
    async take() {
      if (!held) return
      const { link } = held
      if (link.closedWith !== 0) throw new Error(`${person.name} was closed with ${link.closedWith}`)
      while (link.frames.length > 0) {
        const frames = link.frames
        link.frames = []
        for (const frame of frames) {
          if (frame.kind === 'update') {
            const document = documents.get(frame.seg)
            if (!document) throw new Error('an update of a segment that is not open')
            Y.applyUpdate(document, frame.update)
          } else if (frame.kind === 'control' && frame.message.t === 'segment') open(link, frame.message.seg)
          else if (frame.kind === 'control' && frame.message.t === 'stale') throw new Error('an honest open is stale')
        }
        await world.relay.hub.idle()
      }
    },
  }
}
