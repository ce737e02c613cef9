// A real relay on a disk that really fills: the system says ENOSPC, SQLite says FULL, and nobody loses anything.
import { expect, test } from 'vitest'
import { idFromBytes } from '#shared/base/ids.ts'
import { greetRaw, type RawDevice } from '../fakes/raw-device.ts'
import { entryText, makePerson, type Place, postJson, signCommand, signEntry, someBytes } from '../fakes/raw-person.ts'
import { startRelay } from '../fakes/relay-process.ts'
import { canMakeDisks, makeSmallDisk } from '../fakes/small-disk.ts'

const settings = {
  LOG_LEVEL: 'silent',
  LIMIT_DIGEST_MEMORY_KIB: '64',
  LIMIT_DIGEST_PASSES: '1',
  // The figures say nothing here: only the commits that fail do.
  LIMIT_FREE_BYTES_MIN: '1',
  LIMIT_ROOM_WAIT_MS: '200',
}

test.skipIf(!canMakeDisks)(
  '[ROOM-13] a full disk refuses, is read, takes a start, and recovers by itself; what was accepted is there',
  { timeout: 120_000 },
  async () => {
    const disk = await makeSmallDisk(16)
    const relay = await startRelay(settings, disk.folder, undefined, disk.under)
    try {
      const ann = await makePerson(relay.url, 'ann')
      const place: Place = { space: idFromBytes<'space'>(someBytes(16)), channel: idFromBytes<'channel'>(someBytes(16)) }
      let device = await greetRaw(relay.url, ann.token)
      const founding = signCommand(ann, place.space, {
        act: 'community.create',
        args: { name: 'Full House', channel: place.channel, channelName: 'general' },
        was: 0,
      })
      device.say(founding)
      await device.heard('done')
      const post = () =>
        device.append(place.channel, [signEntry(ann.device, place, entryText(ann, { body: { t: 'w'.repeat(12_000) } }))])
      const untilRefused = async () => {
        for (let i = 0; i < 5_000; i++) if ((await post()).why === 'disk_full') return
        throw new Error('it never filled')
      }
      expect((await post()).verdicts).toMatchObject([{ kind: 'accepted', seq: 1 }])
      disk.fill(true)
      await untilRefused()
      expect([device.isOpen, (await fetch(`${relay.url}/health`)).status]).toEqual([true, 503])
      const taken = acceptedBy(device)
      expect((await postJson(relay.url, '/api/register', {})).json).toMatchObject({ code: 'disk_full' })

      // Started anew, without even room for the small file beside the database, it serves.
      await relay.stop()
      disk.fill(true)
      await relay.start()
      device = await greetRaw(relay.url, ann.token)
      device.say({ t: 'segments', channel: place.channel, after: '' })
      const { list } = await device.heard('segments')
      expect(list.reduce((sum, { n }) => sum + n, 0)).toBe(taken)
      await device.openSegment(list[0]?.seg ?? idFromBytes<'segment'>(new Uint8Array(16)))
      await untilRefused()

      disk.fill(false)
      while ((await fetch(`${relay.url}/health`)).status !== 200);
      expect((await post()).verdicts).toMatchObject([{ kind: 'accepted', seq: taken + 1 }])
      await device.end()
    } finally {
      await relay.stop()
      await disk.remove()
    }
  },
)

/** Entries of which the relay said that it has them. */
function acceptedBy(device: RawDevice): number {
  const verdicts = device.frames.flatMap((frame) =>
    frame.kind === 'control' && frame.message.t === 'result' ? frame.message.verdicts : [],
  )
  return verdicts.filter(({ kind }) => kind === 'accepted').length
}
