// Nearly right JSON: one to three changes of a right tree, each of the kind that a careless or hostile writer makes.
import type { Prng } from '#shared/base/prng.ts'
import { raw, type Slot, slotsOf, type Tree, treeOf, writeTree } from './json-tree.ts'

/** Ids of every kind that stand somewhere in this world, to be used in the wrong place. */
export type Pool = readonly string[]

const numbers = [
  '-1',
  '-0',
  '0',
  '1',
  '2',
  '63',
  '64',
  '65',
  '127',
  '128',
  '4294967295',
  '4294967296',
  '9007199254740991',
  '9007199254740992',
  '9007199254740993',
  '1e21',
  '1e+21',
  '1.0',
  '1.5',
  '1e3',
  '01',
  '+1',
  '.5',
  '1.',
  '0x10',
  'NaN',
  'Infinity',
  '1e400',
  '-9007199254740991',
]
const others = ['null', 'true', 'false', '""', '[]', '{}', '0', '"0"', '[0]', '{"":0}', '[[]]', '"\\u0000"']
const edges = [
  '',
  ' ',
  '\u0000',
  '\ufeff',
  '\u202e',
  '\u2066x\u2069',
  '\u2028',
  '\uffff',
  '\u007f',
  '\ud83d\ude00',
  'e\u0301',
  '__proto__',
  'constructor',
  'toString',
  'AAAAAAAAAAAAAAAAAAAAAA',
  'AAAAAAAAAAAAAAAAAAAAAB',
  'AAAAAAAAAAAAAAAAAAAAAA==',
  '../../x',
  "'; DROP TABLE entry; --",
  '%00',
  '-',
  '=',
]
const surrogates = [
  '"\\ud800"',
  '"\\udfff"',
  '"\\uD83D\\uDE00"',
  '"\\ud83d\\ude00"',
  '"a\\udc00b"',
  '"\\\\ud800"',
  '"\\ud800\\ud800"',
]
const blanks = [' ', '\n', '\t', '\r', '\u00a0', '\ufeff', '/**/']
const depths = [1, 2, 8, 20, 27, 28, 29, 30, 31, 32, 33, 34, 64, 1_000, 7_000, 20_000]
const keys = [
  '"__proto__"',
  '"constructor"',
  '"toString"',
  '"hasOwnProperty"',
  '"1"',
  '"0"',
  '"00"',
  '"4294967295"',
  '""',
  '"t"',
  '"m"',
  '"e"',
  '"k"',
  '"b"',
  '"r"',
  '"zz"',
  '"\\u0074"',
]

type Change = (slot: Slot, random: Prng, pool: Pool, all: readonly Slot[]) => boolean

