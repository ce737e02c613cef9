// Our own source files, as the tests of the tree's rules read them.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

export const root = fileURLToPath(new URL('../..', import.meta.url))

export interface Source {
  path: string
  text: string
}

/** All files of ours below the folders, with one of the endings. */
export function sources(folders: string[], endings: string[]): Source[] {
  return folders
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => `${folder}/${name}`),
    )
    .filter((path) => endings.some((ending) => path.endsWith(ending)) && !/node_modules|\.svelte-kit/.test(path))
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))
}

/** TypeScript's tree of a .ts file, or of the scripts of a .svelte file with everything else blanked out, so that lines stay true. */
export function parse({ path, text }: Source): ts.SourceFile {
  const script = path.endsWith('.svelte') ? onlyScripts(text) : text
  return ts.createSourceFile(path, script, ts.ScriptTarget.ESNext, true, ts.ScriptKind.TS)
}

function onlyScripts(text: string): string {
  const blank = (part: string) => part.replace(/[^\n]/g, ' ')
  let kept = ''
  let at = 0
  for (const match of text.matchAll(/(<script[^>]*>)([\s\S]*?)(<\/script>)/g)) {
    const [whole, open = '', body = ''] = match
    kept += blank(text.slice(at, match.index + open.length)) + body
    at = match.index + open.length + body.length
    if (whole.length === 0) break
  }
  return kept + blank(text.slice(at))
}

/** Calls back for every node of the tree. */
export function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node)
  ts.forEachChild(node, (child) => walk(child, visit))
}

/** `path:line` of a node. */
export function placeOf(file: ts.SourceFile, node: ts.Node): string {
  return `${file.fileName}:${file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1}`
}
