// The private document over fake IndexedDB and the relay's own keeping of it: two devices of one account, through cuts and restarts.
import 'fake-indexeddb/auto'
import { expect, test, vi } from 'vitest'
import type { UnsentWords } from '#app/engine/core/ports.ts'
import {
  openPrivateDocument,
  type PrivateChange,
  type PrivateDocument,
  privateDatabaseName,
} from '#app/engine/private/private-document.ts'
import { type AccountId, idFromBytes } from '#shared/base/ids.ts'
import { createPrng } from '#shared/base/prng.ts'

const random = createPrng(6)
const account = () => idFromBytes<'account'>(random.bytes(16))
const channel = idFromBytes<'channel'>(random.bytes(16))

/** Resolves with the first change that fits; the document tells by itself. */
function follow() {
  const seen: PrivateChange[] = []
  const waiting: { fits: (change: PrivateChange) => boolean; done: () => void }[] = []
  return {
    changed: (change: PrivateChange) => {
      seen.push(change)
      for (const one of waiting.filter(({ fits }) => fits(change))) one.done()
    },
    seen,
    until: (fits: (change: PrivateChange) => boolean) =>
      seen.some(fits) ? Promise.resolve() : new Promise<void>((done) => waiting.push({ fits, done })),
  }
}

/** A line between two documents: each is the other's relay, which stock y-protocols allow. */
function join(a: PrivateDocument, b: PrivateDocument): () => void {
  let open = true
  a.connect((bytes) => queueMicrotask(() => open && b.receive(bytes)))
  b.connect((bytes) => queueMicrotask(() => open && a.receive(bytes)))
  return () => {
    open = false
    a.disconnect()
    b.disconnect()
  }
}

const words = (text: string): UnsentWords => ({
  id: idFromBytes<'entry'>(random.bytes(16)),
  space: idFromBytes<'space'>(random.bytes(16)),
  channel,
  communityName: 'Two Cups',
  channelName: 'general',
  text,
  at: 1,
  code: 'notmember',
})

test('[PRIV-1] a draft is there after a restart, and gone when it is emptied', async () => {
  const who = account()
  const first = openPrivateDocument(who, () => {})
  expect(first.loaded).toBe(false)
  await first.setDraft(channel, 'half a thought')
  await first.close()
  const told = follow()
  const second = openPrivateDocument(who, told.changed)
  await told.until((change) => change.kind === 'draft' && change.channel === channel)
  expect(second.draft(channel)).toBe('half a thought')
  await second.setDraft(channel, '')
  await second.close()
  const again = follow()
  const third = openPrivateDocument(who, again.changed)
  await again.until((change) => change.kind === 'unsent')
  expect(third.draft(channel)).toBe('')
  await third.close()
})

test('[PRIV-2] what was written apart on two devices meets when both are connected, again after a cut', async () => {
  const [told, heard] = [follow(), follow()]
  const one = openPrivateDocument(account(), told.changed)
  const two = openPrivateDocument(account(), heard.changed)
  await one.setDraft(channel, 'from one')
  one.keep(words('refused on one'))
  const cut = join(one, two)
  await heard.until((change) => change.kind === 'draft')
  expect(two.draft(channel)).toBe('from one')
  expect(two.unsent().map((one) => one.text)).toEqual(['refused on one'])
  cut()
  const late = words('refused on two')
  two.keep(late)
  const joined = join(one, two)
  await told.until((change) => change.kind === 'unsent' && one.find(late.id) !== undefined)
  expect(
    one
      .unsent()
      .map((entry) => entry.text)
      .sort(),
  ).toEqual(['refused on one', 'refused on two'])
  joined()
  await Promise.all([one.close(), two.close()])
})

test('[PRIV-3] words settled on one device are settled on the other, which is told', async () => {
  const [told, heard] = [follow(), follow()]
  const one = openPrivateDocument(account(), told.changed)
  const two = openPrivateDocument(account(), heard.changed)
  const refused = words('not sent')
  one.keep(refused)
  const cut = join(one, two)
  await heard.until(() => two.find(refused.id) !== undefined)
  two.settle(refused.id)
  await told.until((change) => change.kind === 'settled' && change.id === refused.id)
  expect([one.unsent(), two.unsent()]).toEqual([[], []])
  cut()
  await Promise.all([one.close(), two.close()])
})

test('[PRIV-7] soon after a draft was sent or words were settled, no stored update holds them', async () => {
  const who = account()
  const document = openPrivateDocument(who, () => {})
  const sent = words('abracadabra, settled')
  await document.setDraft(channel, 'abracadabra, half')
  await document.setDraft(channel, 'abracadabra, whole')
  document.keep(sent)
  await vi.waitFor(async () => expect(await storedOf(who)).toContain('abracadabra, settled'))
  await document.setDraft(channel, '')
  document.settle(sent.id)
  await vi.waitFor(async () => expect(await storedOf(who)).not.toContain('abracadabra'), { timeout: 5_000 })
  await document.close()
})

/** All stored updates as one text. */
function storedOf(who: AccountId): Promise<string> {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(privateDatabaseName(who))
    opening.onerror = () => reject(opening.error)
    opening.onsuccess = () => {
      const rows = opening.result.transaction('updates').objectStore('updates').getAll()
      rows.onerror = () => reject(rows.error)
      rows.onsuccess = () => {
        opening.result.close()
        resolve(rows.result.map((update: Uint8Array) => new TextDecoder().decode(update)).join())
      }
    }
  })
}
