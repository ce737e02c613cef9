import { expect } from '@playwright/test'
import { newName, newPerson, password, signIn, signUp } from './people.ts'
import { test } from './relay.ts'

test('[ACC-1] one signs up, is in, and stays in after a reload and in a new tab', async ({ browser, relay }) => {
  const { page, context, name } = await newPerson(browser, relay.url, 'ada')
  await expect(page.getByText(`Good, you are in, ${name}`)).toBeVisible()
  await page.reload()
  await expect(page.locator('footer.own')).toContainText(name)
  await page.close()
  const again = await context.newPage()
  await again.goto(relay.url)
  await expect(again.locator('footer.own')).toContainText(name)
  await context.close()
})

test('[ACC-2] what is wrong at sign-up is said at its field, and nothing typed is lost', async ({ browser, relay }) => {
  const first = await newPerson(browser, relay.url, 'bea')
  const page = await (await browser.newContext()).newPage()
  await page.goto(`${relay.url}/sign-up`)
  const form = page.getByRole('form', { name: 'Make an account' })

  await form.getByRole('button', { name: 'Make the account' }).click()
  await expect(form.getByText('This does not look like an e-mail address.')).toBeVisible()
  await expect(form.getByText('Choose a password.')).toBeVisible()

  await form.getByLabel('Name').fill(first.name)
  await expect(form.getByText('Somebody has this name already.')).toBeVisible()
  const name = newName('bea')
  await form.getByLabel('Name').fill(name)
  await expect(form.getByText(`${name} is free.`)).toBeVisible()

  await form.getByLabel('E-mail').fill(`${first.name}@PEOPLE.example`)
  await form.getByLabel('Password', { exact: true }).fill('password1234')
  await form.getByRole('button', { name: 'Make the account' }).click()
  await expect(form.getByText('This would be guessed.')).toBeVisible()
  await form.getByLabel('Password', { exact: true }).fill(password)
  await form.getByRole('button', { name: 'Make the account' }).click()
  await expect(form.getByText('This e-mail address already has an account.')).toBeVisible()
  await expect(form.getByLabel('Name')).toHaveValue(name)
  await page.context().close()
  await first.context.close()
})

test('[ACC-3] a wrong password is refused in words that do not say which half was wrong', async ({ browser, relay }) => {
  const { name, context } = await newPerson(browser, relay.url, 'cid')
  const page = await (await browser.newContext()).newPage()
  for (const login of [name, newName('nobody')]) {
    await page.goto(`${relay.url}/sign-in`)
    await page.getByLabel('Name or e-mail').fill(login)
    await page.getByLabel('Password', { exact: true }).fill('not the password')
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await expect(page.getByRole('alert')).toContainText('Name or password is wrong.')
  }
  await page.context().close()
  await context.close()
})

test('[ACC-4] signing out clears the device, and signing in brings everything back', async ({ browser, relay }) => {
  const { page, name, context } = await newPerson(browser, relay.url, 'dee')
  await page.getByRole('button', { name: 'Settings' }).click()
  await page.getByRole('menuitem', { name: /Sign out/ }).click()
  await expect(page.getByRole('form', { name: 'Sign in' })).toBeVisible()
  const left = await page.evaluate(async () => (await indexedDB.databases()).map((one) => one.name))
  expect(left.filter((one) => one?.startsWith('dupecord-'))).toEqual([])
  await signIn(page, relay.url, name)
  await expect(page.locator('footer.own')).toContainText(name)
  await context.close()
})

test('[ACC-5] the browser may restart: storage alone keeps one signed in', async ({ playwright, relay }, info) => {
  const profile = info.outputPath('profile')
  const options = info.project.use.launchOptions ?? {}
  const first = await playwright.chromium.launchPersistentContext(profile, options)
  const name = newName('eli')
  const page = await first.newPage()
  await page.goto(`${relay.url}/sign-up`)
  await signUp(page, name)
  await expect(page.locator('footer.own')).toContainText(name)
  await first.close()
  const second = await playwright.chromium.launchPersistentContext(profile, options)
  const again = await second.newPage()
  await again.goto(relay.url)
  await expect(again.locator('footer.own')).toContainText(name)
  await second.close()
})
