// The environment, read once and strictly: what cannot be read, or is not known, stops the start with a sentence that names it.
import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { type HttpSettings, httpDefaults, type RateLimit } from './http/settings.ts'
import { type HubSettings, hubDefaults } from './hub-ports.ts'

export interface Config {
  dataDir: string
  host: string
  /** 0: any free one. */
  port: number
  /** Where people reach the relay, as an origin; '' = on this machine only, as far as it knows. */
  publicUrl: string
  /** Other origins whose pages may open the socket. */
  origins: string[]
  logLevel: LogLevel
  /** Threads beside the relay's own that check signatures. */
  verifyThreads: number
  hub: HubSettings
  http: HttpSettings
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

const logLevels: readonly string[] = ['debug', 'info', 'warn', 'error', 'silent'] satisfies LogLevel[]
const plainNames = [
  'DATA_DIR',
  'HOST',
  'PORT',
  'PUBLIC_URL',
  'ORIGINS',
  'TRUSTED_PROXIES',
  'LOG_LEVEL',
  'VERIFY_THREADS',
  'METRICS_TOKEN',
]
/** Not to be printed. */
const secretNames = ['METRICS_TOKEN']
const limitPrefix = 'LIMIT_'

/** Every limit has its variable: `entryBurst` is LIMIT_ENTRY_BURST=300, `prelogin` is LIMIT_PRELOGIN=30/60 (how many / in seconds). */
export function limitNames(): { numbers: ReadonlyMap<string, number>; rates: ReadonlyMap<string, RateLimit> } {
  const { limits, session, digest, bodyBytesMax, entryPostBytesMax, newcomersPerAddressMax } = httpDefaults
  const plain = { bodyBytesMax, entryPostBytesMax, newcomersPerAddressMax }
  const numbers = { ...hubDefaults, ...sessionNames(session), ...digestNames(digest), ...plain }
  const named = <Value>(values: Record<string, Value>) =>
    new Map(Object.entries(values).map(([name, value]) => [variableOf(name), value]))
  return { numbers: named<number>(numbers), rates: named<RateLimit>({ ...limits }) }
}

/** @throws {Error} a sentence for the operator */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const given = (name: string) => env[name]?.trim() ?? ''
  const { numbers, rates } = limitNames()
  for (const name of Object.keys(env))
    if (name.startsWith(limitPrefix) && !numbers.has(name) && !rates.has(name)) throw new Error(`${name} is not a setting`)

  const number = (key: string, fallback: number) => {
    const raw = given(variableOf(key))
    return raw === '' ? fallback : wholeNumber(variableOf(key), raw, 1, Number.MAX_SAFE_INTEGER)
  }
  const numbersOf = <Settings extends object>(defaults: Settings, rename = (key: string) => key): Settings => ({
    ...defaults,
    ...Object.fromEntries(
      Object.entries(defaults)
        .filter(([, value]) => typeof value === 'number')
        .map(([key, value]) => [key, number(rename(key), value)]),
    ),
  })
  const rate = ([key, fallback]: [string, RateLimit]) => [key, readRate(variableOf(key), given(variableOf(key)), fallback)]

  const publicUrl = given('PUBLIC_URL') === '' ? '' : originOf('PUBLIC_URL', given('PUBLIC_URL'))
  return {
    dataDir: resolve(given('DATA_DIR') || './data'),
    host: given('HOST') || '127.0.0.1',
    port: given('PORT') === '' ? 8800 : wholeNumber('PORT', given('PORT'), 0, 65_535),
    publicUrl,
    origins: listOf(given('ORIGINS')).map((origin) => originOf('ORIGINS', origin)),
    logLevel: readLogLevel(given('LOG_LEVEL')),
    verifyThreads: given('VERIFY_THREADS') === '' ? spareCores() : wholeNumber('VERIFY_THREADS', given('VERIFY_THREADS'), 0, 64),
    hub: numbersOf(hubDefaults),
    http: {
      ...numbersOf(httpDefaults),
      limits: { ...httpDefaults.limits, ...Object.fromEntries(Object.entries(httpDefaults.limits).map(rate)) },
      session: numbersOf(httpDefaults.session, sessionKey),
      digest: numbersOf(httpDefaults.digest, digestKey),
      metricsToken: readToken('METRICS_TOKEN', given('METRICS_TOKEN')),
      trustedProxies: listOf(given('TRUSTED_PROXIES')),
      tls: publicUrl.startsWith('https:'),
    },
  }
}

