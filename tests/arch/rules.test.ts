// The rules of the tree that no linter has.
import { basename } from 'node:path'
import ts from 'typescript'
import { expect, test } from 'vitest'
import { parse, placeOf, sources, walk } from './sources.ts'

const own = sources(['shared', 'relay', 'app/src'], ['.ts', '.svelte', '.mjs'])
const tests = sources(['tests'], ['.ts'])

function found(files: typeof own, wrong: (node: ts.Node, file: ts.SourceFile) => boolean): string[] {
  return files.flatMap((source) => {
    const file = parse(source)
    const places: string[] = []
    walk(file, (node) => {
      if (wrong(node, file)) places.push(placeOf(file, node))
    })
    return places
  })
}

const isReasoned = (node: ts.Node, file: ts.SourceFile): boolean => {
  const line = file.getLineAndCharacterOfPosition(node.getStart(file)).line
  const lines = file.text.split('\n')
  const start = file.getLineAndCharacterOfPosition(statementOf(node).getStart(file)).line
  return [lines[line - 1], lines[line], lines[start - 1]].some((text) => text?.includes('// reason:'))
}

function statementOf(node: ts.Node): ts.Node {
  let at = node
  while (at.parent && !ts.isStatement(at) && !ts.isClassElement(at) && !ts.isPropertyAssignment(at)) at = at.parent
  return at
}

test('no file has a name that says nothing', () => {
  const nothing = /^(utils?|helpers?|common|misc|manager|service|types|index)\./
  expect([...own, ...tests].map((source) => source.path).filter((path) => nothing.test(basename(path)))).toEqual([])
})

test('a cast, an assertion or an `any` says its root cause', () => {
  const unsafe = (node: ts.Node) =>
    (ts.isAsExpression(node) && node.type.getText() !== 'const') ||
    ts.isNonNullExpression(node) ||
    node.kind === ts.SyntaxKind.AnyKeyword
  expect(found(own, (node, file) => unsafe(node) && !isReasoned(node, file))).toEqual([])
  expect(own.filter((source) => /@ts-(ignore|expect-error|nocheck)/.test(source.text)).map((source) => source.path)).toEqual([])
})

test('the core decides without a clock, chance, waiting or I/O', () => {
  const core = own.filter((source) => source.path.startsWith('shared/') && !source.path.startsWith('shared/crypto/sodium'))
  const worldly = (node: ts.Node) =>
    node.kind === ts.SyntaxKind.AsyncKeyword ||
    ts.isAwaitExpression(node) ||
    (ts.isPropertyAccessExpression(node) && node.getText() === 'Math.random') ||
    (ts.isIdentifier(node) && ['document', 'window', 'process', 'Buffer'].includes(node.text) && isGlobal(node))
  expect(found(core, worldly)).toEqual([])
})

function isGlobal(node: ts.Identifier): boolean {
  const parent = node.parent
  return ts.isPropertyAccessExpression(parent) && parent.expression === node && !declares(node.getSourceFile(), node.text)
}

function declares(file: ts.SourceFile, name: string): boolean {
  let declared = false
  walk(file, (node) => {
    if ((ts.isVariableDeclaration(node) || ts.isParameter(node) || ts.isBindingElement(node)) && node.name.getText() === name)
      declared = true
  })
  return declared
}

test('no module only passes on what others export', () => {
  const barrels = [...own, ...tests].filter((source) => {
    const { statements } = parse(source)
    return (
      source.path.endsWith('.ts') &&
      statements.length > 0 &&
      statements.every((one) => ts.isExportDeclaration(one) && one.moduleSpecifier)
    )
  })
  expect(barrels.map((source) => source.path)).toEqual([])
})

test('the same type has one address', () => {
  // The app's state passes on the shapes of engine/api.ts, since a component may not see the engine.
  const strict = own.filter((source) => !source.path.startsWith('app/src/state/'))
  expect(found(strict, (node) => ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined)).toEqual([])
})

test('an error is never swallowed', () => {
  expect(found([...own, ...tests], (node) => ts.isCatchClause(node) && node.block.statements.length === 0)).toEqual([])
})

test('a test fakes the world, never our modules, and never sleeps', () => {
  const sleeps = /\bvi\.mock\(|waitForTimeout\(|\b(test|it|describe)\.(skip|only|todo|fixme)\b/
  const seen = tests
    .filter((source) => !source.path.startsWith('tests/arch/') && sleeps.test(source.text))
    .map((source) => source.path)
  expect(seen).toEqual([])
  const waits = (node: ts.Node) =>
    ts.isNewExpression(node) &&
    node.expression.getText() === 'Promise' &&
    /^\(?\w*\)? => (void )?setTimeout\(\w+, [^)]*\)$/.test(node.arguments?.[0]?.getText() ?? '')
  expect(found(tests, waits)).toEqual([])
})

test('a page never turns text into markup', () => {
  const markup = own.filter((source) => source.path.endsWith('.svelte') && /\{@html|innerHTML\s*=/.test(source.text))
  expect(markup.map((source) => source.path)).toEqual([])
})
