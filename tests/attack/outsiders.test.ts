// A community's content, asked for by who is not in it, in every way there is. `out` never was a member but knows every id; he gets, of all that
// there is, exactly what he gets of what there is not: the same words, and no other time.
import { readdirSync } from 'node:fs'
import { request } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ChannelId, idFromBytes, type SegmentId, type SpaceId } from '#shared/base/ids.ts'
import { closeCodes, type FrameDown } from '#shared/protocol/frames.ts'
import { connectRaw, type RawDevice } from '../fakes/raw-device.ts'
import { entryText, type Place, postJson, signCommand, signEntry, someBytes } from '../fakes/raw-person.ts'
import { provesHarmless } from './harmless.ts'
import { startWorld, type World } from './world.ts'

const secret = 'the tide comes at nine'
let world: World
/** What there is, and what there is not. */
let there: Place & { seg: SegmentId; entry: string }
const nowhere: Place & { seg: SegmentId; entry: string } = {
  space: idFromBytes<'space'>(someBytes(16)),
  channel: idFromBytes<'channel'>(someBytes(16)),
  seg: idFromBytes<'segment'>(someBytes(16)),
  entry: idFromBytes<'entry'>(someBytes(16)),
}

beforeAll(async () => {
  world = await startWorld({ LIMIT_ENTRY_POSTS: '100000/60' })
  const { id } = await world.write({ body: { t: secret } })
  const [seg] = [...world.reader.docs.keys()]
  if (!seg) throw new Error('a channel with messages has a segment')
  there = { ...world.place, seg, entry: id }
})
afterAll(() => world?.remove())

/** Everything that a link heard, with the asker's own ids taken out: what is left may not differ. */
function heard(frames: readonly FrameDown[], own: typeof there): string {
  let text = JSON.stringify(frames)
  for (const id of [own.space, own.channel, own.seg, own.entry]) text = text.replaceAll(id, '?')
  return text.replaceAll(/"id":"[^"]*"/g, '"id":"?"')
}

/** Asks the same of both, on one link; the answers, and a beat of the relay's own are not compared. */
async function bothSay(ask: (device: RawDevice, of: typeof there) => Promise<unknown>): Promise<string[]> {
  const said: string[] = []
  for (const of of [there, nowhere]) {
    const device = await world.link(world.out)
    const before = device.frames.length
    await ask(device, of)
    said.push(heard(device.frames.slice(before), of))
    await device.end()
  }
  return said
}

const asks: Record<string, (device: RawDevice, of: typeof there) => Promise<unknown>> = {
  'a segment opened': (device, { seg }) => device.openSegment(seg),
  'a segment opened where one holds it': (device, { seg, entry }) => device.openSegment(seg, 21, entry),
  'a channel’s list of segments': (device, { channel }) => {
    device.say({ t: 'segments', channel, after: '' })
    return device.heard('gone')
  },
  'a channel’s list from a segment on': (device, { channel, seg }) => {
    device.say({ t: 'segments', channel, after: seg })
    return device.heard('gone')
  },
  'the chain and the roster': (device, { space }) => {
    device.say({ t: 'chain', space, after: 0 })
    return device.heard('left')
  },
  'a read marker set': async (device, { channel }) => {
    const { incarnation } = await device.heard('welcome')
    device.say({ t: 'read', incarnation, channel, gen: 0, seq: 1 })
    device.say({ t: 'keys', devs: [] })
    return settled(device)
  },
  'a post': (device, { space, channel }) =>
    device.append(channel, [signEntry(world.out.device, { space, channel }, entryText(world.out))]),
  'a post under an id that is taken': (device, { space, channel, entry }) =>
    device.append(channel, [signEntry(world.out.device, { space, channel }, entryText(world.out, { id: entry }))]),
  'an edit, a reaction and a redact': (device, { space, channel, entry }) => {
    const about = (fields: object) =>
      signEntry(world.out.device, { space, channel }, entryText(world.out, { ref: entry, ...fields }))
    return device.append(channel, [
      about({ op: 'edit' }),
      about({ op: 'react', body: '👍' }),
      about({ op: 'redact', body: 0 }),
      about({ op: 'pin', body: 0 }),
    ])
  },
  'an entry with a false signature': (device, { channel }) =>
    device.append(channel, [signEntry(world.eve.device, nowhere, entryText(world.out))]),
  'a command': (device, { space, channel }) => {
    device.say(signCommand(world.out, space, { act: 'channel.delete', args: { channel }, was: 0 }))
    return device.heard('done')
  },
  'an invite tried': (device, { space }) => {
    device.say(signCommand(world.out, space, { act: 'member.join', args: { hash: 'A'.repeat(43) }, was: 0 }))
    return device.heard('done')
  },
}

