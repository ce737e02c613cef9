// Whether there is room for more. Without it the relay goes on serving, says `disk_full` to whoever writes, still deletes, and takes writes
// again as soon as there is some: nobody is disconnected over it, and nothing has to be done by hand.
import type { Clock } from '#shared/base/ports.ts'
import { needsNoRoom } from '#shared/community/command.ts'
import { parseCommand } from '#shared/community/command-codec.ts'
import type { ReceivedEntry } from '#shared/log/entry-codec.ts'
import { isStoreFull } from './store/store-full.ts'

/** The disk as the shell sees it. */
export interface DiskSight {
  /** Bytes that the data's file system still has for us; `undefined` where it cannot be asked. */
  freeBytes(): number | undefined
  /** Bytes of the database that hold something. */
  databaseBytes(): number
}

export interface RoomSettings {
  freeBytesMin: number
  databaseBytesMax: number
  /** After this a device may ask again, and a disk that refused a commit is tried again. */
  roomWaitMs: number
}

export interface Room {
  readonly full: boolean
  /** Looks at disk and database, which costs little. */
  look(): void
  /** A commit found no room, whatever the figures say. */
  failed(): void
}

export function createRoom(disk: DiskSight | undefined, settings: RoomSettings, clock: Clock): Room {
  let tooLittle = false
  let failedUntil = 0
  const look = () => {
    const free = disk?.freeBytes()
    tooLittle =
      (free !== undefined && free < settings.freeBytesMin) ||
      (disk !== undefined && disk.databaseBytes() >= settings.databaseBytesMax)
  }
  look()
  return {
    get full() {
      return tooLittle || clock.now() < failedUntil
    },
    look,
    failed() {
      failedUntil = clock.now() + settings.roomWaitMs
    },
  }
}

/** For work by which nothing is lost where it has to come again. @returns what it answers; `undefined`: there was no room for it */
export async function unlessFull<Value>(room: Room, work: () => Promise<Value>): Promise<{ value: Value } | undefined> {
  try {
    return { value: await work() }
  } catch (error) {
    if (!isStoreFull(error)) throw error
    room.failed()
    return undefined
  }
}

/** Entries that only delete: they are let through. */
export function onlyRedacts(entries: readonly ReceivedEntry[]): boolean {
  return entries.every(({ parsed }) => parsed.ok && parsed.value.op === 'redact')
}

/** Commands that free more than they take. */
export function freesRoom(text: string, sig: string): boolean {
  const parsed = parseCommand(text, sig)
  return parsed.ok && needsNoRoom.has(parsed.value.command.act)
}
