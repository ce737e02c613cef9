// What one's own devices wrote goes back into the outbox when a copy of it is given up: the relay may not have it any more.
// The relay answers `known` where it has it after all, so putting back too much is harmless and too little loses words.
import type { ChannelId, SpaceId } from '#shared/base/ids.ts'
import { type Element, isWritable } from '#shared/log/entry-codec.ts'
import { isOp } from '#shared/log/entry-grammar.ts'
import type { OutboxRow } from '../device-store.ts'
import { putRow } from './outbox.ts'
import type { World } from './state.ts'

/**
 * Before all that waits already, in their old order. This device's entries go as they were signed; those of another own device
 * are signed anew under the same id, since the relay takes entries only from the device that signed them.
 */
export function putBack(world: World, place: { space: SpaceId; channel: ChannelId }, elements: readonly Element[]): void {
  const { me, signer } = world.ports
  const own = elements.filter(({ id, by, op }) => by === me.account && !world.tables.outbox.has(id) && isOp(op))
  own.sort((a, b) => a.seq - b.seq)
  let n = firstN(world) - own.length
  for (const { id, dev, at, op, ref, ext, body, sig, text } of own) {
    if (!isOp(op)) continue
    const signed = dev === signer.dev ? { dev, sig, text } : undefined
    // A newer version on another own device wrote it: that device still holds it as it was signed, and brings it back itself.
    if (!signed && !isWritable({ id, by: me.account, dev: signer.dev, at, op, ref, ext, body })) continue
    const row: OutboxRow = {
      id,
      n: n++,
      space: place.space,
      channel: place.channel,
      at,
      clock: 'relay',
      after: 0,
      op,
      ref,
      ext,
      body,
      signed,
      state: { kind: 'waiting' },
    }
    putRow(world, row)
  }
}

function firstN(world: World): number {
  let first = 1
  for (const row of world.tables.outbox.values()) first = Math.min(first, row.n)
  return first
}
