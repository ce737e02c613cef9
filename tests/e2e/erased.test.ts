// What was taken back is gone from the browsers of both, wherever a page can keep something. (What Chromium's own files below that still hold until
// they are joined is beyond a page's reach.)
import { expect, type Page } from '@playwright/test'
import { filesWith } from '../fakes/files-with.ts'
import { composer, inStep, message, pair, wordsOf, write } from './people.ts'
import { test } from './relay.ts'

/** Where in this page's origin the words stand: every IndexedDB database, cache and key, and the files of its own. */
async function placesOf(page: Page, words: string): Promise<string[]> {
  return page.evaluate(async (wanted) => {
    const found: string[] = []
    const holds = (value: unknown): boolean => {
      if (typeof value === 'string') return value.includes(wanted)
      if (value instanceof ArrayBuffer) return new TextDecoder().decode(value).includes(wanted)
      if (ArrayBuffer.isView(value)) return new TextDecoder().decode(value).includes(wanted)
      if (value instanceof Map || value instanceof Set) return holds([...value])
      return (
        typeof value === 'object' &&
        value !== null &&
        Object.entries(value).some(([key, one]) => key.includes(wanted) || holds(one))
      )
    }
    const answer = <Value>(request: IDBRequest<Value>) =>
      new Promise<Value>((resolve, reject) => {
        request.onsuccess = () => resolve(request.result)
        request.onerror = () => reject(request.error)
      })
    for (const { name } of await indexedDB.databases()) {
      const database = await answer(indexedDB.open(name ?? ''))
      for (const table of database.objectStoreNames) {
        const store = database.transaction(table).objectStore(table)
        const [keys, values] = [await answer(store.getAllKeys()), await answer(store.getAll())]
        if (holds(keys) || holds(values)) found.push(`IndexedDB ${name} ${table}`)
      }
      database.close()
    }
    for (const name of await caches.keys()) {
      const cache = await caches.open(name)
      for (const request of await cache.keys())
        if (request.url.includes(wanted) || (await (await cache.match(request))?.text())?.includes(wanted))
          found.push(`cache ${name} ${request.url}`)
    }
    for (const [name, storage] of Object.entries({ localStorage, sessionStorage })) if (holds({ ...storage })) found.push(name)
    const files = async (folder: FileSystemDirectoryHandle): Promise<void> => {
      for await (const [name, handle] of folder.entries()) {
        if (handle.kind === 'directory') await files(handle)
        else if (holds(await (await handle.getFile()).arrayBuffer())) found.push(`file ${name}`)
      }
    }
    await files(await navigator.storage.getDirectory())
    return found
  }, words)
}

test('[ERASE-6] a message that was changed and taken back is in no storage of either browser, nor is the draft that it was', async ({
  browser,
  relay,
}) => {
  const [owner, guest] = await pair(browser, relay.url, 'Clean Slates')
  await composer(owner.page).pressSequentially('quixotrope, said too soon')
  await composer(owner.page).blur()
  await expect.poll(() => placesOf(owner.page, 'quixotrope')).not.toEqual([])
  await composer(owner.page).press('Enter')
  await expect(message(guest.page, 'quixotrope')).toBeVisible()
  await inStep(owner.page)
  await composer(owner.page).press('ArrowUp')
  await owner.page.getByLabel('Edit the message').fill('quixotrope, said better')
  await owner.page.getByLabel('Edit the message').press('Enter')
  await expect(message(guest.page, 'quixotrope, said better')).toBeVisible()
  await write(guest.page, 'this one stays')
  for (const { page } of [owner, guest]) await expect.poll(() => placesOf(page, 'quixotrope')).not.toEqual([])

  await message(owner.page, 'quixotrope').hover()
  await owner.page.getByRole('button', { name: 'Remove', exact: true }).click()
  await owner.page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click()
  for (const { page } of [owner, guest]) {
    await expect.poll(() => wordsOf(page)).toEqual(['this one stays'])
    await expect.poll(() => placesOf(page, 'quixotrope')).toEqual([])
    expect(await placesOf(page, 'this one stays')).not.toEqual([])
  }
  await expect.poll(() => filesWith(relay.dataDir, 'quixotrope')).toEqual([])
  await owner.context.close()
  await guest.context.close()
})
