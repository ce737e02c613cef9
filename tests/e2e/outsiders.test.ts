import { expect } from '@playwright/test'
import { startRelay } from '../fakes/relay-process.ts'
import { composer, inStep, message, newPerson, pair, write } from './people.ts'
import { test } from './relay.ts'

test('[OUT-1] who is not a member gets nothing, and a text that says so', async ({ browser, relay }) => {
  const [owner, guest] = await pair(browser, relay.url, 'Closed Circle')
  await write(owner.page, 'for members only')
  const address = owner.page.url()
  const stranger = await newPerson(browser, relay.url, 'str')
  const heard: string[] = []
  stranger.page.on('websocket', (socket) =>
    socket.on('framereceived', (frame) =>
      heard.push(typeof frame.payload === 'string' ? frame.payload : frame.payload.toString('latin1')),
    ),
  )
  await stranger.page.goto(address)
  await expect(stranger.page.getByRole('heading', { name: 'You are not in this community' })).toBeVisible()
  await expect(stranger.page.getByText('for members only')).toHaveCount(0)
  expect(heard.filter((frame) => /Closed Circle|for members only/.test(frame))).toEqual([])
  for (const person of [owner, guest, stranger]) await person.context.close()
})

test('[OUT-2] who is removed loses the place at once; words he had not sent come back to him with the reason', async ({
  browser,
}) => {
  const relay = await startRelay()
  const [owner, guest] = await pair(browser, relay.url, 'Last Straw')
  await write(owner.page, 'seen before the end')
  await expect(message(guest.page, 'seen before the end')).toBeVisible()
  await inStep(guest.page)
  await guest.context.setOffline(true)
  await expect(guest.page.getByText(/^Offline/).first()).toBeVisible()
  await write(guest.page, 'never to arrive')
  await inStep(owner.page)

  await owner.page
    .getByRole('complementary', { name: /Members/ })
    .getByRole('button', { name: new RegExp(guest.name) })
    .click()
  await owner.page.getByRole('menuitem', { name: 'Remove from the community…' }).click()
  await owner.page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click()
  await expect(owner.page.getByRole('complementary', { name: /Members/ }).getByText(guest.name)).toHaveCount(0)

  await guest.context.setOffline(false)
  await expect(guest.page.getByRole('heading', { name: 'You are not in this community' })).toBeVisible({ timeout: 60_000 })
  await expect(guest.page.getByText('seen before the end')).toHaveCount(0)
  await guest.page.goto(relay.url)
  await expect(guest.page.getByRole('heading', { name: 'Not sent' })).toBeVisible()
  await expect(guest.page.getByText('never to arrive')).toBeVisible()
  await expect(guest.page.getByText('You are not a member of this community any more.')).toBeVisible()
  await expect(message(owner.page, 'never to arrive')).toHaveCount(0)
  await guest.page.reload()
  await expect(guest.page.getByText('never to arrive')).toBeVisible()
  await owner.context.close()
  await guest.context.close()
  await relay.remove()
})

test('[OUT-3] a live member who is removed sees it within a moment, and can write no more', async ({ browser, relay }) => {
  const [owner, guest] = await pair(browser, relay.url, 'Short Stay')
  await expect(composer(guest.page)).toBeVisible()
  await owner.page
    .getByRole('complementary', { name: /Members/ })
    .getByRole('button', { name: new RegExp(guest.name) })
    .click()
  await owner.page.getByRole('menuitem', { name: 'Remove from the community…' }).click()
  await owner.page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click()
  await expect(guest.page.getByRole('heading', { name: 'You are not in this community' })).toBeVisible()
  await owner.context.close()
  await guest.context.close()
})
