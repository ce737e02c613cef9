// One relay for every Playwright worker; a test that stops its relay starts one of its own.
import { test as base } from '@playwright/test'
import { type RelayProcess, startRelay } from '../fakes/relay-process.ts'

export const test = base.extend<object, { relay: RelayProcess }>({
  relay: [
    async ({}, use) => {
      const relay = await startRelay()
      await use(relay)
      await relay.remove()
    },
    { scope: 'worker' },
  ],
})
