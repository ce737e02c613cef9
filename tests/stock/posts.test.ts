// A bot at a real relay: it reads as any y-websocket client does, and writes by request, as relay/README.md tells.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { timelineView } from '#app/engine/views/message-views.ts'
import { parseHttpAnswer } from '#shared/protocol/http-answers.ts'
import { foundPlace, type Place } from '../fakes/node-community.ts'
import type { NodeDevice } from '../fakes/node-device.ts'
import { type RelayProcess, startRelay } from '../fakes/relay-process.ts'
import { people, say, segmentOf, signEntry, startStockReader } from './stock-reader.ts'

let relay: RelayProcess
let owner: NodeDevice
let bot: NodeDevice

beforeAll(async () => {
  relay = await startRelay({ LIMIT_ENTRY_BURST: '200' })
  const [ann, robot] = await people(relay.url, 'ann', 'robot')
  if (!ann || !robot) throw new Error('two people')
  owner = ann
  bot = robot
})
afterAll(async () => {
  for (const device of [owner, bot]) await device.stop()
  await relay.remove()
})

async function post({ space, channel }: Place, entries: string[], token = bot.account.token) {
  const answer = await fetch(`${relay.url}/api/channels/${channel}/entries`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ space, entries }),
  })
  const json: unknown = await answer.json()
  return { status: answer.status, json, decided: parseHttpAnswer('entries', json), retryAfter: answer.headers.get('retry-after') }
}

const texts = (device: NodeDevice, { channel }: Place) =>
  timelineView(device.core.world, channel, 1_000).messages.map(({ text }) => text)

test('[POST-30] a bot reads and answers; members see it at once; a long import goes at the pace of its bucket', async () => {
  const place = await foundPlace(owner, bot)
  await say(owner, place, 'is the tide out?')
  const reader = startStockReader(relay.url, await segmentOf(owner, place), bot.account.token)
  await reader.reads(['is the tide out?'])

  const entry = await signEntry(bot, place, { body: { t: 'The tide is out. 🌊' } })
  const first = await post(place, [entry])
  expect([first.status, first.decided?.verdicts[0]?.kind]).toEqual([200, 'accepted'])
  await owner.until(() => texts(owner, place).length === 2)
  expect(texts(owner, place)).toEqual(['is the tide out?', 'The tide is out. 🌊'])
  await reader.reads(texts(owner, place))
  expect((await post(place, [entry])).decided?.verdicts[0]?.kind).toBe('known')

  const many = await Promise.all(Array.from({ length: 256 }, (_, nr) => signEntry(bot, place, { body: { t: String(nr) } })))
  const answers = []
  for (let at = 0; at < many.length; at += 64) answers.push(await post(place, many.slice(at, at + 64)))
  expect(answers.map(({ decided }) => decided?.verdicts.length)).toEqual([64, 64, 64, expect.any(Number)])
  expect(answers.at(-1)?.decided?.wait).toBeGreaterThan(0)
  const refused = await post(place, many.slice(-1))
  expect([refused.status, Number(refused.retryAfter) > 0]).toEqual([429, true])
  expect((await post(place, many.slice(0, 64))).decided?.verdicts.every(({ kind }) => kind === 'known')).toBe(true)
  reader.stop()
})

test('[POST-30] who is not there, or not here, is told no more than that', async () => {
  const place = await foundPlace(owner)
  const entry = await signEntry(bot, place, {})
  const outside = await post(place, [entry])
  expect([outside.status, outside.json]).toEqual([404, { code: 'nochannel' }])
  const nobody = await post(place, [entry], 'A'.repeat(43))
  expect([nobody.status, nobody.json]).toEqual([401, { code: 'unauthorized' }])
  const own = await signEntry(owner, place, { body: { t: 'mine' } })
  const stolen = await post(place, [own], bot.account.token)
  expect(stolen.status).toBe(404)
  const forged = await post(place, [`${entry.slice(0, 86)}${own.slice(86)}`], owner.account.token)
  expect(forged.decided?.verdicts).toMatchObject([{ kind: 'refused', code: 'signature' }])
  expect((await post(place, [own], owner.account.token)).decided?.verdicts[0]?.kind).toBe('accepted')
})
