// A prepared data directory, as the generator needs to know it: who may read and write, where, and what was signed beforehand.

export interface WorldFile {
  folder: string
  /** Bytes of an element as it stands in our documents; the other servers' messages are as long. */
  elementBytes: number
  rooms: Record<string, WorldRoom>
  /** Tokens of devices that follow the great channels, and of those in the small rooms (room by room). */
  readers: string[]
  roomDevices: string[]
  /** Tokens of who wrote the entries in `entries/fan-out` and `entries/live`, in the order of their lists. */
  writers: string[]
}

export interface WorldRoom {
  channel: string
  segments: { seg: string; client: number; n: number }[]
  /** What a device that was away holds of the last segment, and the id of the newest element of that. */
  held: number
  tail: string
}

export const historySizes = [2_000, 20_000, 200_000] as const
/** What a device that was away for an hour holds of the room `storm`, and what came meanwhile. */
export const storm = { held: 1_000, missed: 60 } as const
export const rooms = { count: 200, devices: 5 } as const
