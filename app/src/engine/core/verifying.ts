// Checks the signatures of what is on screen, a screenful at a time, once. Drawn before it is checked: the check needs libsodium and perhaps a key.
import { parseBase64Url, utf8 } from '#shared/base/bytes.ts'
import { entrySignedBytes } from '#shared/crypto/signed-bytes.ts'
import type { EntryPlace } from '#shared/log/entry.ts'
import type { Element } from '#shared/log/entry-codec.ts'
import type { TimelinePost } from '#shared/log/post-view.ts'
import { wantKey } from './device-keys.ts'
import { cryptoAtHand } from './keys-at-hand.ts'
import { changed, type World } from './state.ts'

/** The newest messages of a timeline that are checked without being asked. */
const onScreen = 50

/** Called after what changed was told. */
export async function verifyShown(world: World): Promise<void> {
  for (const channel of world.watched.keys()) {
    const space = world.tables.channel.get(channel)?.space
    const view = world.views.get(channel)
    if (!space || !view) continue
    for (const post of view.timeline.window(onScreen).posts) {
      for (const element of [post.element, post.edit]) {
        if (element && !world.checked.has(element)) await check(world, { space, channel }, element)
      }
    }
  }
}

/** Both, the post and the edit that is shown, must hold. @returns `undefined` while one is not checked */
export function verdictOf(world: World, post: TimelinePost): boolean | undefined {
  const verdicts = [post.element, post.edit].flatMap((element) => (element ? [world.checked.get(element)] : []))
  if (verdicts.includes(false)) return false
  return verdicts.includes(undefined) ? undefined : true
}

async function check(world: World, place: EntryPlace, element: Element): Promise<void> {
  const row = world.tables.key.get(element.dev)
  if (!row) {
    if (world.link) wantKey(world, world.link, element.dev)
    return
  }
  const crypto = await cryptoAtHand(world)
  if (!crypto) return
  const key = parseBase64Url(row.key)
  const sig = parseBase64Url(element.sig)
  // Accepted after the device was revoked: its key says nothing any more.
  const isInTime = row.until === 0 || element.arrived <= row.until
  const message = entrySignedBytes(place.space, place.channel, utf8(element.text))
  const holds = !!key && !!sig && isInTime && row.account === element.by && crypto.verify(sig, message, key)
  world.checked.set(element, holds)
  changed(world, `timeline ${place.channel}`)
}
