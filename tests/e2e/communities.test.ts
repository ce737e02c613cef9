import { expect } from '@playwright/test'
import {
  channelRow,
  composer,
  heading,
  joinBy,
  makeChannel,
  makeInvite,
  menu,
  newPerson,
  pair,
  startCommunity,
} from './people.ts'
import { test } from './relay.ts'

test('[COM-1] a community comes with #general; the owner makes, renames, orders and removes channels; others see it', async ({
  browser,
  relay,
}) => {
  const [owner, guest] = await pair(browser, relay.url, 'Lantern Row')
  await makeChannel(owner.page, 'moths')
  await makeChannel(owner.page, 'tides')
  await expect(channelRow(guest.page, 'tides')).toBeVisible()

  await menu(owner.page, 'Menu of moths', 'Name and topic…')
  const dialog = owner.page.getByRole('dialog', { name: 'Name and topic' })
  await dialog.getByLabel('Channel name').fill('night-moths')
  await dialog.getByLabel('Topic').fill('What came to the lamp.')
  await dialog.getByRole('button', { name: 'Save' }).click()
  await expect(channelRow(guest.page, 'night-moths')).toBeVisible()
  await channelRow(guest.page, 'night-moths').click()
  await expect(guest.page.getByText('What came to the lamp.')).toBeVisible()

  await menu(owner.page, 'Menu of tides', 'Move up')
  const order = () =>
    guest.page
      .getByRole('navigation', { name: /^Channels of/ })
      .getByRole('link')
      .allInnerTexts()
  await expect.poll(order).toEqual(['general', 'tides', 'night-moths'])

  await menu(owner.page, 'Menu of tides', 'Remove the channel…')
  const remove = owner.page.getByRole('dialog', { name: 'Remove #tides?' })
  await expect(remove.getByRole('button', { name: 'Remove' })).toBeDisabled()
  await remove.getByLabel('Write the channel’s name to go on').fill('tides')
  await remove.getByRole('button', { name: 'Remove' }).click()
  await expect(channelRow(guest.page, 'tides')).toBeHidden()
  await expect(channelRow(owner.page, 'tides')).toBeHidden()
  await owner.context.close()
  await guest.context.close()
})

test('[COM-2] who may not change things sees why', async ({ browser, relay }) => {
  const [owner, guest] = await pair(browser, relay.url, 'Quiet Row')
  await guest.page.getByRole('button', { name: 'Menu of Quiet Row' }).click()
  const item = guest.page.getByRole('menuitem', { name: 'Rename the community…' })
  await expect(item).toBeVisible()
  await expect(item).toHaveAttribute('aria-disabled', 'true')
  await expect(item).toContainText('owner only')
  await owner.context.close()
  await guest.context.close()
})

test('[COM-3] a member leaves, and comes back by an invite', async ({ browser, relay }) => {
  const [owner, guest] = await pair(browser, relay.url, 'Swing Door')
  await menu(guest.page, 'Menu of Swing Door', 'Leave…')
  await guest.page.getByRole('dialog').getByRole('button', { name: 'Leave' }).click()
  await expect(guest.page.getByRole('link', { name: 'Swing Door' })).toBeHidden()
  const link = await makeInvite(owner.page, 'Swing Door')
  await joinBy(guest.page, link)
  await expect(composer(guest.page)).toBeVisible()
  await owner.context.close()
  await guest.context.close()
})

test('[COM-4] an invite leads through the door: sign up, and come in', async ({ browser, relay }) => {
  const owner = await newPerson(browser, relay.url, 'own')
  await startCommunity(owner.page, 'Open Gate')
  const link = await makeInvite(owner.page, 'Open Gate')
  const page = await (await browser.newContext()).newPage()
  await page.goto(link)
  await page.getByRole('link', { name: 'Make an account and come in' }).click()
  await expect(page.getByText(`You were asked in to Open Gate by ${owner.name}`)).toBeVisible()
  await page.context().close()
  const guest = await newPerson(browser, relay.url, 'gue', `/sign-up${new URL(link).hash}`)
  await guest.page.getByRole('button', { name: 'Come in' }).click()
  await expect(heading(guest.page, 'general')).toBeVisible()
  await owner.context.close()
  await guest.context.close()
})

test('[COM-5] a link that is no invite says so', async ({ browser, relay }) => {
  const { page, context } = await newPerson(browser, relay.url, 'lost')
  await page.goto(`${relay.url}/invite#AAAAAAAAAAAAAAAAAAAAAA`)
  await expect(page.getByText('This invite is not valid any more')).toBeVisible()
  await context.close()
})
