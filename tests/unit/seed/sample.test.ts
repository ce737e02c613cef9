// The sample seed: the first data model, field by field, where SPEC.md §2 says that it lives now.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { communitiesView } from '#app/engine/views/community-views.ts'
import { nodePassword } from '../../fakes/node-device.ts'
import { seedSample } from '../../seed/sample-community.ts'
import { type SeededRelay, startSeededRelay } from './seeded-relay.ts'

const before = Date.now()
let seeded: SeededRelay

beforeAll(async () => {
  seeded = await startSeededRelay((dataDir) => seedSample(dataDir, nodePassword, Date.now()))
})
afterAll(() => seeded.end())

test('users, servers, memberships and channels are rows where the table says', () => {
  const id = /^[\w-]{22}$/
  const users = seeded.rows('SELECT id, username, email, password_digest, avatar, created FROM account ORDER BY username')
  expect(users.map(({ username, email }) => [username, email])).toEqual([
    ['dupe', 'dupe@sample.example'],
    ['dupette', 'dupette@sample.example'],
  ])
  for (const user of users) {
    expect(user.id).toMatch(id)
    expect(user.password_digest).toMatch(/^\$argon2id\$/)
    expect(user.avatar).toBe('')
    expect(user.created).toBeGreaterThanOrEqual(before)
  }
  const [server, ...others] = seeded.rows('SELECT id, state FROM space')
  expect(others).toEqual([])
  expect(server?.id).toMatch(id)
  const state = JSON.parse(String(server?.state))
  expect(state).toMatchObject({ name: 'Sample Server', owner: users[0]?.id })
  expect(Object.values(state.channels)).toMatchObject([
    { name: 'general', kind: 'text' },
    { name: 'voice', kind: 'voice' },
  ])
  const memberships = seeded.rows('SELECT space, account, left_at FROM member')
  expect(memberships.map((row) => row.account).sort()).toEqual(users.map((user) => user.id).sort())
  expect(memberships.every((row) => row.space === server?.id && row.left_at === 0)).toBe(true)
  const made = seeded.rows('SELECT text FROM command ORDER BY n').map(({ text }) => JSON.parse(String(text)))
  expect(made.map((fields) => fields[4])).toEqual(['community.create', 'channel.create', 'invite.create', 'member.join'])
  expect(seeded.rows('SELECT at FROM command WHERE n = 1')[0]?.at).toBeGreaterThanOrEqual(before)
  const channels = seeded.rows('SELECT id, space FROM channel')
  expect(channels.map((row) => row.id).sort()).toEqual(Object.keys(state.channels).sort())
  expect(channels.every((row) => row.space === server?.id)).toBe(true)
  expect(seeded.rows('SELECT channel, op, by FROM entry')).toMatchObject([{ op: 'post', by: users[0]?.id }])
})

test('no session is left over, and what makes a name or a membership unique is the database’s', () => {
  expect(seeded.rows('SELECT * FROM session')).toEqual([])
  const schema = (table: string) => String(seeded.rows(`SELECT sql FROM sqlite_schema WHERE name = '${table}'`)[0]?.sql)
  expect(schema('account')).toMatch(/username TEXT NOT NULL UNIQUE/)
  expect(schema('account')).toMatch(/email_folded TEXT NOT NULL UNIQUE/)
  expect(schema('member')).toMatch(/PRIMARY KEY \(space, account\)/)
})

test('dupette signs in with the password and reads the message, its author and its time', async () => {
  const device = await seeded.visit('dupette')
  const { channel } = device.core.world.tables
  const general = [...channel.values()].find((row) => row.head !== '')
  if (!general) throw new Error('general holds a message')
  device.core.watch(general.id, 50)
  await device.until(() => device.core.world.views.get(general.id)?.timeline.window(50).posts.length === 1)
  const [post] = device.core.world.views.get(general.id)?.timeline.window(50).posts ?? []
  const dupe = [...(device.core.world.rosters.get(general.space)?.values() ?? [])].find(({ username }) => username === 'dupe')
  expect(post).toMatchObject({ by: dupe?.account, body: { t: 'Hello, world!' }, state: { kind: 'accepted' } })
  expect(post?.at).toBeGreaterThanOrEqual(before)
  expect(channel.size).toBe(2)
  await device.until(() => communitiesView(device.core.world)[0]?.channels.length === 2)
  const written = await device.send(general.space, general.id, 'hello back')
  await device.until(() => {
    const posts = device.core.world.views.get(general.id)?.timeline.window(50).posts ?? []
    return posts.some(({ id, seq }) => id === written && seq === 2)
  })
})