/** What an operator sees at the start. The first line is the address; then what lies where, what was changed, and what is not set up. */
export function describeConfig(config: Config, port: number, env: Readonly<Record<string, string | undefined>>): string[] {
  const isLocal = ['127.0.0.1', '::1', 'localhost'].includes(config.host)
  const shown = isLocal ? 'localhost' : config.host.includes(':') ? `[${config.host}]` : config.host
  const changed = Object.keys(env).filter((name) => plainNames.includes(name) || name.startsWith(limitPrefix))
  const lines = [
    `dupecord is at http://${shown}:${port}${config.publicUrl ? `, for others at ${config.publicUrl}` : ''}`,
    `  data      ${config.dataDir}`,
    `  settings  ${changed.length > 0 ? changed.map((name) => `${name}=${secretNames.includes(name) ? '…' : env[name]}`).join(' ') : 'all as they come (relay/README.md)'}`,
    '  mail      not set up: accounts work without it, addresses stay unconfirmed',
  ]
  if (config.http.tls) lines.push('  TLS       by the proxy at PUBLIC_URL')
  else if (isLocal)
    lines.push('  TLS       not set up: only browsers on this machine can use it (PUBLIC_URL=https://… behind a proxy)')
  else lines.push('  TLS       not set up: browsers refuse what the app needs on http:// addresses other than localhost')
  return lines
}

/** One thread keeps up with what the relay's own can do beside it. */
function spareCores(): number {
  return Math.min(1, availableParallelism() - 1)
}

function sessionKey(key: string): string {
  return `session${key.charAt(0).toUpperCase()}${key.slice(1)}`
}

function digestKey(key: string): string {
  return `digest${key.charAt(0).toUpperCase()}${key.slice(1)}`
}

function sessionNames(values: HttpSettings['session']): Record<string, number> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [sessionKey(key), value]))
}

function digestNames(values: HttpSettings['digest']): Record<string, number> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [digestKey(key), value]))
}

/** `entryBurst` → LIMIT_ENTRY_BURST, `digestMemoryKiB` → LIMIT_DIGEST_MEMORY_KIB */
function variableOf(key: string): string {
  return (
    limitPrefix +
    key
      .replace(/([a-z])([A-Z])/g, '$1_$2')
      .toUpperCase()
      .replace('KI_B', 'KIB')
  )
}

function wholeNumber(name: string, raw: string, least: number, most: number): number {
  const value = /^\d+$/.test(raw) ? Number(raw) : Number.NaN
  if (!(value >= least && value <= most)) throw new Error(`${name}=${raw} is not a whole number from ${least} to ${most}`)
  return value
}

function readRate(name: string, raw: string, fallback: RateLimit): RateLimit {
  if (raw === '') return fallback
  const [points = '', seconds = '', ...rest] = raw.split('/')
  if (rest.length > 0 || seconds === '') throw new Error(`${name}=${raw} is not of the form 30/60 (how many / in seconds)`)
  return { points: wholeNumber(name, points, 1, 1e9), seconds: wholeNumber(name, seconds, 1, 1e9) }
}

function readToken(name: string, raw: string): string {
  if (raw !== '' && !/^[\w.~+/=-]{16,200}$/.test(raw))
    throw new Error(`${name} is not a token of 16 to 200 letters and figures (one is made by: openssl rand -base64 24)`)
  return raw
}

function originOf(name: string, raw: string): string {
  const url = URL.parse(raw)
  if (!url || !/^https?:$/.test(url.protocol) || url.pathname !== '/' || url.search !== '' || url.hash !== '')
    throw new Error(`${name}=${raw} is not an address like https://chat.example.org`)
  return url.origin
}

function listOf(raw: string): string[] {
  return raw.split(/[\s,]+/).filter((part) => part !== '')
}

function readLogLevel(raw: string): LogLevel {
  const isLogLevel = (level: string): level is LogLevel => logLevels.includes(level)
  if (raw === '') return 'info'
  if (isLogLevel(raw)) return raw
  throw new Error(`LOG_LEVEL=${raw} is none of ${logLevels.join(' ')}`)
}
