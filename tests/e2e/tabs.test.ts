import { expect } from '@playwright/test'
import { inStep, message, pair, wordsOf, write } from './people.ts'
import { test } from './relay.ts'

test('[TAB-1] three tabs share one engine and one socket, and closing any of them loses nothing', async ({ browser, relay }) => {
  const [owner, guest] = await pair(browser, relay.url, 'Three Panes')
  const address = owner.page.url()
  const sockets: string[] = []
  const tabs = [owner.page, await owner.context.newPage(), await owner.context.newPage()]
  for (const tab of tabs.slice(1)) {
    tab.on('websocket', (socket) => sockets.push(socket.url()))
    await tab.goto(address)
    await expect(tab.getByRole('form', { name: 'Write a message' })).toBeVisible()
  }
  const workers = tabs.flatMap((tab) => tab.workers())
  expect(workers).toHaveLength(1)

  const [first, second, third] = tabs
  if (!first || !second || !third) throw new Error('three tabs')
  await write(second, 'from the second tab')
  for (const tab of tabs) await expect(message(tab, 'from the second tab')).toBeVisible()
  await expect(message(guest.page, 'from the second tab')).toBeVisible()

  await write(third, 'just before the first goes')
  await first.close()
  for (const tab of [second, third]) await expect(message(tab, 'just before the first goes')).toBeVisible()
  await write(second, 'and after it')
  await expect(message(third, 'and after it')).toBeVisible()
  await inStep(third)
  await second.close()
  await write(third, 'the last tab speaks')
  await inStep(third)
  const all = ['from the second tab', 'just before the first goes', 'and after it', 'the last tab speaks']
  await expect.poll(() => wordsOf(guest.page)).toEqual(all)
  await expect.poll(() => wordsOf(third)).toEqual(all)
  expect(third.workers()).toHaveLength(1)
  await owner.context.close()
  await guest.context.close()
})
