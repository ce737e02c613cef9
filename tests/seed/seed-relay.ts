// A relay in this process, on a data directory of its own: the real one, with a clock that is set and no network.
// Only an empty one is filled: what it writes lies in the past, and a relay's time never goes back.
import { type HttpSettings, httpDefaults } from '#relay/http/settings.ts'
import type { Hub } from '#relay/hub.ts'
import { type HubSettings, hubDefaults } from '#relay/hub-ports.ts'
import { createRelayLog } from '#relay/ops/log.ts'
import { openRelay } from '#relay/relay.ts'
import type { AccountStore } from '#relay/store/account-store.ts'
import type { CommunityStore } from '#relay/store/community-store.ts'
import type { LogStore } from '#relay/store/log-store.ts'
import { noRates } from '../fakes/no-rates.ts'

/** Set by whoever writes; the relay and the people read it. */
export interface SetClock {
  time: number
  now(): number
}

export interface SeedRelay {
  hub: Hub
  clock: SetClock
  accounts: AccountStore
  community: CommunityStore
  log: LogStore
  /** A `fetch` that is the relay itself. */
  fetch: typeof globalThis.fetch
  close(): Promise<void>
}

const often = { points: 1_000_000, seconds: 60 }
const httpSettings: HttpSettings = {
  ...httpDefaults,
  limits: { ...httpDefaults.limits, prelogin: often, registerPerAddress: often, registerPerDay: often, sockets: often },
}
const hubSettings: HubSettings = { ...hubDefaults, ...noRates }

/**
 * @param time where the clock begins, ms
 * @param durable each commit waits for the disk, as a relay's does; without it a year is written in seconds, and the end is durable
 * @throws {Error} a sentence for the operator, where the directory is in use or has accounts
 */
export async function openSeedRelay(dataDir: string, time: number, durable = false): Promise<SeedRelay> {
  const clock: SetClock = { time, now: () => clock.time }
  const relay = await openRelay({ dataDir, clock, log: createRelayLog('warn'), hub: hubSettings, http: httpSettings })
  if ((await relay.accounts.count()) > 0) {
    await relay.close()
    throw new Error(`the relay in ${dataDir} has accounts already; only an empty one is filled (DATA_DIR=… names another)`)
  }
  relay.database.waitForDisk(durable)
  return {
    hub: relay.hub,
    clock,
    accounts: relay.accounts,
    community: relay.community,
    log: relay.channels,
    fetch: async (input, init) => {
      const { signal: _signal, ...rest } = init ?? {}
      return relay.http.request(String(input), rest, { incoming: { socket: { remoteAddress: '127.0.0.1' } } })
    },
    close: async () => {
      // The checkpoint at the closing carries everything over, and this makes it wait for the disk.
      relay.database.waitForDisk(true)
      await relay.close()
    },
  }
}
