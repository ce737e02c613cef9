// The structure document: what all members may know of a community, as an Automerge document, for its history, diff and time travel.
// The door of @automerge/automerge. One author, the relay; bytes of anybody else are never applied (a 160-byte change made a document unloadable for ever).
// Holds no names of people and no message text. Strings are ImmutableString: they are replaced, never merged letter by letter.
import * as automerge from '@automerge/automerge/slim'
import { assert } from '../base/assert.ts'
import type { Bytes } from '../base/bytes.ts'
import type { ChannelInfo, CommunityState } from '../community/state.ts'

/** Loads the wasm, once for the process. `wasm`: the bytes or the address of `@automerge/automerge/automerge.wasm`. */
export function loadStructureEngine(wasm: Uint8Array | string): Promise<void> {
  return automerge.isWasmInitialized() ? Promise.resolve() : automerge.initializeWasm(wasm)
}

export interface Version {
  /** Automerge's name of this version. */
  hash: string
  /** Number of the command that led to it. */
  n: number
  /** The relay's time in whole seconds: Automerge keeps no more. */
  atS: number
}

export interface StructureDocument {
  /** Changes in it, that is commands of this epoch. */
  readonly count: number
  state(): CommunityState
  /** One change that leads to `state`; minimal, since history shows it. `undefined` where nothing differs. */
  change(state: CommunityState, n: number, at: number): Bytes | undefined
  /** Oldest first. */
  versions(): Version[]
  /** The state as it was. @throws {Error} for a hash that is not of this document */
  stateAt(hash: string): CommunityState
  /** What differs between two versions, as Automerge's patches: paths and what was put or deleted there. */
  diff(from: string, to: string): StructurePatch[]
  /** The wasm's memory is not collected in time by itself. Nothing may be called after it. */
  free(): void
}

export interface StructurePatch {
  action: 'put' | 'del'
  path: (string | number)[]
  value: string | number | undefined
}

/** @param actor 16 random bytes: the relay's name in this document, kept through `open` */
export function createStructure(actor: Uint8Array): StructureDocument {
  return wrap(automerge.init<Content>({ actor: hex(actor) }), 0)
}

/**
 * @param changes all of one document, in order, as `change` gave them; at least one
 * @throws {Error} where they are not: then the store is broken
 */
export function openStructure(changes: readonly Uint8Array[]): StructureDocument {
  const last = changes.at(-1)
  assert(last, 'a stored structure document has a change')
  // One author for life: a new name at every load would stay in the document for ever.
  const { actor } = automerge.decodeChange(last)
  const [content] = automerge.applyChanges(automerge.init<Content>({ actor }), [...changes])
  assert(automerge.getAllChanges(content).length === changes.length, 'every stored change is applied')
  return wrap(content, changes.length)
}

type Text = automerge.ImmutableString

interface Content {
  v: 1
  name: Text
  owner: Text
  channels: { [id: string]: { name: Text; kind: Text; topic: Text; position: Text } }
}

const channelFields = ['name', 'kind', 'topic', 'position'] as const

function wrap(first: automerge.Doc<Content>, firstCount: number): StructureDocument {
  let content = first
  let count = firstCount
  return {
    get count() {
      return count
    },
    state: () => plain(content),
    change(state, n, at) {
      const before = automerge.getHeads(content)
      content = automerge.change(content, { message: String(n), time: Math.floor(at / 1000) }, (draft) =>
        write(draft, content, state),
      )
      if (sameHeads(automerge.getHeads(content), before)) return undefined
      count++
      const change = automerge.getLastLocalChange(content)
      assert(change, 'a change that was made can be read back')
      return new Uint8Array(change)
    },
    versions: () =>
      automerge.getChangesMetaSince(content, []).map(({ hash, message, time }) => ({ hash, n: Number(message), atS: time })),
    stateAt: (hash) => plain(automerge.view(content, [hash])),
    diff: (from, to) => automerge.diff(content, [from], [to]).flatMap(patchOf),
    free: () => automerge.free(content),
  }
}

/** `content`: as it is, without a field when it is new. It is compared outside the draft, since reading a large community through Automerge's proxies takes ten times as long. */
function write(draft: Content, content: Partial<Content>, state: CommunityState): void {
  if (content.v !== state.v) draft.v = state.v
  if (content.channels === undefined) draft.channels = {}
  if (content.name?.val !== state.name) draft.name = text(state.name)
  if (content.owner?.val !== state.owner) draft.owner = text(state.owner)
  for (const id of Object.keys(content.channels ?? {})) if (!Object.hasOwn(state.channels, id)) delete draft.channels[id]
  for (const [id, channel] of Object.entries(state.channels)) {
    const there = content.channels?.[id]
    if (!there) draft.channels[id] = texts(channel)
    for (const field of channelFields) {
      const target = there && there[field].val !== channel[field] && draft.channels[id]
      if (target) target[field] = text(channel[field])
    }
  }
}

function texts({ name, kind, topic, position }: ChannelInfo): Content['channels'][string] {
  return { name: text(name), kind: text(kind), topic: text(topic), position: text(position) }
}

function text(value: string): Text {
  return new automerge.ImmutableString(value)
}

function plain(content: automerge.Doc<Content>): CommunityState {
  const channels = Object.entries(content.channels).map(([id, { name, kind, topic, position }]) => [
    id,
    { name: name.val, kind: kind.val, topic: topic.val, position: position.val },
  ])
  // reason: only `write` makes this content, from a state; ids and kinds come out as they went in
  return {
    v: content.v,
    name: content.name.val,
    owner: content.owner.val,
    channels: Object.fromEntries(channels),
  } as CommunityState
}

function patchOf(patch: automerge.Patch): StructurePatch[] {
  if (patch.action === 'del') return [{ action: 'del', path: patch.path, value: undefined }]
  if (patch.action !== 'put') return []
  const value = automerge.isImmutableString(patch.value) ? patch.value.val : patch.value
  return [{ action: 'put', path: patch.path, value: typeof value === 'string' || typeof value === 'number' ? value : undefined }]
}

function sameHeads(a: automerge.Heads, b: automerge.Heads): boolean {
  return a.length === b.length && a.every((hash, i) => hash === b[i])
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
