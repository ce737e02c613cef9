// A relay set back to an older state, by a backup or by a snapshot of its whole folder: it notices, and the devices bring back what they hold.
// What was redacted since stays away. Real processes, three real devices.

import { copyFileSync, cpSync, existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { timelineView } from '#app/engine/views/message-views.ts'
import type { EntryId } from '#shared/base/ids.ts'
import { filesWith } from '../fakes/files-with.ts'
import { acceptedTexts, foundPlace, type Place } from '../fakes/node-community.ts'
import { type NodeDevice, startNodeDevice } from '../fakes/node-device.ts'
import { operate, type RelayProcess, startRelay } from '../fakes/relay-process.ts'

/** Small segments, so that a restore meets closed ones; nobody waits for tokens. */
const settings = { LIMIT_SEGMENT_POSTS_MAX: '25', LIMIT_SEGMENT_ROWS_MAX: '8', LIMIT_ENTRY_BURST: '10000' }
const seenMax = 1_000
const timeout = 90_000

let relay: RelayProcess
let devices: NodeDevice[] = []
let kept = ''
afterEach(async () => {
  for (const device of devices) await device.stop()
  devices = []
  await relay.remove()
  rmSync(kept, { recursive: true, force: true })
})

async function start(username: string, isNew: boolean): Promise<NodeDevice> {
  const device = await startNodeDevice(relay.url, username, isNew)
  devices.push(device)
  return device
}

/** Ann's community, with Ben and Cho in it. */
async function found(
  more: Record<string, string> = {},
): Promise<{ ann: NodeDevice; ben: NodeDevice; cho: NodeDevice; place: Place }> {
  relay = await startRelay({ ...settings, ...more })
  kept = `${relay.dataDir}-kept`
  mkdirSync(kept)
  const [ann, ben, cho] = [await start('ann', true), await start('ben', true), await start('cho', true)]
  const place = await foundPlace(ann, ben, cho)
  for (const device of [ann, ben, cho]) device.core.watch(place.channel, seenMax)
  return { ann, ben, cho, place }
}

function accepted(device: NodeDevice, { channel }: Place): string[] {
  return acceptedTexts(device, channel, seenMax)
}

/** All of them accepted and seen by all. */
async function together(among: readonly NodeDevice[], place: Place, count: number): Promise<void> {
  await Promise.all(among.map((device) => device.until(() => accepted(device, place).length === count)))
}

/** All of them see just these words accepted, in whatever order. */
async function agreed(among: readonly NodeDevice[], place: Place, texts: readonly string[]): Promise<void> {
  const wanted = JSON.stringify([...texts].sort())
  await Promise.all(among.map((device) => device.until(() => JSON.stringify(accepted(device, place).sort()) === wanted)))
}

async function say(device: NodeDevice, { space, channel }: Place, text: string): Promise<EntryId> {
  const id = await device.send(space, channel, text)
  await device.core.idle()
  return id
}

async function sayMany(device: NodeDevice, place: Place, label: string, count: number): Promise<void> {
  for (let nr = 0; nr < count; nr++) await say(device, place, `${label} ${String(nr).padStart(2, '0')}`)
}

async function remove(device: NodeDevice, { channel }: Place, id: EntryId): Promise<void> {
  const answer = await device.call('remove', { channel, id })
  if (!answer.ok) throw new Error(answer.code)
}

/** An empty data directory where the relay's was, but for what lies outside its backups. */
function emptyDataDir(...outside: string[]): void {
  const { dataDir } = relay
  renameSync(dataDir, join(kept, 'lost'))
  mkdirSync(dataDir)
  for (const name of outside) copyFileSync(join(kept, 'lost', name), join(dataDir, name))
}

function incarnationOf(device: NodeDevice): string {
  return device.core.world.tables.meta.get('meta')?.incarnation ?? ''
}

function markOf(device: NodeDevice): string {
  return device.core.world.tables.meta.get('meta')?.mark ?? ''
}

const labelled = (texts: readonly string[], label: string) => texts.filter((text) => text.startsWith(label))

test('[BAK-1] a backup amid writes, restored into an empty directory: a new incarnation, and three devices bring back what the relay lost', {
  timeout,
}, async () => {
  const { ann, ben, cho, place } = await found()
  const backup = join(kept, 'backup.db')
  const writing = Promise.all([sayMany(ann, place, 'ann', 40), sayMany(ben, place, 'ben', 40), sayMany(cho, place, 'cho', 40)])
  await ann.until(() => accepted(ann, place).length >= 20)
  const made = await operate(relay.dataDir, 'backup', backup)
  expect(made, made.printed).toMatchObject({ code: 0, printed: expect.stringMatching(/1 communities, 1 channels, \d+ messages/) })
  expect(statSync(backup).mode & 0o777).toBe(0o600)
  expect(existsSync(`${backup}.new`)).toBe(false)
  await writing
  await together([ann, ben, cho], place, 120)
  expect(await operate(relay.dataDir, 'verify', backup)).toMatchObject({
    code: 0,
    printed: expect.stringContaining('nothing is wrong'),
  })
  expect(await operate(relay.dataDir, 'verify')).toMatchObject({ code: 0, printed: expect.stringContaining('nothing is wrong') })

  const before = incarnationOf(ann)
  await say(ben, place, 'late 1')
  await say(ben, place, 'late 2')
  const ofBackup = timelineView(ben.core.world, place.channel, seenMax).messages
  const [edited, redacted] = [labelledMessage(ofBackup, 'ben 00'), labelledMessage(ofBackup, 'ben 01')]
  const answer = await ben.call('edit', { channel: place.channel, id: edited, text: 'ben 00, better' })
  expect(answer.ok).toBe(true)
  await remove(ben, place, redacted)
  const numbered = (label: string, count: number) =>
    Array.from({ length: count }, (_, nr) => `${label} ${String(nr).padStart(2, '0')}`)
  const ofBen = ['ben 00, better', ...numbered('ben', 40).slice(2)]
  const expected = [...numbered('ann', 40), ...ofBen, ...numbered('cho', 40), 'late 1', 'late 2']
  await agreed([ann, ben, cho], place, expected)
  await relay.stop()

  emptyDataDir('secrets.json')
  const restored = await operate(relay.dataDir, 'restore', backup)
  expect(restored, restored.printed).toMatchObject({ code: 0 })
  await relay.start()
  await Promise.all(
    [ann, ben, cho].map((device) =>
      device.until(() => incarnationOf(device) !== before && device.core.world.link?.phase === 'ready'),
    ),
  )
  await agreed([ann, ben, cho], place, expected)
  const fresh = await start('ann', false)
  fresh.core.watch(place.channel, seenMax)
  await agreed([fresh], place, expected)

  const texts = accepted(fresh, place)
  for (const device of [ann, ben, cho]) expect(accepted(device, place)).toEqual(texts)
  expect(labelled(texts, 'ann')).toEqual(numbered('ann', 40))
  expect(labelled(texts, 'cho')).toEqual(numbered('cho', 40))
  expect(labelled(texts, 'ben')).toEqual(ofBen)
  expect(labelled(texts, 'late')).toEqual(['late 1', 'late 2'])
  await say(cho, place, 'and it goes on')
  await together([ann, ben, fresh], place, 122)
  expect(await operate(relay.dataDir, 'verify')).toMatchObject({ code: 0, printed: expect.stringContaining('nothing is wrong') })
})

function labelledMessage(messages: readonly { id: EntryId; text: string }[], text: string): EntryId {
  const found = messages.find((message) => message.text === text)
  if (!found) throw new Error(`nobody said ${text}`)
  return found.id
}

test('[BAK-2] what was redacted after the backup stays away, also where only a device that missed it comes back', {
  timeout,
}, async () => {
  const { ann, ben, cho, place } = await found()
  const backup = join(kept, 'backup.db')
  await say(ben, place, 'ben stays')
  const benSecret = await say(ben, place, 'ben secret')
  await say(cho, place, 'cho stays')
  const choSecret = await say(cho, place, 'cho secret')
  await together([ann, ben, cho], place, 4)
  expect(await operate(relay.dataDir, 'backup', backup)).toMatchObject({ code: 0 })
  await say(cho, place, 'cho late')
  const choLateSecret = await say(cho, place, 'cho late secret')
  await together([ann, ben, cho], place, 6)
  cho.setOffline(true)
  // Ann may: it is her community.
  for (const id of [benSecret, choSecret, choLateSecret]) await remove(ann, place, id)
  await together([ann, ben], place, 3)
  await ann.stop()
  await relay.stop()
  expect(filesWith(relay.dataDir, 'secret')).toEqual([])

  emptyDataDir('secrets.json', 'redactions')
  expect(await operate(relay.dataDir, 'restore', backup)).toMatchObject({ code: 0 })
  expect(filesWith(relay.dataDir, 'secret'), 'the backup had them').toEqual(['relay.db'])
  await relay.start()
  expect(filesWith(relay.dataDir, 'secret'), 'gone before anybody could ask').toEqual([])
  cho.setOffline(false)
  const stays = ['ben stays', 'cho stays', 'cho late']
  await cho.until(() => accepted(cho, place).join() === stays.join())
  await ben.until(() => accepted(ben, place).join() === stays.join())
  const fresh = await start('ben', false)
  fresh.core.watch(place.channel, seenMax)
  await together([fresh], place, 3)
  expect(accepted(fresh, place)).toEqual(stays)
  expect(await operate(relay.dataDir, 'verify')).toMatchObject({ code: 0, printed: expect.stringContaining('nothing is wrong') })
})

test('[BAK-3] a snapshot of the whole folder is put back: the mark of the first device tells, and nothing is lost', {
  timeout,
}, async () => {
  const { ann, ben, cho, place } = await found({ LIMIT_BEAT_INTERVAL_MS: '300' })
  const snapshot = join(kept, 'snapshot')
  for (const [device, label] of [
    [ann, 'ann'],
    [ben, 'ben'],
    [cho, 'cho'],
  ] as const)
    await sayMany(device, place, label, 10)
  await together([ann, ben, cho], place, 30)
  await relay.stop()
  cpSync(relay.dataDir, snapshot, { recursive: true })
  await relay.start()
  await Promise.all([ann, ben, cho].map((device) => device.until(() => device.core.world.link?.phase === 'ready')))
  const mark = markOf(ann)
  await sayMany(ben, place, 'late ben', 5)
  await sayMany(cho, place, 'late cho', 5)
  const { messages } = timelineView(ben.core.world, place.channel, seenMax)
  expect(
    (await ben.call('edit', { channel: place.channel, id: labelledMessage(messages, 'ben 00'), text: 'ben 00, better' })).ok,
  ).toBe(true)
  await remove(ben, place, labelledMessage(messages, 'ben 01'))
  await together([ann, ben, cho], place, 39)
  await Promise.all([ann, ben, cho].map((device) => device.until(() => accepted(device, place).includes('ben 00, better'))))
  // A beat has told what was promised since.
  await vi.waitFor(() => expect(markOf(ann)).not.toBe(mark), { timeout: 10_000 })
  const [texts, before] = [accepted(ann, place), incarnationOf(ann)]
  await relay.stop()

  renameSync(relay.dataDir, join(kept, 'ahead'))
  cpSync(snapshot, relay.dataDir, { recursive: true })
  await relay.start()
  await Promise.all([ann, ben, cho].map((device) => device.until(() => incarnationOf(device) !== before)))
  await agreed([ann, ben, cho], place, texts)
  const fresh = await start('cho', false)
  fresh.core.watch(place.channel, seenMax)
  await agreed([fresh], place, texts)
  const now = accepted(fresh, place)
  for (const label of ['ann', 'ben', 'cho', 'late ben', 'late cho']) expect(labelled(now, label)).toEqual(labelled(texts, label))
  expect(await operate(relay.dataDir, 'verify')).toMatchObject({ code: 0, printed: expect.stringContaining('nothing is wrong') })
})

test('[BAK-4] a snapshot of moments ago, before any beat, is noticed too: the answers to what was written since carried the mark', {
  timeout,
}, async () => {
  const { ann, ben, cho, place } = await found({ LIMIT_BEAT_INTERVAL_MS: '60000', LIMIT_SILENCE_MS: '90000' })
  await sayMany(ann, place, 'ann', 10)
  await sayMany(ben, place, 'ben', 10)
  await together([ann, ben, cho], place, 20)
  await relay.stop()
  cpSync(relay.dataDir, join(kept, 'snapshot'), { recursive: true })
  await relay.start()
  await Promise.all([ann, ben, cho].map((device) => device.until(() => device.core.world.link?.phase === 'ready')))
  await sayMany(ben, place, 'late ben', 5)
  await sayMany(cho, place, 'late cho', 5)
  await together([ann, ben, cho], place, 30)
  const [texts, before] = [accepted(ann, place), incarnationOf(ann)]
  await relay.kill()

  renameSync(relay.dataDir, join(kept, 'ahead'))
  cpSync(join(kept, 'snapshot'), relay.dataDir, { recursive: true })
  await relay.start()
  const fresh = await start('cho', false)
  fresh.core.watch(place.channel, seenMax)
  await agreed([fresh, ann, ben, cho], place, texts)
  expect(incarnationOf(fresh)).not.toBe(before)
  const now = accepted(fresh, place)
  for (const label of ['ann', 'ben', 'late ben', 'late cho']) expect(labelled(now, label)).toEqual(labelled(texts, label))
})
