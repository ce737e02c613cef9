// Reads V8's sampling profile of a server: which functions it was in, and how its time divides among the parts of an entry's way.
import { readFileSync } from 'node:fs'

export const parts = ['receive', 'parse', 'verify', 'facts', 'decide', 'encode', 'commit', 'send', 'garbage', 'rest'] as const
export type Part = (typeof parts)[number]

export interface ProfileRead {
  /** Time in which the process was not idle. */
  busyMs: number
  /** Shares of it. */
  parts: Record<Part, number>
  /** Functions by the time spent in themselves, greatest first. */
  functions: { name: string; place: string; share: number }[]
}

interface ProfileNode {
  id: number
  callFrame: { functionName: string; url: string; lineNumber: number }
  children?: number[]
}

interface ProfileFile {
  nodes: ProfileNode[]
  samples: number[]
  timeDeltas: number[]
}

/** Looked up from the innermost function outwards: the first that is known says where the time belongs. */
const rules: readonly { part: Part; place: RegExp; name?: RegExp }[] = [
  { part: 'garbage', place: /^$/, name: /garbage collector/ },
  { part: 'verify', place: /sodium|\/relay\/crypto\.|entry-signature|verify-ahead|verifier/ },
  { part: 'verify', place: /decision\.ts/, name: /isSigned/ },
  {
    part: 'commit',
    place: /sqlite-log-store|database\.ts|relay-meta/,
    name: /^(commit|write\w*|transaction|countCommit|compact)$/,
  },
  { part: 'facts', place: /sqlite-log-store|sqlite-community-store|hub-memory/ },
  { part: 'encode', place: /update-bytes|\/tape\.ts/ },
  { part: 'encode', place: /frame-codec/, name: /^encode/ },
  { part: 'encode', place: /staging\.ts/, name: /finish/ },
  { part: 'parse', place: /frame-codec|entry-codec|entry-grammar|control-shapes/ },
  { part: 'decide', place: /decision\.ts|staging\.ts/ },
  { part: 'send', place: /ws\/lib\/(sender|websocket)/, name: /^(send|frame|sendFrame|dispatch)$/ },
  { part: 'send', place: /node:(net|internal\/stream_base_commons|internal\/streams\/writable)/, name: /[wW]rite|cork/ },
  { part: 'send', place: /socket\/(socket|stock-socket|frame-writer)|hub-links|hub-readers/, name: /send|tell|write|queued/i },
  { part: 'receive', place: /ws\/lib\/(receiver|buffer-util)|node:internal\/streams\/readable/ },
  { part: 'receive', place: /node:internal\/stream_base_commons/, name: /onStreamRead/ },
]

export function readProfile(file: string): ProfileRead {
  // reason: written by V8, in the format of the inspector protocol
  const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(file, 'utf8')) as ProfileFile
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const parentOf = new Map<number, number>()
  for (const { id, children } of nodes) for (const child of children ?? []) parentOf.set(child, id)
  const partOf = createPartReader(byId, parentOf)
  const times: Record<Part, number> = Object.assign({}, ...parts.map((part) => ({ [part]: 0 })))
  const functions = new Map<string, { name: string; place: string; share: number }>()
  let total = 0
  samples.forEach((id, i) => {
    const node = byId.get(id)
    const time = timeDeltas[i] ?? 0
    if (!node || node.callFrame.functionName === '(idle)') return
    total += time
    times[partOf(id)] += time
    const { functionName, url, lineNumber } = node.callFrame
    const place = url === '' ? '' : `${url.replace(/^.*?(relay|shared|node_modules)\//, '$1/')}:${lineNumber + 1}`
    const key = `${functionName} ${place}`
    const one = functions.get(key) ?? { name: functionName || '(anonymous)', place, share: 0 }
    one.share += time
    functions.set(key, one)
  })
  for (const part of parts) times[part] /= total
  for (const one of functions.values()) one.share /= total
  return { busyMs: total / 1000, parts: times, functions: [...functions.values()].sort((a, b) => b.share - a.share) }
}

function createPartReader(byId: ReadonlyMap<number, ProfileNode>, parentOf: ReadonlyMap<number, number>): (id: number) => Part {
  const known = new Map<number, Part>()
  const read = (id: number | undefined): Part => {
    const node = id === undefined ? undefined : byId.get(id)
    if (id === undefined || !node) return 'rest'
    const part = known.get(id) ?? ruleOf(node) ?? read(parentOf.get(id))
    known.set(id, part)
    return part
  }
  return read
}

function ruleOf({ callFrame: { functionName, url } }: ProfileNode): Part | undefined {
  return rules.find(({ place, name }) => place.test(url) && (!name || name.test(functionName)))?.part
}
