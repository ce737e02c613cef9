import { expect, test } from 'vitest'
import { createHttpWorld, type HttpWorld } from './http-world.ts'

const day = 24 * 3600 * 1000

async function signedIn(world: HttpWorld): Promise<string> {
  const dupe = world.person('dupe')
  await world.register(dupe)
  const { token } = (await world.login(dupe)).json
  await world.certify(dupe, token)
  return token
}

test('[SES-1, check 12, check 16] idle for thirty days ends a session; use prolongs it', async () => {
  const world = await createHttpWorld()
  const token = await signedIn(world)
  for (let i = 0; i < 4; i++) {
    world.clock.time += 29 * day
    expect(await world.sessions.check(token)).toBeDefined()
  }
  world.clock.time += 30 * day + 1000
  expect(await world.sessions.check(token)).toBeUndefined()
  world.clock.time -= 30 * day
  expect(await world.sessions.check(token)).toBeUndefined() // it is gone from the store, not only out of date
})

test('[SES-2, check 12, check 16] a hundred and eighty days end it, however much it is used', async () => {
  const world = await createHttpWorld()
  const token = await signedIn(world)
  for (let i = 0; i < 179; i++) {
    world.clock.time += day
    expect(await world.sessions.check(token)).toBeDefined()
  }
  world.clock.time += day + 1000
  expect(await world.sessions.check(token)).toBeUndefined()
})

test('[SES-3] a session that brings no device ends after an hour, and using it does not help', async () => {
  const world = await createHttpWorld()
  const dupe = world.person('dupe')
  await world.register(dupe)
  const { token } = (await world.login(dupe)).json
  world.clock.time += 59 * 60_000
  expect(await world.sessions.check(token)).toMatchObject({ dev: '' })
  world.clock.time += 2 * 60_000
  expect(await world.sessions.check(token)).toBeUndefined()
})

test('[SES-4] using a session writes once a day, not once a request', async () => {
  const world = await createHttpWorld()
  const token = await signedIn(world)
  const expires = async () => {
    const live = await world.sessions.check(token)
    return (await world.accounts.session(live?.idHash ?? ''))?.expires ?? 0
  }
  const before = await expires()
  world.clock.time += day - 1000
  expect(await expires()).toBe(before)
  world.clock.time += 1000
  expect(await expires()).toBe(before + day)
})

test('[SES-5, check 17] signing out ends the token and names the live session; others go on', async () => {
  const world = await createHttpWorld()
  const dupe = world.person('dupe')
  await world.register(dupe)
  const [one, two] = [(await world.login(dupe)).json.token, (await world.login(dupe)).json.token]
  for (const token of [one, two]) await world.certify(dupe, token)
  const live = await world.sessions.check(one)
  await world.post('/api/sign-out', {}, { token: one })
  expect(world.ended).toEqual([live?.idHash])
  expect(await world.sessions.check(one)).toBeUndefined()
  expect(await world.sessions.check(two)).toBeDefined()
})

test('[SES-6] a sign-out wins over a use that was under way', async () => {
  const world = await createHttpWorld()
  const token = await signedIn(world)
  world.clock.time += 2 * day
  const live = await world.sessions.check(token)
  world.clock.time += 2 * day
  await Promise.all([world.sessions.check(token), world.sessions.end(live?.idHash ?? ''), world.sessions.check(token)])
  expect(await world.sessions.check(token)).toBeUndefined()
})

test('[SES-7] what is no token asks nothing of the store', async () => {
  const world = await createHttpWorld()
  await signedIn(world)
  for (const token of ['', 'x', 'A'.repeat(44), `${'A'.repeat(42)}!`, "' OR 1=1 --"])
    expect(await world.sessions.check(token)).toBeUndefined()
})

test('[SES-8] who knows the password and never certifies holds at most twenty sessions', async () => {
  const world = await createHttpWorld()
  const dupe = world.person('dupe')
  await world.register(dupe)
  for (let i = 0; i < 30; i++) expect((await world.login(dupe)).status).toBe(200)
  expect(await world.accounts.sessionsOf(dupe.account)).toHaveLength(20)
})
