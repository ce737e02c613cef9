import { expect } from '@playwright/test'
import { channelRow, composer, inStep, makeChannel, message, pair, signIn, wordsOf, write } from './people.ts'
import { test } from './relay.ts'

test('[DEV-1] a second profile has the same communities, channels, history, drafts and read state', async ({
  browser,
  relay,
}) => {
  const [owner, guest] = await pair(browser, relay.url, 'Both Pockets')
  await makeChannel(owner.page, 'plans')
  await write(owner.page, 'read on the first device')
  await channelRow(guest.page, 'plans').click()
  await expect(message(guest.page, 'read on the first device')).toBeVisible()
  await expect(channelRow(guest.page, 'plans')).toHaveAccessibleName('plans')
  await composer(guest.page).fill('half a thought')
  await composer(guest.page).blur()
  await inStep(guest.page)
  await channelRow(owner.page, 'general').click()
  await write(owner.page, 'not read anywhere')

  const page = await (await browser.newContext()).newPage()
  await signIn(page, relay.url, guest.name)
  await page
    .getByRole('link', { name: /Both Pockets/ })
    .first()
    .click()
  await expect(channelRow(page, 'plans')).toHaveAccessibleName('plans')
  await channelRow(page, 'plans').click()
  await expect(message(page, 'read on the first device')).toBeVisible()
  await expect(composer(page)).toHaveValue('half a thought')
  await expect(page.getByText(/^New since/)).toHaveCount(0)

  await write(page, 'from the second device')
  await expect.poll(() => wordsOf(guest.page)).toEqual(['read on the first device', 'from the second device'])
  await expect(composer(guest.page)).toHaveValue('')
  await page.context().close()
  await owner.context.close()
  await guest.context.close()
})
