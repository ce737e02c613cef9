// A relay that is killed in the middle of a stream: what any device saw accepted is there, and the rest arrives in the end, once.
import { expect, test } from 'vitest'
import { communitiesView } from '#app/engine/views/community-views.ts'
import { timelineView } from '#app/engine/views/message-views.ts'
import type { ChannelId, SpaceId } from '#shared/base/ids.ts'
import { type NodeDevice, startNodeDevice } from '../fakes/node-device.ts'
import { startRelay } from '../fakes/relay-process.ts'

const rounds = 3
const messagesPerRound = 400
const seenMax = 5_000

interface Place {
  space: SpaceId
  channel: ChannelId
}

function texts(device: NodeDevice, { channel }: Place): string[] {
  return timelineView(device.core.world, channel, seenMax).messages.map((message) => message.text)
}

function accepted(device: NodeDevice, { channel }: Place): string[] {
  const { messages } = timelineView(device.core.world, channel, seenMax)
  return messages.filter(({ state }) => state.kind === 'accepted').map(({ text }) => text)
}

async function foundCommunity(owner: NodeDevice): Promise<Place & { code: string }> {
  await owner.until(() => owner.core.world.link !== undefined)
  const made = await owner.call('createCommunity', { name: 'Power Cuts' })
  if (!made.ok) throw new Error(made.code)
  const invite = await owner.call('createInvite', { space: made.value.space, days: 1, uses: 0 })
  if (!invite.ok) throw new Error(invite.code)
  return { ...made.value, code: invite.value.code }
}

test('[CRASH-1] kill -9 amid three rounds of 400 messages from five devices loses nothing and doubles nothing', {
  timeout: 300_000,
}, async () => {
  const relay = await startRelay({ LIMIT_ENTRY_BURST: '10000', LIMIT_ENTRIES_PER_MINUTE: '100000' })
  const names = ['ann', 'ben', 'cho', 'dov', 'eve']
  const devices: NodeDevice[] = []
  for (const name of names) devices.push(await startNodeDevice(relay.url, name, true))
  const [owner, ...others] = devices
  if (!owner) throw new Error('five devices')
  const place = await foundCommunity(owner)
  for (const device of others) {
    const answer = await device.call('join', { code: place.code, space: place.space })
    expect(answer.ok).toBe(true)
    await device.until(() => communitiesView(device.core.world).length === 1)
  }
  for (const device of devices) device.core.watch(place.channel, seenMax)

  const seen = new Set<string>()
  for (let round = 1; round <= rounds; round++) {
    const before = accepted(owner, place).length
    const writing = devices.map(async (device, who) => {
      for (let nr = 0; nr < messagesPerRound / devices.length; nr++) {
        await device.send(place.space, place.channel, `${round} ${names[who]} ${nr}`)
        await device.core.idle() // a stream of small frames, not one large one
      }
    })
    const enough = before + messagesPerRound / 8
    await owner.until(() => accepted(owner, place).length >= enough)
    await relay.kill()
    expect(accepted(owner, place).length, 'the kill comes amid the stream').toBeLessThan(round * messagesPerRound)
    for (const device of devices) for (const text of accepted(device, place)) seen.add(text)
    await relay.start()
    await Promise.all(writing)
    await Promise.all(devices.map((device) => device.until(() => accepted(device, place).length >= round * messagesPerRound)))
  }

  const all = texts(owner, place)
  expect(all).toHaveLength(rounds * messagesPerRound)
  expect(new Set(all).size).toBe(all.length)
  expect(seen.size).toBeGreaterThan(0)
  expect([...seen].filter((text) => !all.includes(text))).toEqual([])
  for (const device of devices) expect(texts(device, place)).toEqual(all)
  for (const name of names) {
    const own = all.filter((text) => text.includes(` ${name} `))
    const written = Array.from({ length: rounds }, (_, round) =>
      Array.from({ length: messagesPerRound / devices.length }, (_, nr) => `${round + 1} ${name} ${nr}`),
    ).flat()
    expect(own).toEqual(written)
  }

  const fresh = await startNodeDevice(relay.url, 'eve', false)
  fresh.core.watch(place.channel, seenMax)
  await fresh.until(() => texts(fresh, place).length >= all.length)
  expect(texts(fresh, place)).toEqual(all)
  for (const device of [...devices, fresh]) await device.stop()
  await relay.remove()
})
