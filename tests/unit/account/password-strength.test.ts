import { expect, test } from 'vitest'
import { passwordStrength } from '#app/platform/password-strength.ts'

const about = ['wren', 'wren@hedge.example']

test.each([
  'password1234',
  'Passw0rd!!',
  '1234567890',
  'qwertyuiop',
  'aaaaaaaaaaaa',
  'iloveyou123',
  'dupecord123',
  'wrenwrenwren',
  'wren@hedge.example',
  'wrenhedge1',
])('[PWD-1, check 2] %s is refused: common, or made of what is known of the person', async (password) => {
  const { enough, words } = await passwordStrength(password, about)
  expect(enough).toBe(false)
  expect(words).not.toBe('')
})

test.each(['correct horse battery staple', 'lamp sheet otter violin', 'tZ8#kQ!v2mWp', 'моя собака ест картошку'])(
  '[PWD-2, check 3] %s is taken',
  async (password) => {
    expect((await passwordStrength(password, about)).enough).toBe(true)
  },
)

test('[PWD-3, check 1] too short and too long are said as such, and 64 and more are taken', async () => {
  expect(await passwordStrength('tZ8#kQ!v2', about)).toMatchObject({ enough: false, words: 'Use 10 to 256 characters.' })
  expect(await passwordStrength('tZ8#kQ!v2mWp'.repeat(22), about)).toMatchObject({ enough: false })
  expect((await passwordStrength('lamp sheet otter violin '.repeat(10), about)).enough).toBe(true)
})

test('[PWD-4] the same word is judged by who uses it', async () => {
  expect((await passwordStrength('oleksiikovalenko7', [])).lines).toBeGreaterThan(
    (await passwordStrength('oleksiikovalenko7', ['oleksiikovalenko'])).lines,
  )
})