/** Behind everything asked before: frames of one link are answered in order, within their kind. */
function settled(device: RawDevice): Promise<unknown> {
  device.say({ t: 'open', req: 99, seg: nowhere.seg, n: 0, view: 0, tail: '' })
  return device.heard('stale', ({ req }) => req === 99)
}

test.each(Object.entries(asks))('[ATT-50] asked by an outsider: %s', async (_, ask) => {
  const [ofThere, ofNowhere] = await bothSay(ask)
  expect(ofThere).toBe(ofNowhere)
  expect(ofThere).not.toContain(secret)
  await provesHarmless(world)
})

test('[ATT-50] who is greeted hears of no community that he is not in', async () => {
  const device = await world.link(world.out)
  expect(device.frames.map((frame) => frame.kind === 'control' && frame.message.t)).toEqual(['welcome', 'ready'])
  await device.end()
  await provesHarmless(world)
})

test('[ATT-50] device keys are keys, and of a device that there is not there are none', async () => {
  const device = await world.link(world.out)
  device.say({ t: 'keys', devs: [idFromBytes<'device'>(someBytes(16))] })
  device.say({ t: 'keys', devs: [world.ann.dev] })
  const { rows } = await device.heard('keys', (message) => message.rows.length > 0)
  expect(rows).toHaveLength(1)
  expect(Object.keys(rows[0] ?? {}).sort()).toEqual(['account', 'certificate', 'dev', 'from', 'identity', 'key', 'sig', 'until'])
  await device.end()
  await provesHarmless(world)
})

test('[ATT-50] an outsider hears nothing of what goes on', async () => {
  const device = await world.link(world.out)
  await device.openSegment(there.seg)
  const before = device.frames.length
  const { seq } = await world.write({ body: { t: secret } })
  await world.reader.sees(seq)
  await world.command(world.ann, there.space, { act: 'channel.topic', args: { channel: there.channel, topic: secret }, was: '' })
  await settled(device)
  expect(device.frames.slice(before).map((frame) => frame.kind === 'control' && frame.message.t)).toEqual(['stale'])
  await device.end()
  await provesHarmless(world)
})

test('[ATT-51] a read marker of an outsider reaches nobody', async () => {
  const device = await world.link(world.out)
  const { incarnation } = await device.heard('welcome')
  device.say({ t: 'read', incarnation, channel: there.channel, gen: 0, seq: 1 })
  await settled(device)
  await device.end()
  const again = await world.link(world.out)
  expect(again.frames.some((frame) => frame.kind === 'control' && frame.message.t === 'read')).toBe(false)
  await again.end()
  await provesHarmless(world)
})

test('[ATT-51] entries posted over HTTP by an outsider', async () => {
  const { relay, out } = world
  const answers = []
  for (const { space, channel } of [there, nowhere, { ...there, space: nowhere.space }, { ...nowhere, space: there.space }]) {
    const entry = new TextDecoder().decode(signEntry(out.device, { space, channel }, entryText(out)))
    const answer = await postJson(relay.url, `/api/channels/${channel}/entries`, { space, entries: [entry] }, out.token)
    answers.push([answer.status, answer.text])
  }
  expect(new Set(answers.map((answer) => JSON.stringify(answer)))).toEqual(
    new Set([JSON.stringify([404, '{"code":"nochannel"}'])]),
  )
  await provesHarmless(world)
})

