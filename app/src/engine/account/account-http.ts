// The relay's HTTP side as the account flows see it: an answer or a refusal, never an exception. The fetch that does it is the shell's.
import { isRefusalCode, type RefusalCode } from '#shared/protocol/refusals.ts'

export type HttpAnswer =
  | { ok: true; value: unknown }
  /** `retryAfterS` 0 where the relay named no time. */
  | { ok: false; code: RefusalCode; retryAfterS: number }

export interface AccountHttp {
  post(path: string, body: unknown, token?: string): Promise<HttpAnswer>
}

/** A relay that is busy with digests answers within seconds; after this it is as good as away. */
const answerTimeoutMs = 30_000

export function createFetchHttp(fetch: typeof globalThis.fetch): AccountHttp {
  return {
    async post(path, body, token) {
      const headers: Record<string, string> = { 'content-type': 'application/json' }
      if (token !== undefined) headers.authorization = `Bearer ${token}`
      let response: Response
      let json: unknown
      try {
        response = await fetch(path, {
          method: 'POST',
          headers,
          body: JSON.stringify(body),
          cache: 'no-store',
          credentials: 'omit',
          redirect: 'error',
          signal: AbortSignal.timeout(answerTimeoutMs),
        })
        const text = await response.text()
        json = text === '' ? undefined : readJson(text)
      } catch {
        return { ok: false, code: 'offline', retryAfterS: 0 } // no network, no relay, or an answer that broke off: the same to a person
      }
      return response.ok ? { ok: true, value: json } : readRefusal(response.status, json)
    },
  }
}

function readRefusal(status: number, json: unknown): HttpAnswer {
  const { code, retryAfterS } = typeof json === 'object' && json !== null ? fieldsOf(json) : fieldsOf({})
  const wait = typeof retryAfterS === 'number' && Number.isFinite(retryAfterS) ? Math.max(0, Math.ceil(retryAfterS)) : 0
  if (isRefusalCode(code)) return { ok: false, code, retryAfterS: wait }
  // A proxy before a relay that is away answers in its stead, and not in our words.
  return { ok: false, code: status === 502 || status === 503 || status === 504 ? 'offline' : 'internal', retryAfterS: wait }
}

function fieldsOf(json: object): { code?: unknown; retryAfterS?: unknown } {
  return json
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
