// One suite for every device store: what is committed is there, whole or not at all, and only the newest engine writes.
import 'fake-indexeddb/auto'
import { describe, expect, test } from 'vitest'
import {
  type ByteChange,
  type DeviceStore,
  emptyBatch,
  FencedError,
  type MarkerRow,
  type TableName,
  type Tables,
  tableNames,
} from '#app/engine/device-store.ts'
import { deleteAccountDatabase, openIdbDeviceStore } from '#app/engine/storage/idb-device-store.ts'
import { idFromBytes } from '#shared/base/ids.ts'
import { createPrng } from '#shared/base/prng.ts'
import { createMemoryDisk, openMemoryDeviceStore } from '../fakes/memory-device-store.ts'

const random = createPrng(7)
const channelA = idFromBytes<'channel'>(random.bytes(16))
const channelB = idFromBytes<'channel'>(random.bytes(16))
const segmentA = idFromBytes<'segment'>(random.bytes(16))
const segmentB = idFromBytes<'segment'>(random.bytes(16))

/** Opens the same disk again and again, each time as a newer engine. */
function makers(): { name: string; disk: () => () => Promise<DeviceStore> }[] {
  return [
    {
      name: 'memory',
      disk: () => {
        const disk = createMemoryDisk()
        return async () => openMemoryDeviceStore(disk)
      },
    },
    {
      name: 'idb',
      disk: () => {
        const account = idFromBytes<'account'>(random.bytes(16))
        let epoch = 0
        return () => openIdbDeviceStore(account, ++epoch, () => {})
      },
    },
  ]
}

const marker = (channel: MarkerRow['channel'], seq: number): MarkerRow => ({ channel, gen: 0, seq, dirty: true })

function put<Name extends TableName>(store: DeviceStore, name: Name, rows: [string, Tables[Name] | undefined][], strict = false) {
  const batch = emptyBatch()
  for (const [key, row] of rows) batch.rows[name].set(key, row)
  return store.commit(batch, { strict })
}

function change(store: DeviceStore, ...changes: ByteChange[]) {
  const batch = emptyBatch()
  batch.bytes.set(segmentA, changes)
  return store.commit(batch, { strict: false })
}

const bytesOf = async (store: DeviceStore, segment = segmentA) => (await store.loadSegment(segment)).map((part) => [...part])
const append = (...bytes: number[]): ByteChange => ({ kind: 'append', update: Uint8Array.from(bytes) })
const snapshot = (...bytes: number[]): ByteChange => ({ kind: 'snapshot', state: Uint8Array.from(bytes) })

describe.each(makers())('device store in $name', ({ disk }) => {
  test('a new one has every table, empty', async () => {
    const store = await disk()()
    const rows = await store.load()
    expect(Object.keys(rows).sort()).toEqual([...tableNames].sort())
    expect(Object.values(rows).every((table) => table.length === 0)).toBe(true)
    expect(await bytesOf(store)).toEqual([])
  })

  test('rows are put, replaced and deleted, and are there when it is opened again', async () => {
    const open = disk()
    const store = await open()
    await put(store, 'marker', [
      [channelA, marker(channelA, 1)],
      [channelB, marker(channelB, 2)],
    ])
    await put(store, 'marker', [
      [channelA, marker(channelA, 5)],
      [channelB, undefined],
    ])
    store.close()
    expect((await (await open()).load()).marker).toEqual([marker(channelA, 5)])
  })

  test('what is loaded is a copy: changing it changes nothing that is stored', async () => {
    const store = await disk()()
    await put(store, 'marker', [[channelA, marker(channelA, 1)]])
    for (const row of (await store.load()).marker) row.seq = 99
    expect((await store.load()).marker).toEqual([marker(channelA, 1)])
  })

  test('the bytes of a segment: updates in order behind a snapshot, which replaces what was before it', async () => {
    const open = disk()
    const store = await open()
    await change(store, append(1), append(2))
    await change(store, append(3))
    expect(await bytesOf(store)).toEqual([[1], [2], [3]])
    await change(store, append(4), snapshot(9, 9), append(5))
    await change(store, append(6))
    expect(await bytesOf(store)).toEqual([[9, 9], [5], [6]])
    expect(await bytesOf(store, segmentB)).toEqual([])
    store.close()
    const again = await open()
    await change(again, append(7))
    expect(await bytesOf(again)).toEqual([[9, 9], [5], [6], [7]])
    await change(again, { kind: 'drop' })
    expect(await bytesOf(again)).toEqual([])
  })

  test('rows and bytes of one commit are saved together', async () => {
    const store = await disk()()
    const batch = emptyBatch()
    batch.rows.marker.set(channelA, marker(channelA, 3))
    batch.bytes.set(segmentB, [append(1)])
    await store.commit(batch, { strict: true })
    expect((await store.load()).marker).toEqual([marker(channelA, 3)])
    expect(await bytesOf(store, segmentB)).toEqual([[1]])
  })

  test('a commit that fails leaves nothing of it', async () => {
    const store = await disk()()
    const batch = emptyBatch()
    batch.rows.marker.set(channelA, marker(channelA, 3))
    // reason: a function cannot be stored: the disk refuses in the middle of the transaction
    batch.rows.marker.set(channelB, (() => {}) as unknown as MarkerRow)
    await expect(store.commit(batch, { strict: true })).rejects.toThrow()
    expect((await store.load()).marker).toEqual([])
  })

  test('an engine that was overtaken cannot write', async () => {
    const open = disk()
    const older = await open()
    await put(older, 'marker', [[channelA, marker(channelA, 1)]])
    const newer = await open()
    await expect(put(older, 'marker', [[channelA, marker(channelA, 2)]], true)).rejects.toThrow(FencedError)
    await put(newer, 'marker', [[channelB, marker(channelB, 3)]])
    expect((await newer.load()).marker).toHaveLength(2)
    expect((await newer.load()).marker).toContainEqual(marker(channelA, 1))
  })
})

test('an idb store closes when the database is to be deleted', async () => {
  const account = idFromBytes<'account'>(random.bytes(16))
  let closed = 0
  await openIdbDeviceStore(account, 1, () => closed++)
  await deleteAccountDatabase(account)
  expect(closed).toBe(1)
  expect((await (await openIdbDeviceStore(account, 1, () => {})).load()).marker).toEqual([])
})
