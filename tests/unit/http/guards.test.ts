import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { parseSpaceId } from '#shared/base/ids.ts'
import { createMemoryAccountStore } from '../../fakes/memory-account-store.ts'
import { createHttpWorld } from './http-world.ts'

const posts = ['/api/prelogin', '/api/register', '/api/login', '/api/username', '/api/devices', '/api/sign-out', '/api/invite']
const policy = "default-src 'none'; script-src 'self' 'sha256-abc='"

const pages = mkdtempSync(join(tmpdir(), 'dupecord-pages-'))
afterAll(() => rmSync(pages, { recursive: true }))
mkdirSync(join(pages, '_app/immutable'), { recursive: true })
writeFileSync(
  join(pages, 'index.html'),
  `<meta http-equiv="content-security-policy" content="${policy.replaceAll("'", '&#39;')}"><p>shell`,
)
writeFileSync(join(pages, '_app/immutable/a.js'), 'export {}')
writeFileSync(join(pages, '_app/immutable/a.js.br'), 'compressed')

test('[WEB-1, check 28] a route that changes something takes JSON only', async () => {
  const world = await createHttpWorld()
  for (const path of posts)
    for (const type of [
      '',
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'application/jsonp',
    ]) {
      const answer = await world.request('POST', path, '{}', { type })
      expect([path, type, answer.status, answer.json]).toEqual([path, type, 415, { code: 'shape' }])
    }
  expect(
    (await world.request('POST', '/api/username', '{"username":"dupe"}', { type: 'application/json; charset=utf-8' })).status,
  ).toBe(200)
})

test('[WEB-2, check 28] and, where it is a person’s, the token', async () => {
  const world = await createHttpWorld()
  for (const path of ['/api/devices', '/api/sign-out'])
    for (const token of [undefined, '', 'A'.repeat(43)]) {
      const answer = await world.request('POST', path, '{}', token === undefined ? {} : { token })
      expect([answer.status, answer.json]).toEqual([401, { code: 'unauthorized' }])
    }
})

test('[WEB-3, check 32] a body is bounded, told or not, and bad JSON is a refusal', async () => {
  const world = await createHttpWorld()
  const long = await world.request('POST', '/api/prelogin', JSON.stringify({ login: 'x'.repeat(20_000) }))
  expect([long.status, long.json]).toEqual([413, { code: 'size' }])
  for (const body of [
    '',
    '{',
    'null',
    '[]',
    '"x"',
    '{"login":1}',
    '{"login":null}',
    `{"login":"${'x'.repeat(2000)}"}`,
    '['.repeat(9000),
  ]) {
    const answer = await world.request('POST', '/api/prelogin', body)
    expect([body.slice(0, 20), answer.status, answer.json]).toEqual([body.slice(0, 20), 400, { code: 'shape' }])
  }
  expect(world.failures).toEqual([])
})

test('[WEB-4, check 23, check 26, check 29] every answer carries its headers; no other origin is let in', async () => {
  const world = await createHttpWorld({ pages })
  const answers = [
    await world.request('GET', '/', undefined),
    await world.request('GET', '/nothing.js', undefined),
    await world.request('GET', '/api/health', undefined),
    await world.request('POST', '/api/login', '{}'),
    await world.request('POST', '/api/nothing', '{}'),
    await world.request('OPTIONS', '/api/login', undefined),
  ]
  for (const { headers } of answers) {
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('referrer-policy')).toBe('no-referrer')
    expect(headers.get('cross-origin-opener-policy')).toBe('same-origin')
    expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
    expect(headers.get('strict-transport-security')).toBeNull()
    expect(headers.get('access-control-allow-origin')).toBeNull()
    expect(headers.get('set-cookie')).toBeNull()
  }
  const secure = await createHttpWorld({ settings: { tls: true } })
  const { headers } = await secure.request('GET', '/api/health', undefined)
  expect(headers.get('strict-transport-security')).toBe('max-age=31536000')
})

