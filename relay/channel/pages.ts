// Long lists as frames: cut so that each stays well within the limit of a control frame.
import { utf8 } from '#shared/base/bytes.ts'

/** Leaves room for the rest of the frame, and for one item that alone is large. */
const pageBytes = 24_000

/** At least one page, which may be empty. */
export function pagesOf<Item>(items: readonly Item[]): Item[][] {
  const pages: Item[][] = [[]]
  let room = pageBytes
  for (const item of items) {
    const size = utf8(JSON.stringify(item)).length + 1
    const page = pages.at(-1)
    if (page && (page.length === 0 || size <= room)) {
      page.push(item)
      room -= size
    } else {
      pages.push([item])
      room = pageBytes - size
    }
  }
  return pages
}
