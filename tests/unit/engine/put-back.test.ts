// What goes back into the outbox when a copy is given up, and what another device has to bring back itself.
import { expect, test } from 'vitest'
import { putBack } from '#app/engine/core/put-back.ts'
import { idFromBytes } from '#shared/base/ids.ts'
import { createPrng } from '#shared/base/prng.ts'
import type { Element } from '#shared/log/entry-codec.ts'
import { createEngineWorld } from './engine-world.ts'

test('[SYN-14] what a newer version wrote on another own device is left to that device', async () => {
  const world = createEngineWorld()
  const ann = await world.join('ann')
  const place = await world.community(ann)
  const prng = createPrng(1)
  const element = (dev: Element['dev'], ext: Element['ext'], seq: number): Element => ({
    id: idFromBytes<'entry'>(prng.bytes(16)),
    by: ann.core.world.ports.me.account,
    dev,
    at: 1,
    op: 'post',
    ref: 0,
    ext,
    body: { t: 'words' },
    seq,
    arrived: 1,
    sig: 'A'.repeat(86),
    text: '[]',
  })
  // reason: a key that no version so far knows, as a later one may bring it
  const unknown = { z: 1 } as Element['ext']
  const other = idFromBytes<'device'>(prng.bytes(16))
  const own = ann.core.world.ports.signer.dev
  const [newerElsewhere, plainElsewhere, newerHere] = [element(other, unknown, 1), element(other, 0, 2), element(own, unknown, 3)]
  putBack(ann.core.world, place, [newerElsewhere, plainElsewhere, newerHere])
  expect([...ann.core.world.tables.outbox.keys()]).toEqual([plainElsewhere.id, newerHere.id])
})
