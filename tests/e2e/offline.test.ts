import { expect, type Page } from '@playwright/test'
import { type ChannelId, parseChannelId, parseSpaceId, type SpaceId } from '#shared/base/ids.ts'
import { startNodeDevice } from '../fakes/node-device.ts'
import { startRelay } from '../fakes/relay-process.ts'
import {
  channelRow,
  composer,
  heading,
  inStep,
  makeInvite,
  message,
  newName,
  newPerson,
  pair,
  signIn,
  startCommunity,
  wordsOf,
  write,
} from './people.ts'
import { test } from './relay.ts'

test('[OFF-1] with the relay gone and the page reloaded all is readable, words are kept, and arrive once and in order', async ({
  browser,
}) => {
  const relay = await startRelay()
  const [owner, guest] = await pair(browser, relay.url, 'Tunnel')
  await write(owner.page, 'before the tunnel')
  await expect(message(guest.page, 'before the tunnel')).toBeVisible()
  await guest.page.evaluate(() => navigator.serviceWorker.ready.then(() => {}))
  await inStep(guest.page)
  await relay.stop()

  await guest.page.reload()
  await expect(message(guest.page, 'before the tunnel')).toBeVisible()
  await expect(guest.page.getByText(/^Offline/).first()).toBeVisible()
  await write(guest.page, 'one from the dark')
  await write(guest.page, 'two from the dark')
  await expect(guest.page.getByText('2 messages wait for the network')).toBeVisible()

  const { context } = guest
  await guest.page.close()
  const later = await context.newPage()
  await later.goto(relay.url)
  await later
    .getByRole('link', { name: /Tunnel/ })
    .first()
    .click()
  await expect(message(later, 'two from the dark')).toBeVisible()
  await write(later, 'three from the dark')

  await relay.start()
  const all = ['before the tunnel', 'one from the dark', 'two from the dark', 'three from the dark']
  for (const page of [owner.page, later]) await expect.poll(() => wordsOf(page), { timeout: 60_000 }).toEqual(all)
  await inStep(later)
  await expect(later.getByText(/^Offline/)).toHaveCount(0)
  await owner.context.close()
  await context.close()
  await relay.remove()
})

test('[OFF-2] words that waited long show when they were written and when they arrived', async ({ browser }) => {
  const relay = await startRelay()
  const owner = await newPerson(browser, relay.url, 'own')
  await startCommunity(owner.page, 'Late Post')
  const code = parseInviteCode(await makeInvite(owner.page, 'Late Post'))
  const [space, channel] = placeOf(owner.page)
  let behindMs = 0
  const traveller = await startNodeDevice(relay.url, newName('far'), true, { now: () => Date.now() - behindMs })
  await traveller.until(() => traveller.core.world.link !== undefined)
  expect(await traveller.call('join', { code, space })).toMatchObject({ ok: true })
  await traveller.until(() => traveller.core.world.tables.channel.size > 0)

  await relay.stop()
  behindMs = 197 * 60_000
  await traveller.send(space, channel, 'from the hut above the reservoir')
  behindMs = 0
  await relay.start()
  const late = message(owner.page, 'from the hut above the reservoir')
  await expect(late).toContainText(/written offline at .+, arrived .+/, { timeout: 60_000 })
  await expect(late).toHaveAccessibleName(/written offline at/)
  await traveller.stop()
  await owner.context.close()
  await relay.remove()
})

test('[OFF-3] one’s own waiting words can be changed and taken back before they go', async ({ browser }) => {
  const relay = await startRelay()
  const [owner, guest] = await pair(browser, relay.url, 'Changed Mind')
  await inStep(guest.page)
  await relay.stop()
  await write(guest.page, 'this goes')
  await write(guest.page, 'this is taken back')
  await composer(guest.page).press('ArrowUp')
  await guest.page.getByLabel('Edit the message').press('Escape')
  await message(guest.page, 'this is taken back').hover()
  await guest.page.getByRole('button', { name: 'Remove', exact: true }).click()
  await guest.page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click()
  await expect(message(guest.page, 'this is taken back')).toBeHidden()
  await composer(guest.page).press('ArrowUp')
  await guest.page.getByLabel('Edit the message').fill('this goes, changed')
  await guest.page.getByLabel('Edit the message').press('Enter')
  await relay.start()
  await expect.poll(() => wordsOf(owner.page), { timeout: 60_000 }).toEqual(['this goes, changed'])
  await owner.context.close()
  await guest.context.close()
  await relay.remove()
})

test('[OFF-4] a channel renamed offline is renamed for all when the network is back', async ({ browser }) => {
  const relay = await startRelay()
  const [owner, guest] = await pair(browser, relay.url, 'New Names')
  await inStep(owner.page)
  await relay.stop()
  await owner.page.getByRole('button', { name: 'Menu of general' }).first().click()
  await owner.page.getByRole('menuitem', { name: 'Name and topic…' }).click()
  await owner.page.getByLabel('Channel name').fill('lobby')
  await owner.page.getByRole('button', { name: 'Save' }).click()
  await expect(heading(owner.page, 'lobby')).toBeVisible()
  await owner.page.reload()
  await expect(channelRow(owner.page, 'lobby')).toBeVisible()
  await relay.start()
  await expect(channelRow(guest.page, 'lobby')).toBeVisible({ timeout: 60_000 })
  await owner.context.close()
  await guest.context.close()
  await relay.remove()
})

test('[OFF-5] signing out with words that wait asks first', async ({ browser }) => {
  const relay = await startRelay()
  const [owner, guest] = await pair(browser, relay.url, 'Hold On')
  await inStep(guest.page)
  await relay.stop()
  await write(guest.page, 'do not lose me')
  await guest.page.getByRole('button', { name: 'Settings' }).click()
  await guest.page.getByRole('menuitem', { name: /Sign out/ }).click()
  await expect(guest.page.getByRole('dialog', { name: 'Sign out and lose 1 message?' })).toBeVisible()
  await guest.page.getByRole('button', { name: 'Stay signed in' }).click()
  await relay.start()
  await expect(message(owner.page, 'do not lose me')).toBeVisible({ timeout: 60_000 })
  await owner.context.close()
  await guest.context.close()
  await relay.remove()
})

test('[OFF-6] a relay that is killed loses nothing that was shown as accepted', async ({ browser }) => {
  const relay = await startRelay()
  const [owner, guest] = await pair(browser, relay.url, 'Power Cut')
  await write(owner.page, 'safe before')
  await inStep(owner.page)
  await relay.kill()
  await write(owner.page, 'written in the gap')
  await relay.start()
  await expect.poll(() => wordsOf(guest.page), { timeout: 60_000 }).toEqual(['safe before', 'written in the gap'])
  const second = await (await browser.newContext()).newPage()
  await signIn(second, relay.url, guest.name)
  await second
    .getByRole('link', { name: /Power Cut/ })
    .first()
    .click()
  await expect.poll(() => wordsOf(second)).toEqual(['safe before', 'written in the gap'])
  await second.context().close()
  await owner.context.close()
  await guest.context.close()
  await relay.remove()
})

function parseInviteCode(link: string): string {
  return new URL(link).hash.slice(1)
}

/** The community and channel in the address. */
function placeOf(page: Page): [SpaceId, ChannelId] {
  const [, , space, channel] = new URL(page.url()).pathname.split('/')
  const place = [parseSpaceId(space), parseChannelId(channel)] as const
  if (!place[0] || !place[1]) throw new Error(`no channel in ${page.url()}`)
  return [place[0], place[1]]
}
