import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect } from '@playwright/test'
import { newDataDir, startRelay } from '../fakes/relay-process.ts'
import { channelRow, message, signIn } from './people.ts'
import { test } from './relay.ts'

const seedCommand = fileURLToPath(new URL('../seed/run.ts', import.meta.url))

test('[SEED-1] the first data model is there to look at: two users, one server, two channels, one message', async ({
  browser,
}) => {
  const dataDir = newDataDir()
  const printed = execFileSync(process.execPath, [seedCommand, '--sample'], {
    env: { ...process.env, DATA_DIR: dataDir },
    encoding: 'utf8',
  })
  const secret = /password: +(\S+)/.exec(printed)?.[1] ?? ''
  const relay = await startRelay({}, dataDir)
  for (const name of ['dupe', 'dupette']) {
    const page = await (await browser.newContext()).newPage()
    await signIn(page, relay.url, name, secret)
    await page
      .getByRole('link', { name: /Sample Server/ })
      .first()
      .click()
    await expect(channelRow(page, 'voice')).toBeVisible()
    await channelRow(page, 'general').click()
    await expect(message(page, 'Hello, world!')).toContainText('dupe')
    await page.context().close()
  }
  await relay.remove()
})
