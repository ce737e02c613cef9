// What the page's own thread loads: neither cryptography nor documents, so that the first paint waits for none of them.
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import ts from 'typescript'
import { expect, test } from 'vitest'
import { parse, root, sources, walk } from './sources.ts'

const heavy = /^(libsodium|sodium-|yjs|y-|lib0|@automerge|idb$|@zxcvbn)/

/** Value imports of a file, static or not; types are erased, and a worker's URL is not its code. */
function importsOf(path: string): string[] {
  const names: string[] = []
  const take = (node: ts.Expression | undefined) => {
    if (node && ts.isStringLiteral(node) && !node.text.includes('?')) names.push(node.text)
  }
  walk(parse({ path, text: readFileSync(join(root, path), 'utf8') }), (node) => {
    if (ts.isImportDeclaration(node) && !isTypeOnly(node)) take(node.moduleSpecifier)
    else if (ts.isExportDeclaration(node) && !node.isTypeOnly) take(node.moduleSpecifier)
  })
  return names
}

function isTypeOnly({ importClause }: ts.ImportDeclaration): boolean {
  if (!importClause) return false
  const named = importClause.namedBindings
  const onlyTypes =
    named && ts.isNamedImports(named) && named.elements.length > 0 && named.elements.every((one) => one.isTypeOnly)
  return importClause.phaseModifier === ts.SyntaxKind.TypeKeyword || (!importClause.name && onlyTypes === true)
}

function resolve(from: string, name: string): string | undefined {
  const path = name.startsWith('#shared/')
    ? name.replace('#shared/', 'shared/')
    : name.startsWith('#app/')
      ? name.replace('#app/', 'app/src/')
      : name.startsWith('.')
        ? normalize(join(dirname(from), name))
        : undefined
  return path && existsSync(join(root, path)) ? path : undefined
}

test('what the page loads first reaches no cryptography, no document and no database library', () => {
  const seen = new Map<string, string>()
  const found: string[] = []
  const queue = sources(['app/src/routes'], ['.svelte', '.ts']).map(({ path }) => path)
  for (const path of queue) seen.set(path, path)
  for (let path = queue.pop(); path; path = queue.pop())
    for (const name of importsOf(path)) {
      const next = resolve(path, name)
      if (!next && heavy.test(name)) found.push(`${seen.get(path)} → ${name}`)
      if (!next || seen.has(next) || !/\.(ts|svelte)$/.test(next)) continue
      seen.set(next, `${seen.get(path)} → ${next}`)
      queue.push(next)
    }
  expect(seen.size).toBeGreaterThan(80)
  expect(found).toEqual([])
})
