import { expect } from '@playwright/test'
import { channelRow, composer, inStep, makeChannel, message, pair, wordsOf, write } from './people.ts'
import { test } from './relay.ts'

test('[MSG-1] what one writes the other sees at once, in order, and both see it after a reload', async ({ browser, relay }) => {
  const [owner, guest] = await pair(browser, relay.url, 'Two Cups')
  await write(owner.page, 'Is the kettle on?')
  await expect(message(guest.page, 'Is the kettle on?')).toBeVisible()
  await write(guest.page, 'It sings already.')
  await expect(message(owner.page, 'It sings already.')).toBeVisible()
  await inStep(owner.page)
  for (const { page } of [owner, guest]) {
    await page.reload()
    await expect.poll(() => wordsOf(page)).toEqual(['Is the kettle on?', 'It sings already.'])
  }
  await owner.context.close()
  await guest.context.close()
})

test('[MSG-2] Shift and Enter break the line, the draft survives a reload, Enter sends', async ({ browser, relay }) => {
  const [owner, guest] = await pair(browser, relay.url, 'Long Lines')
  await composer(owner.page).pressSequentially('first line')
  await composer(owner.page).press('Shift+Enter')
  await composer(owner.page).pressSequentially('second line')
  await composer(owner.page).blur()
  await owner.page.reload()
  await expect(composer(owner.page)).toHaveValue('first line\nsecond line')
  await composer(owner.page).press('Enter')
  await expect(composer(owner.page)).toHaveValue('')
  await expect.poll(() => wordsOf(guest.page)).toEqual(['first line\nsecond line'])
  await owner.context.close()
  await guest.context.close()
})

test('[MSG-3] one changes and takes back one’s own words, and nobody else’s', async ({ browser, relay }) => {
  const [owner, guest] = await pair(browser, relay.url, 'Second Thoughts')
  await write(owner.page, 'the tpyo')
  await expect(message(guest.page, 'the tpyo')).toBeVisible()
  await inStep(owner.page)
  await composer(owner.page).press('ArrowUp')
  await owner.page.getByLabel('Edit the message').fill('the typo')
  await owner.page.getByLabel('Edit the message').press('Enter')
  await expect(message(guest.page, 'the typo')).toContainText('edited')

  await message(guest.page, 'the typo').hover()
  await expect(guest.page.getByRole('toolbar', { name: 'Message actions' })).toBeVisible()
  await expect(guest.page.getByRole('button', { name: 'Edit', exact: true })).toBeHidden()

  await message(owner.page, 'the typo').hover()
  await owner.page.getByRole('button', { name: 'Remove', exact: true }).click()
  await owner.page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click()
  await expect(message(owner.page, 'the typo')).toBeHidden()
  await expect(message(guest.page, 'the typo')).toBeHidden()
  await owner.context.close()
  await guest.context.close()
})

test('[MSG-4] new messages show at the channel and at the community, and a line stands where they begin', async ({
  browser,
  relay,
}) => {
  const [owner, guest] = await pair(browser, relay.url, 'New Moon')
  await write(owner.page, 'read by all')
  await expect(message(guest.page, 'read by all')).toBeVisible()
  await makeChannel(owner.page, 'elsewhere')
  await channelRow(guest.page, 'elsewhere').click()
  await expect(guest.page.getByRole('heading', { level: 1, name: 'elsewhere' })).toBeVisible()
  await channelRow(owner.page, 'general').click()
  await write(owner.page, 'you have not read this')
  await write(owner.page, 'nor this')
  await expect(channelRow(guest.page, 'general')).toHaveAccessibleName(/2 new messages/)
  await guest.page.getByRole('link', { name: 'Home' }).first().click()
  await expect(guest.page.getByRole('link', { name: /New Moon, new messages/ }).first()).toBeVisible()
  await guest.page.goBack()
  await channelRow(guest.page, 'general').click()
  await expect(guest.page.getByText(/^New since/)).toBeVisible()
  await expect(channelRow(guest.page, 'general')).toHaveAccessibleName('general')
  await owner.context.close()
  await guest.context.close()
})

test('[MSG-5] words are shown as words, whatever they look like', async ({ browser, relay }) => {
  const [owner, guest] = await pair(browser, relay.url, 'Plain Speech')
  const odd = '<img src=x onerror="document.title=\'broken\'"> {{7*7}} javascript:alert(1) ليلة هادئة 👩‍🌾'
  await write(owner.page, odd)
  await expect.poll(() => wordsOf(guest.page)).toEqual([odd])
  expect(await guest.page.title()).not.toBe('broken')
  await owner.context.close()
  await guest.context.close()
})
