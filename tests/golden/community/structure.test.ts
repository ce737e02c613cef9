// Structure changes as they lie in databases: they must load for ever, whatever version of Automerge is installed.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { expect, test } from 'vitest'
import { parseBase64Url } from '#shared/base/bytes.ts'
import { loadStructureEngine, openStructure } from '#shared/structure/structure-document.ts'

const read = (name: string) => JSON.parse(readFileSync(new URL(name, import.meta.url), 'utf8'))
const stored: { changes: string[] } = read('./structure.json')
const chain: { links: { n: number; canonicalState: string }[] } = read('./chain.json')

test('[GOLD-C5] stored structure changes load, and every version is the state of its command', async () => {
  await loadStructureEngine(readFileSync(createRequire(import.meta.url).resolve('@automerge/automerge/automerge.wasm')))
  const document = openStructure(stored.changes.map((change) => parseBase64Url(change) ?? new Uint8Array()))
  const versions = document.versions()
  expect(versions.map(({ n }) => n)).toEqual(chain.links.map(({ n }) => n))
  for (const [i, { canonicalState }] of chain.links.entries())
    expect(document.stateAt(versions[i]?.hash ?? '')).toEqual(JSON.parse(canonicalState))
  document.free()
})