test('[WEB-5, check 24] the page’s own policy goes out as a header, on scripts too; the shell serves every place of the app', async () => {
  const world = await createHttpWorld({ pages })
  for (const path of ['/', '/sign-in', '/c/abc/def']) {
    const answer = await world.request('GET', path, undefined)
    expect([path, answer.status]).toEqual([path, 200])
    expect(answer.text).toContain('shell')
    expect(answer.headers.get('content-security-policy')).toBe(`${policy}; frame-ancestors 'none'`)
    expect(answer.headers.get('cache-control')).toBe('no-cache')
  }
  const script = await world.request('GET', '/_app/immutable/a.js', undefined)
  expect(script.headers.get('content-security-policy')).toBe(`${policy}; frame-ancestors 'none'`)
  expect(script.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
  for (const path of ['/x.js', '/_app/immutable/b', '/api/x', '/../package.json', '/%2e%2e/package.json'])
    expect([path, (await world.request('GET', path, undefined)).status]).toEqual([path, 404])
})

test('[WEB-6] a page without a policy ends the start', async () => {
  const bare = mkdtempSync(join(tmpdir(), 'dupecord-bare-'))
  writeFileSync(join(bare, 'index.html'), '<p>no policy')
  await expect(createHttpWorld({ pages: bare })).rejects.toThrow('no content security policy')
  rmSync(bare, { recursive: true })
})

test('[WEB-7] health says what its port says, 503 when it is bad', async () => {
  let isWell = true
  const world = await createHttpWorld({ pages, health: async () => ({ ok: isWell, commits: 7 }) })
  for (const path of ['/health', '/api/health'])
    expect([(await world.request('GET', path, undefined)).json, path]).toEqual([{ ok: true, commits: 7 }, path])
  isWell = false
  for (const path of ['/health', '/api/health']) expect((await world.request('GET', path, undefined)).status).toBe(503)
})

test('[WEB-8] an invite is shown to anybody; a session without a device counts as nobody', async () => {
  const space = parseSpaceId('AAAAAAAAAAAAAAAAAAAAAA')
  if (!space) throw new Error('an id')
  const asked: (string | undefined)[] = []
  const world = await createHttpWorld({
    previewInvite: async (code, viewer) => {
      asked.push(viewer)
      const joined = viewer !== undefined
      return code === 'B'.repeat(22) ? { space, name: 'Sample Server', members: 2, from: 'dupe', joined } : undefined
    },
  })
  const dupe = world.person('dupe')
  await world.register(dupe)
  const { token } = (await world.login(dupe)).json
  const code = 'B'.repeat(22)
  const sight = { space, name: 'Sample Server', members: 2, from: 'dupe' }
  expect((await world.post('/api/invite', { code })).json).toEqual({ ...sight, joined: false })
  expect((await world.post('/api/invite', { code }, { token })).json).toEqual({ ...sight, joined: false })
  await world.certify(dupe, token)
  expect((await world.post('/api/invite', { code }, { token })).json).toEqual({ ...sight, joined: true })
  expect(asked).toEqual([undefined, undefined, dupe.account])
  for (const wrong of ['C'.repeat(22), 'B', '', 7]) {
    const answer = await world.post('/api/invite', { code: wrong })
    expect([answer.status, answer.json]).toEqual([404, { code: 'invite' }])
  }
})

test('[WEB-9] what breaks is written down and told as such, a full disk by its name', async () => {
  const broken = (error: Error) => ({ ...createMemoryAccountStore(), byUsername: () => Promise.reject(error) })
  const bug = await createHttpWorld({ store: broken(new Error('secret details')) })
  const answer = await bug.post('/api/prelogin', { login: 'dupe' })
  expect([answer.status, answer.text]).toEqual([500, '{"code":"internal"}'])
  expect(bug.failures).toHaveLength(1)
  const full = await createHttpWorld({ store: broken(Object.assign(new Error('disk'), { errcode: 13 })) })
  expect((await full.post('/api/prelogin', { login: 'dupe' })).json).toEqual({ code: 'disk_full' })
})
