import { expect, type Page } from '@playwright/test'
import { startRelay } from '../fakes/relay-process.ts'
import { channelRow, heading, inStep, makeChannel, menu, message, pair, wordsOf, write } from './people.ts'
import { test } from './relay.ts'

const noRoom = 'The relay has no room left. Reading still works; your words are kept here.'
const notice = (page: Page) => page.getByRole('status').filter({ hasText: noRoom })

test('[ROOM-11] without room at the relay people see why their words wait, read on, and what waits goes by itself when somebody makes room', async ({
  browser,
}) => {
  const settings: Record<string, string> = { LIMIT_ROOM_WAIT_MS: '2000' }
  const relay = await startRelay(settings)
  const [owner, guest] = await pair(browser, relay.url, 'Full House')
  await write(owner.page, 'before the flood')
  await makeChannel(owner.page, 'attic')
  for (let i = 0; i < 12; i++) await write(owner.page, `box ${i} ${'of old things '.repeat(250)}`)
  await inStep(owner.page)
  const figures = await (await fetch(`${relay.url}/metrics`)).text()
  const used = Number(/^dupecord_database_bytes (\d+)$/m.exec(figures)?.[1])

  await relay.stop()
  settings.LIMIT_DATABASE_BYTES_MAX = String(used + 16_384)
  await relay.start()
  await inStep(owner.page)
  // The last things that fit.
  for (let i = 0; (await fetch(`${relay.url}/health`)).status === 200; i++)
    await write(owner.page, `crate ${i} ${'and more '.repeat(300)}`)

  for (const { page } of [owner, guest]) {
    await channelRow(page, 'general').click()
    await expect(heading(page, 'general')).toBeVisible()
  }
  await write(guest.page, 'is anybody there?')
  await write(owner.page, 'we are full')
  for (const { page } of [owner, guest]) await expect(notice(page)).toBeVisible()
  await expect(notice(guest.page)).toContainText('your words are kept here. 1 message waits.')
  await expect(guest.page.locator('footer.own')).toContainText('Relay full, 1 waiting')
  const second = await guest.context.newPage()
  await second.goto(guest.page.url())
  await expect(notice(second)).toBeVisible()
  await expect(message(second, 'is anybody there?')).toBeVisible()

  // What is there can be read.
  await channelRow(guest.page, 'attic').click()
  const newest = guest.page
    .getByRole('article')
    .filter({ hasText: /crate|box 11/ })
    .last()
  await expect(newest).toBeVisible()
  await newest.hover()
  // The wheel turns as long as there is more above.
  await expect
    .poll(async () => {
      await guest.page.mouse.wheel(0, -4_000)
      return message(guest.page, 'box 0').isVisible()
    })
    .toBe(true)
  await expect(guest.page.getByText('Not sent')).toHaveCount(0)
  await channelRow(guest.page, 'general').click()

  await menu(owner.page, 'Menu of attic', 'Remove the channel…')
  const remove = owner.page.getByRole('dialog', { name: 'Remove #attic?' })
  await remove.getByLabel('Write the channel’s name to go on').fill('attic')
  await remove.getByRole('button', { name: 'Remove' }).click()

  const words = ['before the flood', 'is anybody there?', 'we are full']
  for (const page of [owner.page, guest.page, second]) {
    await expect.poll(async () => (await wordsOf(page)).toSorted()).toEqual(words)
    await expect(notice(page)).toHaveCount(0)
  }
  await inStep(guest.page)
  await owner.context.close()
  await guest.context.close()
  await relay.remove()
})
