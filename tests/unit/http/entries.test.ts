// POST /api/channels/<id>/entries at the border: who is heard, what is read, and what each answer looks like. The hub behind it is a list.
import { expect, test } from 'vitest'
import type { HttpPorts } from '#relay/http/ports.ts'
import { parseUtf8 } from '#shared/base/bytes.ts'
import { parseEntryId, parseSpaceId } from '#shared/base/ids.ts'
import { limits } from '#shared/base/limits.ts'
import { parseHttpAnswer } from '#shared/protocol/http-answers.ts'
import { createHttpWorld } from './http-world.ts'

const space = parseSpaceId('AAAAAAAAAAAAAAAAAAAAAA')
const path = '/api/channels/BBBBBBBBBBBBBBBBBBBBBA/entries'
type Answer = Awaited<ReturnType<HttpPorts['append']>>

async function createBot(given: Parameters<typeof createHttpWorld>[0] = {}) {
  const calls: Parameters<HttpPorts['append']>[] = []
  const replies: Answer[] = []
  const world = await createHttpWorld({
    append: async (...call) => {
      calls.push(call)
      return replies.shift() ?? { kind: 'decided', verdicts: [], wait: 0, why: undefined }
    },
    ...given,
  })
  const person = world.person('bot')
  await world.register(person)
  const { token } = (await world.login(person)).json
  await world.certify(person, token)
  return { world, person, token: String(token), calls, replies }
}

test('[POST-20] strings become the bytes that were signed, and verdicts come back as a device parses them', async () => {
  const { world, person, token, calls, replies } = await createBot()
  const id = parseEntryId('CCCCCCCCCCCCCCCCCCCCCA')
  if (!id) throw new Error('an id')
  const verdicts: (Answer & { kind: 'decided' })['verdicts'] = [
    { kind: 'accepted', id, seq: 7, at: 1_800_000_000_000 },
    { kind: 'known', id, seq: 3, gone: true },
    { kind: 'refused', id: 0, code: 'shape', severe: true },
  ]
  replies.push({ kind: 'decided', verdicts, wait: 1_500, why: undefined })
  const entries = ['sig["text"]', 'größer 🦆', 'x'.repeat(40_000)]
  const answer = await world.post(path, { space, entries }, { token })
  expect([answer.status, parseHttpAnswer('entries', answer.json)]).toEqual([200, { verdicts, wait: 1_500 }])
  const [session, inSpace, channel, bytes] = calls[0] ?? []
  expect([session?.account, inSpace, channel]).toEqual([person.account, space, 'BBBBBBBBBBBBBBBBBBBBBA'])
  expect(bytes?.map(parseUtf8)).toEqual(entries)
})

test('[POST-21] without a session 401, without a certified device 403, and neither is read', async () => {
  const { world, calls } = await createBot()
  const huge = { space, entries: ['x'.repeat(3_000_000)] }
  for (const token of [undefined, '', 'A'.repeat(43)]) {
    const answer = await world.post(path, huge, token === undefined ? {} : { token })
    expect([answer.status, answer.json]).toEqual([401, { code: 'unauthorized' }])
  }
  const newcomer = world.person('new')
  await world.register(newcomer)
  const { token } = (await world.login(newcomer)).json
  const answer = await world.post(path, huge, { token })
  expect([answer.status, answer.json]).toEqual([403, { code: 'device' }])
  expect(calls).toEqual([])
})

test('[POST-22] what is no such body is refused whole', async () => {
  const { world, token, calls } = await createBot()
  const wrong: unknown[] = [
    {},
    null,
    { space, entries: [] },
    { space, entries: 'x' },
    { space, entries: [1] },
    { space, entries: [['x']] },
    { space: 'x', entries: ['x'] },
    { entries: ['x'] },
    { space, entries: Array(65).fill('x') },
    { space, entries: ['\ud800'] },
  ]
  for (const body of wrong) {
    const answer = await world.post(path, body, { token })
    expect([body, answer.status, answer.json]).toEqual([body, 400, { code: 'shape' }])
  }
  for (const channel of ['x', 'BBBBBBBBBBBBBBBBBBBBBB', '%00', '..%2f..']) {
    const answer = await world.post(`/api/channels/${channel}/entries`, { space, entries: ['x'] }, { token })
    expect([channel, answer.status, answer.json]).toEqual([channel, 404, { code: 'nochannel' }])
  }
  expect(calls).toEqual([])
})

test('[POST-23] the body has a bound of its own: 64 entries of full size fit, more does not', async () => {
  const { world, token, calls } = await createBot()
  // Each character is escaped: JSON's worst of what an entry holds plenty of.
  const largest = '"'.repeat(limits.entryBytesMax)
  const full = { space, entries: Array(limits.appendEntriesMax).fill(largest) }
  expect((await world.post(path, full, { token })).status).toBe(200)
  const over = { space, entries: ['x'.repeat(limits.entryPostBytesMax)] }
  const answer = await world.post(path, over, { token })
  expect([answer.status, answer.json]).toEqual([413, { code: 'size' }])
  expect(calls).toHaveLength(1)
  // No other request may be so large.
  expect((await world.post('/api/channels/x/other', over, { token })).status).toBe(413)
})

test('[POST-24] each refusal of the hub has its status; who has to wait is told how long', async () => {
  const { world, token, replies } = await createBot()
  const table: [Answer, number, unknown, string | null][] = [
    [{ kind: 'refused', code: 'nochannel' }, 404, { code: 'nochannel' }, null],
    [{ kind: 'refused', code: 'device' }, 403, { code: 'device' }, null],
    [{ kind: 'refused', code: 'forbidden' }, 403, { code: 'forbidden' }, null],
    [{ kind: 'refused', code: 'unauthorized' }, 401, { code: 'unauthorized' }, null],
    [{ kind: 'refused', code: 'busy' }, 503, { code: 'busy', retryAfterS: 1 }, '1'],
    [{ kind: 'decided', verdicts: [], wait: 2_500, why: undefined }, 429, { code: 'too_many', retryAfterS: 3 }, '3'],
    [{ kind: 'decided', verdicts: [], wait: 5_000, why: 'disk_full' }, 503, { code: 'disk_full', retryAfterS: 5 }, '5'],
  ]
  for (const [reply, status, json, retryAfter] of table) {
    replies.push(reply)
    const answer = await world.post(path, { space, entries: ['x'] }, { token })
    expect([answer.status, answer.json, answer.headers.get('retry-after')]).toEqual([status, json, retryAfter])
  }
})

test('[POST-25] requests are counted by account, before their bodies are read, and no log holds the token', async () => {
  const { world, token, calls } = await createBot({ settings: { limits: { entryPosts: { points: 2, seconds: 60 } } } })
  const send = (address: string) => world.post(path, { space, entries: ['x'] }, { token, address })
  expect([(await send('192.0.2.1')).status, (await send('192.0.2.2')).status]).toEqual([200, 200])
  const third = await send('192.0.2.3')
  expect([third.status, third.json.code, Number(third.headers.get('retry-after')) > 0]).toEqual([429, 'too_many', true])
  expect(calls).toHaveLength(2)
  expect(world.events.filter(({ event }) => event === 'limited')).toHaveLength(1)
  expect(JSON.stringify(world.events)).not.toContain(token)
})
