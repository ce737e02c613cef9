// What people do, in the words of the screen: the tests read as stories because of these.
import { type Browser, type BrowserContext, expect, type Page } from '@playwright/test'

export const password = 'Larch-umbrella-4071-quietly'

let people = 0
/** A name that no other test of this worker has. */
export function newName(stem: string): string {
  people++
  return `${stem}${process.pid}.${people}`
}

export interface Person {
  name: string
  context: BrowserContext
  page: Page
}

/** Somebody in a browser of their own who has just made an account. */
export async function newPerson(browser: Browser, url: string, stem: string, path = '/sign-up'): Promise<Person> {
  const context = await browser.newContext()
  const page = await context.newPage()
  const name = newName(stem)
  await page.goto(url + path)
  await signUp(page, name)
  return { name, context, page }
}

export async function signUp(page: Page, name: string): Promise<void> {
  const form = page.getByRole('form', { name: 'Make an account' })
  await form.getByLabel('Name').fill(name)
  await form.getByLabel('E-mail').fill(`${name}@people.example`)
  await form.getByLabel('Password', { exact: true }).fill(password)
  await form.getByRole('button', { name: 'Make the account' }).click()
  await expect(form).toBeHidden()
}

export async function signIn(page: Page, url: string, name: string, secret = password): Promise<void> {
  await page.goto(`${url}/sign-in`)
  const form = page.getByRole('form', { name: 'Sign in' })
  await form.getByLabel('Name or e-mail').fill(name)
  await form.getByLabel('Password', { exact: true }).fill(secret)
  await form.getByRole('button', { name: 'Sign in', exact: true }).click()
  await expect(form).toBeHidden()
}

export async function startCommunity(page: Page, name: string): Promise<void> {
  await page.getByRole('button', { name: 'Start or join a community' }).click()
  const dialog = page.getByRole('dialog', { name: 'Start a community' })
  await dialog.getByLabel('Name').fill(name)
  await dialog.getByRole('button', { name: 'Start it' }).click()
  await expect(dialog).toBeHidden()
  await expect(heading(page, 'general')).toBeVisible()
}

/** The name of the channel that is open. */
export function heading(page: Page, channel: string) {
  return page.getByRole('heading', { level: 1, name: channel })
}

export async function makeInvite(page: Page, community: string): Promise<string> {
  await menu(page, `Menu of ${community}`, 'Make an invite link…')
  await page.getByRole('button', { name: 'Make the link' }).click()
  const link = await page.getByLabel('Invite link').inputValue()
  await page.getByRole('button', { name: 'Close', exact: true }).click()
  return link
}

export async function menu(page: Page, button: string, item: string): Promise<void> {
  await page.getByRole('button', { name: button }).first().click()
  await page.getByRole('menuitem', { name: item }).click()
}

export async function joinBy(page: Page, link: string): Promise<void> {
  await page.goto(link)
  await page.getByRole('button', { name: 'Come in' }).click()
  await expect(page.getByRole('heading', { level: 1, name: 'general' })).toBeVisible()
}

export async function makeChannel(page: Page, name: string): Promise<void> {
  await page.getByRole('button', { name: 'Make a channel' }).click()
  const dialog = page.getByRole('dialog', { name: 'Make a channel' })
  await dialog.getByLabel('Channel name').fill(name)
  await dialog.getByRole('button', { name: 'Make it' }).click()
  await expect(heading(page, name)).toBeVisible()
}

/** The channel's row in the list. */
export function channelRow(page: Page, name: string) {
  return page.getByRole('navigation', { name: /^Channels of/ }).getByRole('link', { name: new RegExp(`^${name}`) })
}

export function composer(page: Page) {
  return page.getByRole('form', { name: 'Write a message' }).getByRole('textbox')
}

export async function write(page: Page, words: string): Promise<void> {
  await composer(page).fill(words)
  await composer(page).press('Enter')
  await expect(composer(page)).toHaveValue('')
}

/** The message with these words, as it stands in the log. */
export function message(page: Page, words: string) {
  return page.getByRole('article').filter({ hasText: words })
}

/** All words in the log, in order. */
export async function wordsOf(page: Page): Promise<string[]> {
  return page.locator('article .entry-text').allInnerTexts()
}

/** Nothing waits, and the relay is there. */
export async function inStep(page: Page): Promise<void> {
  await expect(page.locator('footer.own')).toContainText('In step')
}

/** Two people in one community; the first owns it. */
export async function pair(browser: Browser, url: string, community: string): Promise<[Person, Person]> {
  const owner = await newPerson(browser, url, 'own')
  await startCommunity(owner.page, community)
  const link = await makeInvite(owner.page, community)
  const guest = await newPerson(browser, url, 'gue')
  await joinBy(guest.page, link)
  return [owner, guest]
}
