import { expect, test } from 'vitest'
import { createLimiter } from '#relay/http/rate-limits.ts'
import { toBase64Url } from '#shared/base/bytes.ts'
import { createHttpWorld } from './http-world.ts'

const wrong = (login: string) => ({ login, authKey: toBase64Url(new Uint8Array(32)) })

test('[LIM-1, check 6] prelogin: thirty a minute from one address, then 429 with the seconds to wait', async () => {
  const world = await createHttpWorld()
  for (let i = 0; i < 30; i++) expect((await world.post('/api/prelogin', { login: 'x' })).status).toBe(200)
  const over = await world.post('/api/prelogin', { login: 'x' })
  expect([over.status, over.json]).toEqual([429, { code: 'too_many', retryAfterS: 2 }])
  expect(over.headers.get('retry-after')).toBe('2')
  expect((await world.post('/api/prelogin', { login: 'x' }, { address: '192.0.2.77' })).status).toBe(200)
  expect(world.events.at(-1)).toMatchObject({ event: 'limited', path: '/api/prelogin', address: '192.0.2.1' })
  world.clock.time += 2_000
  const later = [await world.post('/api/prelogin', { login: 'x' }), await world.post('/api/prelogin', { login: 'x' })]
  expect(later.map(({ status }) => status)).toEqual([200, 429])
  world.clock.time += 60_000
  for (let i = 0; i < 30; i++) expect((await world.post('/api/prelogin', { login: 'x' })).status).toBe(200)
})

test('[LIM-2, check 6, check 7] five wrong passwords for one account from one address; its owner elsewhere signs in', async () => {
  const world = await createHttpWorld()
  const dupe = world.person('dupe')
  await world.register(dupe)
  for (let i = 0; i < 5; i++) expect((await world.post('/api/login', wrong('dupe'))).status).toBe(401)
  const over = await world.login(dupe)
  expect([over.status, over.json]).toEqual([429, { code: 'too_many', retryAfterS: 180 }])
  expect((await world.login(dupe, { address: '198.51.100.9' })).status).toBe(200)
  world.clock.time += 180_000
  expect((await world.login(dupe)).status).toBe(200)
})

test('[LIM-3, check 6] twenty wrong passwords an hour from one address, whatever the accounts', async () => {
  const world = await createHttpWorld()
  for (let i = 0; i < 20; i++) expect((await world.post('/api/login', wrong(`name${i}`))).status).toBe(401)
  const over = await world.post('/api/login', wrong('another'))
  expect([over.status, over.json]).toEqual([429, { code: 'too_many', retryAfterS: 180 }])
})

test('[LIM-4, check 7] a device that is signed in is never locked out by wrong passwords', async () => {
  const world = await createHttpWorld()
  const dupe = world.person('dupe')
  await world.register(dupe)
  const { token } = (await world.login(dupe)).json
  await world.certify(dupe, token)
  for (let i = 0; i < 30; i++) await world.post('/api/login', wrong('dupe'))
  expect(await world.sessions.check(token)).toBeDefined()
})

test('[LIM-5, check 6] right passwords cost nothing and clear what was counted for the account', async () => {
  const world = await createHttpWorld()
  const dupe = world.person('dupe')
  await world.register(dupe)
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 4; i++) expect((await world.post('/api/login', wrong('dupe'))).status).toBe(401)
    expect((await world.login(dupe)).status).toBe(200)
  }
  for (let i = 0; i < 30; i++) expect((await world.login(dupe)).status).toBe(200)
})

test('[LIM-6, check 6] many guesses at once do not slip past the count', async () => {
  const world = await createHttpWorld({ settings: { digest: { passes: 1, memoryKiB: 8, atOnceMax: 100 } } })
  const answers = await Promise.all(Array.from({ length: 40 }, () => world.post('/api/login', wrong('dupe'))))
  expect(answers.filter(({ status }) => status === 401)).toHaveLength(5)
  expect(answers.filter(({ status }) => status === 429)).toHaveLength(35)
})

test('[LIM-7, check 6] five accounts an hour from one address; a taken name costs nothing, a taken address does', async () => {
  const world = await createHttpWorld()
  await world.register(world.person('dupe0'))
  for (let i = 0; i < 10; i++) expect((await world.register(world.person('dupe0'))).json.code).toBe('username_taken')
  const used = world.person('dupe1')
  used.body.email = 'dupe0@example.org'
  expect((await world.register(used)).json.code).toBe('email_taken')
  for (const name of ['dupe2', 'dupe3', 'dupe4']) expect((await world.register(world.person(name))).status).toBe(201)
  const over = await world.register(world.person('dupe5'))
  expect([over.status, over.json]).toEqual([429, { code: 'too_many', retryAfterS: 720 }])
  expect((await world.register(world.person('dupe5'), { address: '198.51.100.9' })).status).toBe(201)
})

