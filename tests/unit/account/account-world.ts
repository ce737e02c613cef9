// A device's account flows against the relay's real HTTP side, in one process: what one sends, the other answers. Only the slow hash is cheap.
import { type AccountHttp, createFetchHttp } from '#app/engine/account/account-http.ts'
import type { AccountPorts } from '#app/engine/account/account-ports.ts'
import { makeDeviceKey } from '#app/platform/device-key.ts'
import { createPrng } from '#shared/base/prng.ts'
import type { RefusalCode } from '#shared/protocol/refusals.ts'
import { createHttpWorld, type HttpWorld } from '../http/http-world.ts'

export interface Posted {
  path: string
  body: Record<string, unknown>
  token: string | undefined
}

export async function createAccountWorld(given: Parameters<typeof createHttpWorld>[0] = {}) {
  const relay = await createHttpWorld(given)
  const posted: Posted[] = []
  const line = { cut: undefined as 'before' | 'after' | undefined, path: '' }
  const real = createFetchHttp(fetchInto(relay))
  const http: AccountHttp = {
    async post(path, body, token) {
      // reason: the flows send objects; the tests look at their fields
      posted.push({ path, body: body as Record<string, unknown>, token })
      const isCut = line.cut !== undefined && (line.path === '' || line.path === path)
      if (isCut && line.cut === 'before') return { ok: false, code: 'offline', retryAfterS: 0 }
      const answer = await real.post(path, body, token)
      return isCut ? { ok: false, code: 'offline', retryAfterS: 0 } : answer
    },
  }
  const random = createPrng(11)
  const sodium = async () => relay.sodium
  const ports: AccountPorts = {
    http,
    clock: relay.clock,
    random,
    sodium,
    deviceKey: () => makeDeviceKey({ subtle: undefined, random, sodium, keeps: async () => false }),
    isStrongPassword: async (password) => !password.startsWith('password'),
    stretch: { passes: 3, memoryKiB: 65_536 },
  }
  return {
    relay,
    ports,
    posted,
    /** Cut the line: the relay never hears (`before`), or its answer is lost (`after`); '' = on every path. */
    cut(when: 'before' | 'after' | undefined, path = '') {
      line.cut = when
      line.path = path
    },
  }
}

/** A `fetch` that is the relay itself. */
export function fetchInto(relay: Pick<HttpWorld, 'http'>): typeof fetch {
  return async (input, init) => {
    const env = { incoming: { socket: { remoteAddress: '192.0.2.1' } } }
    const { signal: _signal, ...rest } = init ?? {}
    return relay.http.request(String(input), rest, env)
  }
}

/** The code of a refusal, or 'ok'. */
export function codeOf(answer: { ok: true } | { ok: false; code: RefusalCode }): RefusalCode | 'ok' {
  return answer.ok ? 'ok' : answer.code
}
