// From opening the app with the relay gone to the last messages of a channel on screen, in Chromium, beside an empty page of the same origin
// that comes the same way: from the service worker's cache.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type BrowserContext, chromium, type Page } from '@playwright/test'
import { findChromium } from '#relay/find-chromium.mjs'
import type { RelayProcess } from '../fakes/relay-process.ts'
import { type Figure, median } from './figures.ts'

const runs = 5

export interface Visit {
  username: string
  password: string
  /** With more than 50 posts, read to the end. */
  path: string
}

/** What the page says of itself; times in ms from the start of the navigation. */
interface Shown {
  firstPaintMs: number
  /** The newest message was there for the first time. */
  shownMs: number
  /** Everything had come to stand as it stayed. */
  stillMs: number
  inView: number
  drawn: number
}

/** @param relay running; it is stopped here */
export async function measureOfflineOpening(relay: RelayProcess, { username, password, path }: Visit): Promise<Figure[]> {
  const profile = mkdtempSync(join(tmpdir(), 'dupecord-profile-'))
  const executablePath = findChromium()
  const context = await chromium.launchPersistentContext(profile, {
    ...(executablePath ? { executablePath } : {}),
    viewport: { width: 1440, height: 900 },
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
  })
  try {
    await context.addInitScript({ path: fileURLToPath(new URL('page-clock.mjs', import.meta.url)) })
    const firstVisit = await fetchAll(context, relay.url, username, password)
    await relay.stop()

    const [app, empty]: [Shown[], Shown[]] = [[], []]
    for (let run = 0; run < runs; run++) {
      app.push(await open(context, relay.url + path, true))
      empty.push(await open(context, relay.url + path, false))
    }
    const { inView = 0, drawn = 0 } = app.at(-1) ?? {}
    return [
      {
        name: 'first visit online: all held',
        value: firstVisit,
        unit: 'ms',
        note: 'from “Sign in” until every channel’s history is on the device',
      },
      opening('messages on screen', app, 'shownMs', `the newest of ${inView} in view and ${drawn} drawn`),
      opening('all stands still', app, 'stillMs', 'no message in view changes any more'),
      opening('first paint', app, 'firstPaintMs', 'of anything'),
      opening('empty page (peer)', empty, 'shownMs', 'same origin, same service worker, its one line on screen'),
    ]
  } finally {
    await context.close()
    rmSync(profile, { recursive: true, force: true })
  }
}

function opening(name: string, shown: readonly Shown[], time: 'shownMs' | 'stillMs' | 'firstPaintMs', note: string): Figure {
  const times = shown.map((one) => one[time])
  const all = times.map((ms) => Math.round(ms)).join(' ')
  return { name: `offline opening: ${name}`, value: median(times), unit: 'ms', note: `median of ${all}: ${note}` }
}

async function fetchAll(context: BrowserContext, url: string, username: string, password: string): Promise<number> {
  const page = await context.newPage()
  await page.goto(`${url}/sign-in`)
  const form = page.getByRole('form', { name: 'Sign in' })
  await form.getByLabel('Name or e-mail').fill(username)
  await form.getByLabel('Password', { exact: true }).fill(password)
  const start = performance.now()
  await form.getByRole('button', { name: 'Sign in', exact: true }).click()
  await form.waitFor({ state: 'hidden' })
  await ask(page, 'allHeld()')
  const ms = performance.now() - start
  await page.close()
  return ms
}

/** One opening in a page of its own; the next one gets an empty shell, or the app's again. */
async function open(context: BrowserContext, url: string, nextIsEmpty: boolean): Promise<Shown> {
  const page = await context.newPage()
  await page.goto(url)
  const shown = await ask<Shown>(page, 'shown()')
  await ask(page, `showEmpty(${nextIsEmpty})`)
  await page.close()
  return shown
}

function ask<Answer>(page: Page, call: string): Promise<Answer> {
  return page.evaluate<Answer>(`window.pageClock.${call}`)
}
