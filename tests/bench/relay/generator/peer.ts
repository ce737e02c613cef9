// One kind of server as the workloads see it: who reads what, and who writes. Opened readers stay until the generator ends.
import type { RawSocket } from './raw-socket.ts'

/** The bytes of an update, during the call only. */
export type Take = (buffer: Buffer, from: number, to: number) => void

/** What a reader holds before it opens: nothing; what it held an hour ago; or nothing, and it wants the newest segment alone. */
export type Start = 'nothing' | 'held' | 'head'

export interface Reader {
  /** Resolves when it holds everything; rejects when the server closes first. */
  readonly synced: Promise<void>
  /** For a server whose readers write. */
  readonly sockets: readonly RawSocket[]
  bytesIn(): number
  close(): void
}

export interface Writer {
  /** Sends its next message and answers its number; -1 when it has none left. */
  write(): number
}

export interface Peer {
  /** The room's history, where it does not lie on the server's disk; resolves when the server holds it. */
  fill(room: string): Promise<void>
  read(room: string, nr: number, take: Take, start: Start): Reader
  /** @param readers of the room, the first of which write where readers can @param each messages that one will write at most */
  openWriters(room: string, count: number, each: number, readers: readonly Reader[]): Promise<Writer[]>
  /** Bytes of the smallest message as a reader gets it. */
  readonly least: number
  /** Connections that the server closed. */
  lost(): number
}

/** @param again for a server that reads no message: the same ones go round */
export function sequence(frames: readonly Uint8Array[], socket: RawSocket, again = false): Writer {
  let next = 0
  return {
    write() {
      const frame = frames[again ? next % frames.length : next]
      if (!frame) return -1
      socket.write(frame)
      return next++
    },
  }
}
