// What "Go to" finds: communities and channels by their names, the best first.
import type { CommunityView } from '#app/state/communities.svelte.ts'

export interface Target {
  key: string
  href: string
  name: string
  /** The community a channel is in; '' for a community itself. */
  where: string
  space: string
  unread: boolean
}

/** Rows drawn at most: nobody reads further, they type another letter. */
const shownMax = 40

export function targetsOf(communities: CommunityView[], sought: string): Target[] {
  const wanted = fold(sought.trim().replace(/^[#*]/, ''))
  const onlyChannels = sought.trimStart().startsWith('#')
  const onlyCommunities = sought.trimStart().startsWith('*')
  const all = communities.flatMap((community): Target[] => {
    const { id, name, unread } = community
    const own: Target = { key: id, href: `/c/${id}`, name, where: '', space: id, unread }
    const channels = community.channels.map((channel) => ({
      key: channel.id,
      href: `/c/${id}/${channel.id}`,
      name: channel.name,
      where: name,
      space: id,
      unread: channel.unread > 0,
    }))
    return [...(onlyChannels ? [] : [own]), ...(onlyCommunities ? [] : channels)]
  })
  if (!wanted) return all.sort((a, b) => Number(b.unread) - Number(a.unread)).slice(0, shownMax)
  return all
    .map((target) => ({ target, rank: rankOf(fold(target.name), wanted) }))
    .filter(({ rank }) => rank > 0)
    .sort((a, b) => b.rank - a.rank || a.target.name.length - b.target.name.length)
    .slice(0, shownMax)
    .map(({ target }) => target)
}

/** The name cut where the sought letters stand, so that they can be marked; whole where they do not stand in one piece. */
export function cutAt(name: string, sought: string): [before: string, hit: string, after: string] {
  const wanted = sought.trim().replace(/^[#*]/, '')
  const at = wanted ? name.toLocaleLowerCase().indexOf(wanted.toLocaleLowerCase()) : -1
  if (at < 0) return [name, '', '']
  return [name.slice(0, at), name.slice(at, at + wanted.length), name.slice(at + wanted.length)]
}

function rankOf(name: string, wanted: string): number {
  if (name === wanted) return 4
  if (name.startsWith(wanted)) return 3
  if (name.split(/[\s\-_]+/u).some((word) => word.startsWith(wanted))) return 2
  return name.includes(wanted) ? 1 : 0
}

function fold(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{Mn}/gu, '')
    .toLocaleLowerCase()
}
