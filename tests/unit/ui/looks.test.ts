import { expect, test } from 'vitest'
import { inviteCodeOf } from '#app/state/invite-link.ts'
import { initialsOf, pick } from '#app/ui/kit/tint.ts'
import { idFromBytes } from '#shared/base/ids.ts'
import { createPrng } from '#shared/base/prng.ts'

test('[UI-LOOK-1] initials are two letters at most, whole ones, in every script', () => {
  expect(initialsOf('wren')).toBe('wr')
  expect(initialsOf('ines.okonjo')).toBe('io')
  expect(initialsOf('sol_invictus_88')).toBe('si')
  expect(initialsOf('高橋みどり')).toBe('高橋')
  expect(initialsOf('Bartholomew Featherstonehaugh-Nakamura')).toBe('BF')
  expect(initialsOf('👩‍🚀x')).toBe('👩‍🚀x')
  expect(initialsOf('._.')).toBe('?')
})

test('[UI-LOOK-2] an id always has the same look, and looks are spread over ids', () => {
  const random = createPrng(7)
  const counts = new Array<number>(8).fill(0)
  for (let i = 0; i < 4_000; i++) {
    const id = idFromBytes(Uint8Array.from({ length: 16 }, () => random.below(256)))
    const look = pick(id, 8)
    expect(look).toBe(pick(id, 8))
    counts[look] = (counts[look] ?? 0) + 1
  }
  for (const count of counts) expect(count).toBeGreaterThan(400)
})

test('[UI-INVITE-1] an invite is found in a link, behind a "#" or alone, and nowhere else', () => {
  const code = 'q1w2e3r4t5y6u7i8o9p0aA'
  expect(inviteCodeOf(`https://relay.example/invite#${code}`)).toBe(code)
  expect(inviteCodeOf(`  #${code} `)).toBe(code)
  expect(inviteCodeOf(code)).toBe(code)
  expect(inviteCodeOf('')).toBe('')
  expect(inviteCodeOf('https://relay.example/invite')).toBe('')
  expect(inviteCodeOf(`${code}0`)).toBe('')
  expect(inviteCodeOf(`#${code}/../x`)).toBe('')
})
