// Digests run on the few threads on which the disk is waited for as well.
import { closeSync, fdatasync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { nodeRandom } from '#relay/crypto.ts'
import { createPasswordDigests } from '#relay/http/password-digest.ts'

test('[LIM-19] as many digests as there may be hold no commit up: a thread stays free for the disk', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'dupecord-digest-'))
  const file = openSync(join(folder, 'log'), 'w')
  writeSync(file, 'a commit')
  const settings = { passes: 2, memoryKiB: 16_384, atOnceMax: 8 }
  const digests = createPasswordDigests({ pepper: new Uint8Array(32), random: nodeRandom, settings })
  const order: string[] = []
  const all = Array.from({ length: 8 }, async () => {
    expect((await digests.make(new Uint8Array(32))).ok).toBe(true)
    order.push('digest')
  })
  expect(await digests.make(new Uint8Array(32))).toEqual({ ok: false, code: 'busy' })
  const synced = promisify(fdatasync)(file).then(() => order.push('disk'))
  await Promise.all([...all, synced])
  // All eight are made, and the disk did not wait for those that stood before it.
  expect(order).toHaveLength(9)
  expect(order.indexOf('disk')).toBeLessThan(3)
  closeSync(file)
  rmSync(folder, { recursive: true })
})