test('[ATT-51] a document asked for over the stock protocol by an outsider', async () => {
  const protocols = ['dupecord.1', `token.${world.out.token}`]
  const closed = []
  for (const { seg } of [there, nowhere]) {
    const device = await connectRaw(world.relay.url, { path: `/api/doc/${seg}`, protocols })
    device.send(Uint8Array.of(0, 0, 1, 0))
    closed.push(await device.closed)
    expect(device.frames).toEqual([])
  }
  expect(closed[0]).toEqual(closed[1])
  expect(closed[0]?.code).toBe(closeCodes.forbidden)
  await provesHarmless(world)
})

test('[ATT-51] pages, health and files give nothing away', async () => {
  const files = [...readdirSync(world.relay.dataDir), 'incarnation', 'secrets.json']
  const names = files.flatMap((file) => [
    `/${file}`,
    `/../${file}`,
    `/%2e%2e/${file}`,
    `/..%2f${file}`,
    `/api/../${file}`,
    `//${file}`,
  ])
  const ids = [there.space, there.channel, there.seg, there.entry]
  const paths = [...names, '/health', '/metrics', '/api', '/api/', '/.git/config', '/relay/main.ts', '/package.json', `/${'%00'}`]
  for (const path of [...paths, ...ids.map((id) => `/api/channels/${id}`), ...ids.map((id) => `/api/doc/${id}`)]) {
    const text = await getRaw(path)
    for (const word of [
      secret,
      'Honest People',
      'markKey',
      'pepper',
      'SQLite format',
      'ann@',
      world.ann.account,
      world.ann.token,
      ...ids,
    ])
      expect(text.includes(word) && !path.includes(word), `${word} in ${path}`).toBe(false)
  }
  await provesHarmless(world)
})

/** As the path is written: fetch would tidy it. */
function getRaw(path: string): Promise<string> {
  const { hostname, port } = new URL(world.relay.url)
  return new Promise((resolve, reject) => {
    const asked = request({ hostname, port, path, timeout: 5_000 }, (answer) => {
      let text = ''
      answer.on('data', (chunk) => (text += String(chunk)))
      answer.on('end', () => resolve(text))
    })
    asked.on('error', reject)
    asked.end()
  })
}

/** Median ms of many tries of each, taken in turn. */
async function medians(
  tries: number,
  ask: (of: Place & { seg: SegmentId; entry: string }) => Promise<unknown>,
): Promise<[number, number]> {
  const times: [number[], number[]] = [[], []]
  for (let i = 0; i < 2 * tries; i++) {
    const start = performance.now()
    await ask(i % 2 === 0 ? there : nowhere)
    times[i % 2 === 0 ? 0 : 1].push(performance.now() - start)
  }
  const median = (list: number[]) => list.sort((a, b) => a - b)[Math.floor(tries / 2)] ?? 0
  return [median(times[0]), median(times[1])]
}

/** Other work on the machine moves single times far more than this. */
function expectAlike([a, b]: [number, number]): void {
  expect(a, `${a} ms where there is one, ${b} ms where there is none`).toBeLessThan(2 * b + 0.5)
  expect(b, `${a} ms where there is one, ${b} ms where there is none`).toBeLessThan(2 * a + 0.5)
}

test('[ATT-52] how long a refusal takes over a socket tells nothing', async () => {
  const device = await world.link(world.out)
  let req = 1_000
  const open = async ({ seg }: typeof there) => {
    const mine = ++req
    device.say({ t: 'open', req: mine, seg, n: 0, view: 0, tail: '' })
    return device.heard('stale', (message) => message.req === mine)
  }
  const append = ({ space, channel }: Place) =>
    device.append(channel, [signEntry(world.out.device, { space, channel }, entryText(world.out))])
  for (const ask of [open, append]) expectAlike(await medians(150, ask))
  await device.end()
  await provesHarmless(world)
})

test('[ATT-52] how long a refusal takes over HTTP tells nothing', async () => {
  const { relay, out } = world
  const post = ({ space, channel }: { space: SpaceId; channel: ChannelId }) => {
    const entry = new TextDecoder().decode(signEntry(out.device, { space, channel }, entryText(out)))
    return postJson(relay.url, `/api/channels/${channel}/entries`, { space, entries: [entry] }, out.token)
  }
  expectAlike(await medians(60, post))
  await provesHarmless(world)
})
