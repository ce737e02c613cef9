import AxeBuilder from '@axe-core/playwright'
import { expect, type Page } from '@playwright/test'
import { newPerson, startCommunity, write } from './people.ts'
import { test } from './relay.ts'

/** What the page's policy forbade, and what it threw. */
function troubles(page: Page): string[] {
  const seen: string[] = []
  page.on('console', (one) => {
    if (/content security policy|trusted/i.test(one.text())) seen.push(one.text())
  })
  page.on('pageerror', (error) => seen.push(error.message))
  return seen
}

test('[SEC-24] [SEC-25] no policy is violated from sign-up to the first message, and text never becomes markup or a script', async ({
  browser,
  relay,
}) => {
  const page = await (await browser.newContext()).newPage()
  const seen = troubles(page)
  await page.goto(relay.url)
  await page.context().close()
  const person = await newPerson(browser, relay.url, 'pol')
  const more = troubles(person.page)
  await startCommunity(person.page, 'Strict Policy')
  await write(person.page, 'within bounds')
  const markup = person.page.evaluate(() => {
    document.body.innerHTML = '<p>'
  })
  await expect(markup).rejects.toThrow(/TrustedHTML/)
  await expect(person.page.evaluate(() => void new Worker('/x.js'))).rejects.toThrow(/TrustedScriptURL/)
  const headers = (await person.page.request.get(person.page.workers()[0]?.url() ?? '')).headers()
  expect(headers['content-security-policy']).toContain("require-trusted-types-for 'script'")
  expect(headers['content-security-policy']).toContain("'wasm-unsafe-eval'")
  expect([...seen, ...more.filter((one) => !/TrustedHTML|TrustedScriptURL/.test(one))]).toEqual([])
  await person.context.close()
})

test('[A11Y-1] no screen has a fault that axe can find, dark and light', async ({ browser, relay }) => {
  const person = await newPerson(browser, relay.url, 'axe')
  await check(person.page)
  await startCommunity(person.page, 'For Everyone')
  await write(person.page, 'readable by all')
  for (const colorScheme of ['dark', 'light'] as const) {
    await person.page.emulateMedia({ colorScheme })
    await check(person.page)
  }
  await person.page.setViewportSize({ width: 390, height: 844 })
  await check(person.page)
  await person.context.close()
})

async function check(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze()
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target).join(' ')}`)).toEqual([])
}
