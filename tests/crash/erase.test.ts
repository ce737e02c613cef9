// What was redacted or erased is in no file of the relay's and in no device's storage, looked for byte by byte: real processes, real devices.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { withPasswordKeys } from '#app/engine/account/sign-in.ts'
import { parseBase64Url, toBase64Url } from '#shared/base/bytes.ts'
import type { ChannelId, EntryId, SpaceId } from '#shared/base/ids.ts'
import { stretchLeast } from '#shared/crypto/key-derivation.ts'
import { loadSodium } from '#shared/crypto/sodium.ts'
import { filesWith } from '../fakes/files-with.ts'
import type { MemoryDisk } from '../fakes/memory-device-store.ts'
import { acceptedTexts, foundPlace } from '../fakes/node-community.ts'
import { type NodeDevice, nodePassword, startNodeDevice } from '../fakes/node-device.ts'
import { operate, type RelayProcess, startRelay } from '../fakes/relay-process.ts'

const timeout = 90_000
const seenMax = 500

let relay: RelayProcess
let devices: NodeDevice[] = []
let kept = ''
beforeEach(async () => {
  kept = mkdtempSync(join(tmpdir(), 'dupecord-kept-'))
  // Rows are joined after eight commits, so that there is a snapshot and rows behind it.
  relay = await startRelay({ LIMIT_SEGMENT_ROWS_MAX: '8', LIMIT_ENTRY_BURST: '10000' })
})
afterEach(async () => {
  for (const device of devices) await device.stop()
  devices = []
  await relay.remove()
  rmSync(kept, { recursive: true, force: true })
})

async function start(username: string): Promise<NodeDevice> {
  const device = await startNodeDevice(relay.url, username, true)
  devices.push(device)
  return device
}

async function found(): Promise<{ ann: NodeDevice; ben: NodeDevice; space: SpaceId; channel: ChannelId }> {
  const [ann, ben] = [await start('ann.harbour'), await start('ben.hills')]
  const place = await foundPlace(ann, ben)
  for (const device of [ann, ben]) device.core.watch(place.channel, seenMax)
  return { ann, ben, ...place }
}

function accepted(device: NodeDevice, channel: ChannelId): string[] {
  return acceptedTexts(device, channel, seenMax)
}

/** Everything that a device has stored, as one text: strings as they are, bytes by their UTF-8. */
function storedBy({ tables, bytes }: MemoryDisk): string {
  const rows = Object.values(tables).map((table) =>
    JSON.stringify([...table], (_, value) => (value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : value)),
  )
  const segments = [...bytes.values()].flat().map((part) => Buffer.from(part).toString('utf8'))
  return [...rows, ...segments].join('\n')
}

test('[ERASE-4] a post in a snapshot, one in a row, one with an edit and one of 11 KB: redacted, they are in no file and on no device', {
  timeout,
}, async () => {
  const { ann, ben, space, channel } = await found()
  const say = async (text: string): Promise<EntryId> => {
    const id = await ben.send(space, channel, text)
    await ben.until(() => accepted(ben, channel).includes(text))
    return id
  }
  const inSnapshot = await say('abracadabra in a snapshot')
  const long = await say(`abracadabra at length ${'あ'.repeat(3_700)} and abracadabra again`)
  const edited = await say('abracadabra to be edited')
  expect((await ben.call('edit', { channel, id: edited, text: 'abracadabra as edited' })).ok).toBe(true)
  await ben.until(() => accepted(ben, channel).includes('abracadabra as edited'))
  for (let nr = 0; nr < 12; nr++) await say(`this one stays ${nr}`)
  const inRow = await say('abracadabra in a row')
  await ann.until(() => accepted(ann, channel).length === 16)
  expect(filesWith(relay.dataDir, 'abracadabra')).not.toEqual([])
  for (const device of [ann, ben]) expect(storedBy(device.disk)).toContain('abracadabra')

  for (const id of [inSnapshot, long, edited, inRow]) expect((await ben.call('remove', { channel, id })).ok).toBe(true)
  await Promise.all([ann, ben].map((device) => device.until(() => accepted(device, channel).length === 12)))
  await Promise.all([ann, ben].map((device) => device.core.idle()))
  // The relay empties its log once a second.
  await vi.waitFor(() => expect(filesWith(relay.dataDir, 'abracadabra')).toEqual([]), { timeout: 10_000, interval: 200 })
  expect(await operate(relay.dataDir, 'backup', join(kept, 'backup.db'))).toMatchObject({ code: 0 })
  expect(filesWith(kept, 'abracadabra')).toEqual([])
  for (const device of [ann, ben]) expect(storedBy(device.disk)).not.toContain('abracadabra')
  expect(filesWith(relay.dataDir, 'this one stays'), 'it looks where the words are').not.toEqual([])
  expect(filesWith(kept, 'this one stays')).toEqual(['backup.db'])
  expect(storedBy(ann.disk)).toContain('this one stays')
  expect(await operate(relay.dataDir, 'verify')).toMatchObject({ code: 0 })
})

test('[ERASE-5] an erased account: the devices of others keep neither its name nor its words', { timeout }, async () => {
  const { ann, ben, space, channel } = await found()
  for (const device of [ann, ben]) await device.send(space, channel, `words of ${device.account.username}`)
  await Promise.all([ann, ben].map((device) => device.until(() => accepted(device, channel).length === 2)))
  expect(storedBy(ann.disk)).toContain('ben.hills')
  await erase(ben)
  await ann.until(() => accepted(ann, channel).length === 1)
  await vi.waitFor(() => expect(storedBy(ann.disk)).not.toContain('ben.hills'), { timeout: 10_000 })
  await vi.waitFor(() => expect(filesWith(relay.dataDir, 'ben.hills')).toEqual([]), { timeout: 15_000, interval: 200 })
  expect(accepted(ann, channel)).toEqual(['words of ann.harbour'])
})

async function erase(device: NodeDevice): Promise<void> {
  const post = async (path: string, body: object, token = '') => {
    const headers = { 'content-type': 'application/json', ...(token === '' ? {} : { authorization: `Bearer ${token}` }) }
    return fetch(`${relay.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
  }
  const { username, token } = device.account
  const told: unknown = await (await post('/api/prelogin', { login: username })).json()
  const salt = typeof told === 'object' && told !== null && 'salt' in told ? parseBase64Url(String(told.salt)) : undefined
  if (!salt) throw new Error('no salt')
  const authKey = await withPasswordKeys(await loadSodium(), nodePassword, salt, stretchLeast, async (keys) =>
    toBase64Url(keys.authKey),
  )
  const answer = await post('/api/account/erase', { authKey }, token)
  if (!answer.ok) throw new Error(`not erased: ${answer.status}`)
}
