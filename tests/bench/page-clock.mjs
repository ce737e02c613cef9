// Runs inside the measured page, before anything of its own. Plain browser JavaScript; `window.pageClock` is what the bench asks.

/** Frames without a change after which the page stands still. */
const stillFrames = 45

/** What a person sees: the ids of the messages inside the log's box, the newest one among them or not. */
function seen() {
  if (document.getElementById('empty')) return { ids: ['empty'], drawn: 1, hasNewest: true }
  const log = document.querySelector('[role=log]')
  if (!log) return { ids: [], drawn: 0, hasNewest: false }
  const box = log.getBoundingClientRect()
  const articles = [...log.querySelectorAll('article')]
  const inside = articles.filter((article) => {
    const { top, bottom, height } = article.getBoundingClientRect()
    return height > 0 && bottom > box.top && top < box.bottom && getComputedStyle(article).visibility !== 'hidden'
  })
  const ids = inside.map(({ id }) => id)
  return { ids, drawn: articles.length, hasNewest: ids.length > 0 && ids.at(-1) === articles.at(-1)?.id }
}

/** The frame has been handed to the screen when a task after it runs. */
function afterPaint(then) {
  requestAnimationFrame(() => {
    const channel = new MessageChannel()
    channel.port1.onmessage = () => then(performance.now())
    channel.port2.postMessage(null)
  })
}

/** Looks once a frame, until nothing has changed for a while; what was seen when, in ms from the start of the navigation. */
function untilStill(look, isThere) {
  return new Promise((resolve) => {
    const steps = []
    let still = 0
    const frame = (ms) => {
      const now = look()
      if (JSON.stringify(now) !== JSON.stringify(steps.at(-1)?.seen)) {
        steps.push({ ms, seen: now })
        still = 0
      } else still++
      if (isThere(now) && still >= stillFrames) resolve(told(steps))
      else afterPaint(frame)
    }
    afterPaint(frame)
  })
}

/** `shownMs`: the newest message was there first. `stillMs`: everything had come to stand as it stayed. */
function told(steps) {
  const { ms, seen } = steps.at(-1)
  const newest = seen.ids.at(-1)
  const shown = steps.find((step) => step.seen.ids.at(-1) === newest)
  const firstPaintMs = performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? ms
  return { firstPaintMs, shownMs: shown.ms, stillMs: ms, inView: seen.ids.length, drawn: seen.drawn }
}

function rowsOf(database, store) {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(database)
    opening.onerror = () => reject(opening.error)
    opening.onsuccess = () => {
      const asked = opening.result.transaction(store).objectStore(store).getAll()
      asked.onerror = () => reject(asked.error)
      asked.onsuccess = () => {
        opening.result.close()
        resolve(asked.result)
      }
    }
  })
}

async function channelRows() {
  const names = (await indexedDB.databases()).map(({ name }) => name).filter((name) => /^dupecord-[\w-]{22}$/.test(name))
  const rows = await Promise.all(names.map((name) => rowsOf(name, 'channel')))
  return rows.flat()
}

// From the first frame on, so that nothing is missed while nobody asks.
const shown = untilStill(seen, ({ hasNewest }) => hasNewest)
const empty = '<!doctype html><html lang="en"><title>empty</title><p id="empty">empty</p></html>'

window.pageClock = {
  shown: () => shown,
  /** Resolves when every channel's history lies on this device, and the service worker holds the app. */
  async allHeld() {
    await navigator.serviceWorker.ready
    for (;;) {
      const rows = await channelRows()
      if (rows.length > 0 && rows.every((row) => row.head === '' || row.heldRev > 0)) return rows.length
      await new Promise((resolve) => requestAnimationFrame(resolve))
    }
  },
  /** The service worker answers every page with the shell: from now on with an empty one, or with the app's again. */
  async showEmpty(isEmpty) {
    const [name] = (await caches.keys()).filter((key) => key.startsWith('shell-'))
    const shell = await caches.open(name)
    const kept = await caches.open('bench')
    if (isEmpty) {
      await kept.put('/', await shell.match('/'))
      await shell.put('/', new Response(empty, { headers: { 'content-type': 'text/html' } }))
    } else await shell.put('/', await kept.match('/'))
  },
}