test('[LIM-8, check 6] accounts a day, from wherever, by setting', async () => {
  const world = await createHttpWorld({ settings: { limits: { registerPerDay: { points: 2, seconds: 86_400 } } } })
  const register = (name: string, address: string) => world.register(world.person(name), { address })
  expect((await register('dupe1', '192.0.2.1')).status).toBe(201)
  expect((await register('dupe1', '192.0.2.2')).json.code).toBe('username_taken')
  expect((await register('dupe2', '192.0.2.3')).status).toBe(201)
  expect((await register('dupe3', '192.0.2.4')).json).toEqual({ code: 'too_many', retryAfterS: 43_200 })
})

test('[LIM-9, check 6] invites and names are looked up at most so often', async () => {
  const tight = { points: 2, seconds: 60 }
  const world = await createHttpWorld({ settings: { limits: { previews: tight, usernameChecks: tight } } })
  const code = 'A'.repeat(22)
  const looks = await Promise.all([1, 2, 3].map(() => world.post('/api/invite', { code })))
  expect(looks.map(({ status }) => status)).toEqual([404, 404, 429])
  const names = await Promise.all([1, 2, 3].map(() => world.post('/api/username', { username: 'dupe' })))
  expect(names.map(({ status }) => status)).toEqual([200, 200, 429])
})

test('[LIM-10, check 6] over eight digests at once is `busy`, and costs no try', async () => {
  const world = await createHttpWorld({
    settings: {
      limits: { loginFailuresPerLogin: { points: 9, seconds: 60 }, loginFailuresPerAddress: { points: 50, seconds: 60 } },
    },
  })
  const dupe = world.person('dupe')
  await world.register(dupe)
  const answers = await Promise.all(Array.from({ length: 9 }, () => world.post('/api/login', wrong('dupe'))))
  const busy = answers.filter(({ status }) => status === 503)
  expect(busy).toHaveLength(1)
  expect(busy[0]?.json).toEqual({ code: 'busy', retryAfterS: 1 })
  expect(busy[0]?.headers.get('retry-after')).toBe('1')
  expect((await world.login(dupe)).status).toBe(200) // the ninth try is still there
})

test('[LIM-11] one IPv6 customer is one address, and only a configured proxy may speak for another', async () => {
  const tight = { points: 1, seconds: 60 }
  const world = await createHttpWorld({ settings: { limits: { prelogin: tight }, trustedProxies: ['10.0.0.0/8'] } })
  const ask = async (address: string, forwardedFor?: string) =>
    (await world.post('/api/prelogin', { login: 'x' }, { address, ...(forwardedFor === undefined ? {} : { forwardedFor }) }))
      .status
  expect([await ask('2001:db8::1'), await ask('2001:db8:0:0:ffff::2'), await ask('2001:db8:0:1::1')]).toEqual([200, 429, 200])
  expect([await ask('192.0.2.1', '203.0.113.1'), await ask('192.0.2.1', '203.0.113.2')]).toEqual([200, 429])
  expect([await ask('10.1.2.3', '203.0.113.1'), await ask('10.1.2.3', '203.0.113.2')]).toEqual([200, 200])
  expect(await ask('10.1.2.3', '198.51.100.7, 203.0.113.1')).toBe(429) // what stands left of it is the client's own word
})

test('[LIM-12] asking again and again for a blocked account does not use up the address', async () => {
  const world = await createHttpWorld()
  for (let i = 0; i < 5; i++) expect((await world.post('/api/login', wrong('dupe'))).status).toBe(401)
  for (let i = 0; i < 30; i++) expect((await world.post('/api/login', wrong('dupe'))).status).toBe(429)
  for (let i = 0; i < 15; i++) expect((await world.post('/api/login', wrong(`name${i}`))).status).toBe(401)
  expect((await world.post('/api/login', wrong('another'))).status).toBe(429)
})

test('[LIM-13] what is given back once the bucket is full again is no credit beyond it', async () => {
  const clock = { time: 0, now: () => clock.time }
  const limiter = createLimiter({ points: 1, seconds: 60 }, clock)
  expect(await limiter.take('x')).toBe(0)
  clock.time += 60_000
  await limiter.giveBack('x')
  expect([await limiter.take('x'), await limiter.take('x')]).toEqual([0, 60])
})

test('[LIM-14] whoever is over the limit costs no digest', async () => {
  const world = await createHttpWorld({ settings: { digest: { passes: 1, memoryKiB: 8, atOnceMax: 1 } } })
  // One digest at a time: were it begun, a second request beside it would be told `busy`.
  for (let i = 0; i < 5; i++) expect((await world.post('/api/login', wrong('dupe'))).status).toBe(401)
  const logins = await Promise.all(Array.from({ length: 200 }, () => world.post('/api/login', wrong('dupe'))))
  expect(new Set(logins.map(({ status }) => status))).toEqual(new Set([429]))
  for (let i = 0; i < 5; i++) await world.register(world.person(`dupe${i}`), { address: '192.0.2.9' })
  const registers = await Promise.all(
    Array.from({ length: 200 }, (_, i) => world.register(world.person(`more${i}`), { address: '192.0.2.9' })),
  )
  expect(new Set(registers.map(({ status }) => status))).toEqual(new Set([429]))
  expect(world.events.some(({ event }) => event === 'busy')).toBe(false)
})
