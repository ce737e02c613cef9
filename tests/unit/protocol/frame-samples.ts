// One frame of every kind, with fixed values: for the codec's tests and for the bytes that are frozen.
import { idFromBytes } from '#shared/base/ids.ts'
import type { ControlDown, ControlUp, FrameDown, FrameUp } from '#shared/protocol/frames.ts'

const id = <Kind extends string>(byte: number) => idFromBytes<Kind>(new Uint8Array(16).fill(byte))
const [account, dev, space, channel, segment] = [
  id<'account'>(1),
  id<'device'>(2),
  id<'space'>(3),
  id<'channel'>(4),
  id<'segment'>(5),
]
const entry = id<'entry'>(6)
const command = id<'command'>(7)
const sig = 'A'.repeat(86)

const controlsUp: ControlUp[] = [
  { t: 'hello', v: 1, token: 'token', incarnation: 'incarnation', mark: 'incarnation.7.seal' },
  { t: 'open', req: 1, seg: segment, n: 3, view: 0, tail: entry },
  { t: 'open', req: 2, seg: segment, n: 0, view: 0, tail: '' },
  { t: 'open', req: 3, seg: segment, n: 4, view: 0, tail: '-' },
  { t: 'close', seg: segment },
  { t: 'segments', channel, after: '' },
  { t: 'command', space, text: '["…"]', sig, secret: '' },
  { t: 'chain', space, after: 12 },
  { t: 'keys', devs: [dev] },
  { t: 'read', incarnation: 'incarnation', channel, gen: 0, seq: 9 },
  { t: 'beat' },
]

const controlsDown: ControlDown[] = [
  { t: 'welcome', v: 1, incarnation: 'incarnation', now: 1_800_000_000_000, mark: 'mark', account, dev, username: 'dupe' },
  { t: 'space', id: space, n: 2, channels: [{ id: channel, rev: 3, view: 0, head: segment, last: 2, unread: 1 }], more: false },
  { t: 'ready' },
  { t: 'opened', req: 1, client: 305_419_896 },
  { t: 'segment', channel, seg: segment, of: '', client: 1 },
  { t: 'segments', channel, rev: 3, list: [{ seg: segment, of: '', client: 1, n: 4, rev: 5, sealed: 2 }], more: true },
  {
    t: 'result',
    nr: 1,
    verdicts: [
      { kind: 'accepted', id: entry, seq: 1, at: 1_800_000_000_000 },
      { kind: 'known', id: entry, seq: 1, gone: true },
      { kind: 'refused', id: 0, code: 'shape', severe: true },
    ],
    wait: 1_000,
  },
  { t: 'stale', req: 1 },
  { t: 'gone', channel },
  { t: 'left', space, code: 'notmember' },
  { t: 'done', id: command, space, n: 3 },
  { t: 'done', id: command, space, code: 'stale', present: 'Cord' },
  { t: 'record', space, records: [{ n: 1, at: 2, text: '["…"]', sig, state: 'state' }], more: false },
  { t: 'members', space, n: 1, rows: [{ account, username: 'dupe', joined: 1, left: 0, n: 1 }], more: false },
  { t: 'keys', rows: [{ dev, account, identity: 'i', key: 'k', certificate: '{}', sig, from: 1, until: 0 }] },
  { t: 'read', rows: [{ channel, gen: 0, seq: 9 }] },
  { t: 'beat', mark: 'mark', now: 1_800_000_000_000 },
]

/** What later relays say beside it: a device of before skips the frame that it does not know, and reads the other as it always did. */
const laterControlsDown: ControlDown[] = [
  { t: 'result', nr: 2, verdicts: [], wait: 15_000, why: 'disk_full' },
  { t: 'restarting', ms: 2_000 },
]

export const framesUp: FrameUp[] = [
  ...controlsUp.map((message) => ({ kind: 'control' as const, message })),
  { kind: 'append', nr: 300, channel, entries: [Uint8Array.of(1, 2, 3), new Uint8Array(), new Uint8Array(200).fill(9)] },
  { kind: 'stock', stream: 1, bytes: Uint8Array.of(0, 0, 1, 0) },
]

export const framesDown: FrameDown[] = [
  ...controlsDown.map((message) => ({ kind: 'control' as const, message })),
  { kind: 'update', seg: segment, update: Uint8Array.of(0, 0) },
  { kind: 'stock', stream: 300, bytes: Uint8Array.of(0, 2, 2, 0, 0) },
]

export const laterFramesDown: FrameDown[] = laterControlsDown.map((message) => ({ kind: 'control' as const, message }))
