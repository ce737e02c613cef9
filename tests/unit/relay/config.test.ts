// What an operator may set, and what he is told.
import { expect, test } from 'vitest'
import { describeConfig, limitNames, readConfig } from '#relay/config.ts'
import { httpDefaults } from '#relay/http/settings.ts'
import { hubDefaults } from '#relay/hub-ports.ts'

test('nothing set gives the defaults, on this machine only', () => {
  const config = readConfig({ PATH: '/bin' })
  expect(config).toMatchObject({
    host: '127.0.0.1',
    port: 8800,
    publicUrl: '',
    origins: [],
    hub: hubDefaults,
    http: httpDefaults,
  })
  expect(config.dataDir).toMatch(/\/data$/)
})

test('every limit has its variable, and it is heard', () => {
  const { numbers, rates } = limitNames()
  expect(numbers.size).toBeGreaterThan(20)
  const config = readConfig({
    LIMIT_ENTRY_BURST: '5',
    LIMIT_SESSION_IDLE_MS: '1000',
    LIMIT_DIGEST_MEMORY_KIB: '8',
    LIMIT_BODY_BYTES_MAX: '99',
    LIMIT_PRELOGIN: '7/60',
  })
  expect(config.hub.entryBurst).toBe(5)
  expect(config.http).toMatchObject({ session: { idleMs: 1000 }, digest: { memoryKiB: 8 }, bodyBytesMax: 99 })
  expect(config.http.limits.prelogin).toEqual({ points: 7, seconds: 60 })
  const all = Object.fromEntries([
    ...[...numbers.keys()].map((name) => [name, '17']),
    ...[...rates.keys()].map((name) => [name, '17/18']),
  ])
  const changed = readConfig(all)
  expect(new Set(Object.values(changed.hub))).toEqual(new Set([17]))
  expect(new Set(Object.values(changed.http.session))).toEqual(new Set([17]))
  expect(new Set(Object.values(changed.http.digest))).toEqual(new Set([17]))
  for (const rate of Object.values(changed.http.limits)) expect(rate).toEqual({ points: 17, seconds: 18 })
})

test.each([
  ['PORT', '88OO'],
  ['PORT', '70000'],
  ['PUBLIC_URL', 'chat.example.org'],
  ['PUBLIC_URL', 'https://chat.example.org/path'],
  ['ORIGINS', 'nonsense'],
  ['LOG_LEVEL', 'loud'],
  ['LIMIT_PRELOGIN', '30'],
  ['LIMIT_PRELOGIN', '30/0'],
  ['LIMIT_ENTRY_BURST', '-1'],
  ['LIMIT_ENTRIES_BURST', '5'],
])('%s=%s stops the start, by its name', (name, value) => {
  expect(() => readConfig({ [name]: value })).toThrow(name)
})

test('behind a proxy with a certificate', () => {
  const config = readConfig({
    PUBLIC_URL: 'https://chat.example.org/',
    ORIGINS: 'https://a.example, https://b.example',
    TRUSTED_PROXIES: '10.0.0.0/8',
  })
  expect(config).toMatchObject({ publicUrl: 'https://chat.example.org', origins: ['https://a.example', 'https://b.example'] })
  expect(config.http).toMatchObject({ tls: true, trustedProxies: ['10.0.0.0/8'] })
})

test('the first line is the address; what is not set up is said', () => {
  const env = { PORT: '0', HOST: '127.0.0.1' }
  const lines = describeConfig(readConfig(env), 4711, env)
  expect(lines[0]).toContain('http://localhost:4711')
  expect(lines.join('\n')).toMatch(/mail +not set up/)
  expect(lines.join('\n')).toMatch(/TLS +not set up/)
  const open = { HOST: '0.0.0.0' }
  expect(describeConfig(readConfig(open), 8800, open)[0]).toContain('http://0.0.0.0:8800')
  expect(describeConfig(readConfig(open), 8800, open).join('\n')).toContain('browsers refuse')
  const proxied = { PUBLIC_URL: 'https://chat.example.org' }
  expect(describeConfig(readConfig(proxied), 8800, proxied).join('\n')).toContain('by the proxy')
})
