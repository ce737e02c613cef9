// JSON as a tree that keeps what JSON.parse throws away: doubled keys, the order of keys, how a number or a string is spelled.
// Written back without a blank; what a mutation wants to spell otherwise is put in as `raw`.

export type Tree =
  | { kind: 'raw'; text: string }
  | { kind: 'list'; items: Tree[] }
  /** Keys as written, with their quotes. */
  | { kind: 'object'; pairs: [key: string, value: Tree][] }

/** A place in a tree that can be given another content. `index` in its parent; -1 for the root. */
export interface Slot {
  node: Tree
  parent: Tree | undefined
  index: number
  /** Answers true, so that a change can be one expression. */
  put(node: Tree): true
}

/** @param value what JSON.stringify takes; a tree stays one */
export function treeOf(value: unknown): Tree {
  if (Array.isArray(value)) return { kind: 'list', items: value.map(treeOf) }
  if (typeof value === 'object' && value !== null)
    return { kind: 'object', pairs: Object.entries(value).map(([key, item]) => [JSON.stringify(key), treeOf(item)]) }
  return raw(JSON.stringify(value) ?? 'null')
}

export function raw(text: string): Tree {
  return { kind: 'raw', text }
}

export function writeTree(tree: Tree): string {
  switch (tree.kind) {
    case 'raw':
      return tree.text
    case 'list':
      return `[${tree.items.map(writeTree).join(',')}]`
    case 'object':
      return `{${tree.pairs.map(([key, value]) => `${key}:${writeTree(value)}`).join(',')}}`
  }
}

/** Every place, the root first. */
export function slotsOf(holder: { tree: Tree }): Slot[] {
  const slots: Slot[] = []
  const visit = (node: Tree, parent: Tree | undefined, index: number, put: (node: Tree) => true) => {
    slots.push({ node, parent, index, put })
    if (node.kind === 'list')
      node.items.forEach((item, i) => {
        visit(item, node, i, (next) => {
          node.items[i] = next
          return true
        })
      })
    if (node.kind === 'object')
      node.pairs.forEach((pair, i) => {
        visit(pair[1], node, i, (next) => {
          pair[1] = next
          return true
        })
      })
  }
  visit(holder.tree, undefined, -1, (next) => {
    holder.tree = next
    return true
  })
  return slots
}
