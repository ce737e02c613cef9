// JavaScript of the built app, as sent (brotli): what the page needs before the first paint of a channel, and what the engine's worker does.
// Read off the build itself: the page's preloads, the route's nodes, and whatever these import statically.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import ts from 'typescript'
import type { Figure } from './figures.ts'

const route = '/(in)/c/[space]/[channel]'

export function measureScripts(build: string): Figure[] {
  const app = join(build, '_app/immutable')
  const page = staticFrom([...preloadsOf(build), ...nodesOf(app)])
  const [entry] = readdirSync(join(app, 'workers')).filter((name) => /^engine\.worker.*\.js$/.test(name))
  if (!entry) throw new Error('the build has an engine worker')
  const worker = staticFrom([join(app, 'workers', entry)])
  const later = [...worker].flatMap((file) => importsOf(file).dynamic).map((file) => staticFrom([file]).difference(worker))
  const isSodium = (files: ReadonlySet<string>) => [...files].some((file) => readFileSync(file, 'utf8').includes('crypto_pwhash'))
  const sodium = later.filter(isSodium)
  const others = later.filter((files) => !isSodium(files))
  return [
    figure('first paint, main thread', page, 'preloads of the page, nodes of the channel’s route, all that they import'),
    figure('engine worker', worker, 'its entry and what that imports'),
    figure('engine worker, later: libsodium', union(sodium), 'before the first signature is made or checked'),
    figure('engine worker, later: the rest', union(others), 'when first needed'),
  ]
}

function figure(name: string, files: ReadonlySet<string>, note: string): Figure {
  const bytes = [...files].reduce((sum, file) => sum + statSync(`${file}.br`).size, 0)
  return { name: `JavaScript: ${name}`, value: bytes, unit: 'bytes', note: `${files.size} files, brotli: ${note}` }
}

function preloadsOf(build: string): string[] {
  const html = readFileSync(join(build, 'index.html'), 'utf8')
  const preloads = [...html.matchAll(/href="([^"]+\.js)" rel="modulepreload"/g)]
  const imports = [...html.matchAll(/import\("([^"]+\.js)"\)/g)]
  if (imports.length === 0) throw new Error('the page starts the app')
  return [...preloads, ...imports].map(([, path = '']) => join(build, path))
}

/** SvelteKit's table names each route's leaf and layouts by number; the root layout is 0. */
function nodesOf(app: string): string[] {
  const [start = ''] = readdirSync(join(app, 'entry')).filter((name) => /^app\..*\.js$/.test(name))
  const table = readFileSync(join(app, 'entry', start), 'utf8')
  const found = table.split(`"${route}":[`)[1]?.match(/^(\d+)(?:,\[([\d,]*)\])?/)
  if (!found) throw new Error(`the build knows the route ${route}`)
  const numbers = new Set(['0', found[1], ...(found[2]?.split(',') ?? [])])
  return readdirSync(join(app, 'nodes'))
    .filter((name) => name.endsWith('.js') && numbers.has(name.split('.')[0]))
    .map((name) => join(app, 'nodes', name))
}

function staticFrom(entries: readonly string[]): Set<string> {
  const seen = new Set<string>()
  const open = [...entries]
  for (let file = open.pop(); file; file = open.pop()) {
    if (seen.has(file)) continue
    seen.add(file)
    open.push(...importsOf(file).static)
  }
  return seen
}

function importsOf(file: string): { static: string[]; dynamic: string[] } {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.ESNext, false, ts.ScriptKind.JS)
  const found: { static: string[]; dynamic: string[] } = { static: [], dynamic: [] }
  const at = (node: ts.Node | undefined) =>
    node && ts.isStringLiteralLike(node) && node.text.startsWith('.') ? [resolve(dirname(file), node.text)] : []
  const walk = (node: ts.Node) => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) found.static.push(...at(node.moduleSpecifier))
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
      found.dynamic.push(...at(node.arguments[0]))
    ts.forEachChild(node, walk)
  }
  walk(source)
  return found
}

function union(sets: readonly ReadonlySet<string>[]): Set<string> {
  return new Set(sets.flatMap((files) => [...files]))
}
