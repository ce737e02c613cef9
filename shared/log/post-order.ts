// The posts of a timeline in their order. Segments come in any order, newest first as a rule, so what is out of order is only sorted
// when somebody looks: that costs one pass for a whole segment instead of one for each post.
import { compareHeld, type HeldEntry } from './held-entry.ts'

export interface PostOrder {
  add(post: HeldEntry): void
  /** @param post the very value that was added */
  remove(post: HeldEntry): void
  newestFirst(): Generator<HeldEntry>
}

export function createPostOrder(): PostOrder {
  const posts: HeldEntry[] = []
  let isSorted = true
  const sort = () => {
    if (!isSorted) posts.sort(compareHeld)
    isSorted = true
  }
  return {
    add: (post) => {
      const last = posts.at(-1)
      if (last && compareHeld(last, post) > 0) isSorted = false
      posts.push(post)
    },
    remove: (post) => {
      sort()
      const at = placeOf(posts, post)
      if (posts[at]?.id === post.id) posts.splice(at, 1)
    },
    *newestFirst() {
      sort()
      for (let i = posts.length - 1; i >= 0; i--) {
        const post = posts[i]
        if (post) yield post
      }
    },
  }
}

/** The first place whose post is not before this one. */
function placeOf(posts: readonly HeldEntry[], post: HeldEntry): number {
  let low = 0
  let high = posts.length
  while (low < high) {
    const middle = (low + high) >> 1
    const other = posts[middle]
    if (other && compareHeld(other, post) < 0) low = middle + 1
    else high = middle
  }
  return low
}