/** Each answers whether it could be done there. */
const changes: { readonly [name: string]: Change } = {
  swap: ({ parent, index }, random) => {
    const list = parent?.kind === 'list' ? parent.items : parent?.kind === 'object' ? parent.pairs : []
    return list.length > 1 && swap<unknown>(list, index, random.below(list.length))
  },
  drop: ({ parent, index }) => {
    if (!parent || parent.kind === 'raw') return false
    const list: unknown[] = parent.kind === 'list' ? parent.items : parent.pairs
    list.splice(index, 1)
    return true
  },
  double: ({ parent, index, node }, random) => {
    if (parent?.kind === 'list') parent.items.splice(index, 0, copyOf(node))
    else if (parent?.kind === 'object')
      parent.pairs.splice(random.below(parent.pairs.length + 1), 0, [
        parent.pairs[index]?.[0] ?? '""',
        random.chance(0.5) ? copyOf(node) : raw(random.pick(others)),
      ])
    else return false
    return true
  },
  extra: ({ node }, random) => {
    if (node.kind === 'list') node.items.splice(random.below(node.items.length + 1), 0, raw(random.pick(others)))
    else if (node.kind === 'object')
      node.pairs.splice(random.below(node.pairs.length + 1), 0, [random.pick(keys), raw(random.pick(others))])
    else return false
    return true
  },
  type: (slot, random) => slot.put(raw(random.pick(others))),
  number: (slot, random) => slot.put(raw(random.pick(numbers))),
  edge: (slot, random) => slot.put(treeOf(random.pick(edges))),
  surrogate: (slot, random) => slot.put(raw(random.pick(surrogates))),
  foreign: (slot, random, pool) => pool.length > 0 && slot.put(treeOf(random.pick(pool))),
  nest: (slot, random) => {
    const depth = random.pick(depths)
    const [open, close] = random.chance(0.7) ? ['[', ']'] : ['{"a":', '}']
    return slot.put(raw(open.repeat(depth) + writeTree(slot.node) + close.repeat(depth)))
  },
  spelling: ({ node, put }, random) => {
    if (node.kind !== 'raw' || !node.text.startsWith('"') || node.text.length < 3) return false
    const at = 1 + random.below(node.text.length - 2)
    const code = node.text.charCodeAt(at)
    if (code === 0x5c || node.text[at - 1] === '\\') return false
    const hex = code.toString(16).padStart(4, '0')
    return put(raw(`${node.text.slice(0, at)}\\u${random.chance(0.5) ? hex : hex.toUpperCase()}${node.text.slice(at + 1)}`))
  },
  blank: ({ node, put }, random) => {
    const text = writeTree(node)
    const blank = random.pick(blanks)
    return put(raw(random.chance(0.5) ? blank + text : text + blank))
  },
  'last-bits': ({ node, put }, random) => {
    // The last character of base64url has bits to spare: another of them decodes to the same bytes.
    const match = node.kind === 'raw' ? /^"([\w-]{21,})([\w-])"$/.exec(node.text) : null
    return match !== null && put(raw(`"${match[1]}${random.pick([...'ABCDEQgwx_-'])}"`))
  },
  shorter: ({ node, put }) => {
    if (node.kind !== 'raw' || node.text.length < 3) return false
    return put(raw(node.text.startsWith('"') ? `${node.text.slice(0, -2)}"` : node.text.slice(0, -1)))
  },
  longer: ({ node, put }, random) => {
    if (node.kind !== 'raw' || !node.text.startsWith('"')) return false
    const more = random.pick(['A', '=', ' ', 'x'.repeat(64), 'y'.repeat(1_100), 'z'.repeat(16_200)])
    return put(raw(`${node.text.slice(0, -1)}${more}"`))
  },
  key: ({ parent, index }, random) => {
    const pair = parent?.kind === 'object' ? parent.pairs[index] : undefined
    if (!pair) return false
    pair[0] = random.pick(keys)
    return true
  },
  splice: (slot, random, _, all) => slot.put(copyOf(random.pick(all).node)),
  unclosed: (slot, random) => slot.put(raw(writeTree(slot.node) + random.pick([',', ']', '}', '"', '[', '{', ':', '\u0000']))),
}
const names = Object.keys(changes)

/** Changes the tree (it is the caller's own) and says how. The number of changes is 1 to 3. */
export function mutateTree(tree: Tree, random: Prng, pool: Pool, most = 3): { tree: Tree; how: string[] } {
  const holder = { tree }
  const wanted = random.chance(0.6) ? 1 : 1 + random.below(most)
  const how: string[] = []
  for (let tries = 0; how.length < wanted && tries < 40; tries++) {
    const all = slotsOf(holder)
    // The whole is rarely the place: what is inside reaches deeper.
    const slot = all.length > 1 && random.chance(0.95) ? all[1 + random.below(all.length - 1)] : all[0]
    const name = random.pick(names)
    if (slot && changes[name]?.(slot, random, pool, all)) how.push(name)
  }
  return { tree: holder.tree, how }
}

function copyOf(tree: Tree): Tree {
  return structuredClone(tree)
}

function swap<Item>(list: Item[], a: number, b: number): boolean {
  const [one, other] = [list[a], list[b]]
  if (one === undefined || other === undefined || a === b) return false
  list[a] = other
  list[b] = one
  return true
}
