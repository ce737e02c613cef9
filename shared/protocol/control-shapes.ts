// The shapes of control frames, checked where they come in. Unknown keys are kept; an unknown refusal code of a newer relay reads as `internal`.
import * as v from 'valibot'
import type { AccountId, ChannelId, CommandId, DeviceId, EntryId, Id, SegmentId, SpaceId } from '../base/ids.ts'
import { isId } from '../base/ids.ts'
import type { ControlDown, ControlUp } from './frames.ts'
import { isRefusalCode, type RefusalCode } from './refusals.ts'

/** A control frame of a kind that this version does not know. */
export interface UnknownControl {
  kind: 'unknown'
}

/** Shape only: what a person or a device may is decided elsewhere. */
export function parseControlUp(raw: unknown): ControlUp | undefined {
  const parsed = v.safeParse(controlUp, raw)
  return parsed.success ? parsed.output : undefined
}

export function parseControlDown(raw: unknown): ControlDown | UnknownControl | undefined {
  const parsed = v.safeParse(controlDown, raw)
  if (parsed.success) return parsed.output
  const named = v.safeParse(v.looseObject({ t: v.string() }), raw)
  return named.success && !knownDown.has(named.output.t) ? { kind: 'unknown' } : undefined
}

const id = <Kind extends Id>() => v.custom<Kind>(isId)
const idOrNone = <Kind extends Id>() => v.custom<Kind | ''>((raw) => raw === '' || isId(raw))
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
const text = (most: number) => v.pipe(v.string(), v.maxLength(most))
const code = v.pipe(
  v.string(),
  v.transform((raw): RefusalCode => (isRefusalCode(raw) ? raw : 'internal')),
)

const controlUp = v.variant('t', [
  v.looseObject({ t: v.literal('hello'), v: count, token: text(200), incarnation: text(64), mark: text(200) }),
  v.looseObject({ t: v.literal('open'), req: count, seg: id<SegmentId>(), n: count, view: count, tail: tailShape() }),
  v.looseObject({ t: v.literal('close'), seg: id<SegmentId>() }),
  v.looseObject({ t: v.literal('segments'), channel: id<ChannelId>(), after: idOrNone<SegmentId>() }),
  v.looseObject({ t: v.literal('command'), space: id<SpaceId>(), text: text(65_536), sig: text(86), secret: text(200) }),
  v.looseObject({ t: v.literal('chain'), space: id<SpaceId>(), after: count }),
  v.looseObject({ t: v.literal('keys'), devs: v.pipe(v.array(id<DeviceId>()), v.maxLength(256)) }),
  v.looseObject({ t: v.literal('read'), incarnation: text(64), channel: id<ChannelId>(), gen: count, seq: count }),
  v.looseObject({ t: v.literal('beat') }),
])

function tailShape() {
  return v.custom<string>((raw) => raw === '' || raw === '-' || isId(raw))
}

const channelHead = v.looseObject({
  id: id<ChannelId>(),
  rev: count,
  view: count,
  head: idOrNone<SegmentId>(),
  last: count,
  unread: count,
})
const segmentListing = v.looseObject({
  seg: id<SegmentId>(),
  of: idOrNone<SegmentId>(),
  client: count,
  n: count,
  rev: count,
  sealed: v.picklist([0, 1, 2]),
})
const deviceKey = v.looseObject({
  dev: id<DeviceId>(),
  account: id<AccountId>(),
  identity: v.string(),
  key: v.string(),
  certificate: v.string(),
  sig: v.string(),
  from: count,
  until: count,
})
export const verdictShape = v.variant('kind', [
  v.looseObject({ kind: v.literal('accepted'), id: id<EntryId>(), seq: count, at: count }),
  v.looseObject({ kind: v.literal('known'), id: id<EntryId>(), seq: count, gone: v.boolean() }),
  v.looseObject({
    kind: v.literal('refused'),
    id: v.custom<EntryId | 0>((raw) => raw === 0 || isId(raw)),
    code,
    severe: v.boolean(),
  }),
])
const record = v.looseObject({ n: count, at: count, text: v.string(), sig: v.string(), state: v.string() })
const memberRow = v.looseObject({ account: id<AccountId>(), username: v.string(), joined: count, left: count, n: count })
const readMarker = v.looseObject({ channel: id<ChannelId>(), gen: count, seq: count })

const downShapes = [
  v.looseObject({
    t: v.literal('welcome'),
    v: count,
    incarnation: v.string(),
    now: count,
    mark: v.string(),
    account: id<AccountId>(),
    dev: id<DeviceId>(),
    username: v.string(),
  }),
  v.looseObject({ t: v.literal('space'), id: id<SpaceId>(), n: count, channels: v.array(channelHead), more: v.boolean() }),
  v.looseObject({ t: v.literal('ready') }),
  v.looseObject({ t: v.literal('opened'), req: count, client: count }),
  v.looseObject({
    t: v.literal('segment'),
    channel: id<ChannelId>(),
    seg: id<SegmentId>(),
    of: idOrNone<SegmentId>(),
    client: count,
  }),
  v.looseObject({
    t: v.literal('segments'),
    channel: id<ChannelId>(),
    rev: count,
    list: v.array(segmentListing),
    more: v.boolean(),
  }),
  v.looseObject({
    t: v.literal('result'),
    nr: count,
    verdicts: v.array(verdictShape),
    wait: count,
    why: v.optional(code),
    mark: v.optional(v.string()),
  }),
  v.looseObject({ t: v.literal('stale'), req: count }),
  v.looseObject({ t: v.literal('gone'), channel: id<ChannelId>() }),
  v.looseObject({ t: v.literal('left'), space: id<SpaceId>(), code: v.literal('notmember') }),
  v.looseObject({ t: v.literal('record'), space: id<SpaceId>(), records: v.array(record), more: v.boolean() }),
  v.looseObject({ t: v.literal('members'), space: id<SpaceId>(), n: count, rows: v.array(memberRow), more: v.boolean() }),
  v.looseObject({ t: v.literal('keys'), rows: v.array(deviceKey) }),
  v.looseObject({ t: v.literal('read'), rows: v.array(readMarker) }),
  v.looseObject({ t: v.literal('beat'), mark: v.string(), now: count }),
  v.looseObject({ t: v.literal('restarting'), ms: count }),
] as const
const done = [
  v.looseObject({ t: v.literal('done'), id: id<CommandId>(), space: id<SpaceId>(), n: count, mark: v.optional(v.string()) }),
  v.looseObject({
    t: v.literal('done'),
    id: id<CommandId>(),
    space: id<SpaceId>(),
    code,
    present: v.optional(v.unknown(), null),
  }),
] as const
const controlDown = v.union([v.variant('t', downShapes), ...done])
const knownDown: ReadonlySet<string> = new Set(['done', ...downShapes.map((shape) => shape.entries.t.literal)])
