// The operator's guide names every setting there is, with its default.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { limitNames } from '#relay/config.ts'
import { root } from './sources.ts'

test('the operator’s guide has every limit and its default', () => {
  const guide = readFileSync(join(root, 'relay/README.md'), 'utf8').replace(/ +/g, ' ')
  const { numbers, rates } = limitNames()
  const rows = [...numbers].map(([name, value]) => `| \`${name}\` | \`${value}\` |`)
  const rateRows = [...rates].map(([name, { points, seconds }]) => `| \`${name}\` | \`${points}/${seconds}\` |`)
  expect([...rows, ...rateRows].filter((row) => !guide.includes(row))).toEqual([])
})
