// Many readers, opened a few at a time: how a server stands a crowd at its door is measured elsewhere.
import type { Peer, Reader, Take } from './peer.ts'

const atOnce = 50

/** @param behind how many were opened before: a device that comes twice replaces itself */
export async function openReaders(peer: Peer, wanted: readonly { room: string; take: Take }[], behind = 0): Promise<Reader[]> {
  const readers: Reader[] = []
  for (let from = 0; from < wanted.length; from += atOnce) {
    const some = wanted.slice(from, from + atOnce).map(({ room, take }, i) => peer.read(room, behind + from + i, take, 'nothing'))
    await Promise.all(some.map((reader) => reader.synced))
    readers.push(...some)
  }
  return readers
}

/** Looks every few milliseconds; gives up after `ms`. */
export async function settled(holds: () => boolean, ms: number): Promise<boolean> {
  const until = performance.now() + ms
  while (!holds() && performance.now() < until) await pause(10)
  return holds()
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}
