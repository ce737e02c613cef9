// What the bench hands to the generator, and what comes back.
import type { Memory } from '../servers/measured.ts'
import type { WorldFile } from '../world/world-file.ts'

export type Speech = 'y-websocket' | 'hocuspocus' | 'bare' | 'dupecord' | 'dupecord-devices'

export interface Job {
  workload: Workload
  /** `dupecord`: readers are stock providers, writers devices. `dupecord-devices`: readers are devices too. */
  speech: Speech
  port: number
  serverPid: number
  /** Where the relay's people, channels and signed entries are; the others take from it how long an element is. */
  world: WorldFile
  /** Where V8's profile of the server in the measured time is written; '' = none. */
  profile: string
}

/** Asked of the server, over the bench's own process. */
export interface ServerAnswers {
  memory(): Promise<Memory>
  startProfile(): Promise<void>
  endProfile(): Promise<void>
}

export type Workload =
  /** As many messages as the server takes: `window` of them under way. */
  | { kind: 'fan-out'; readers: number; writers: number; window: number; seconds: number }
  /** So many a second, whatever the server does. */
  | { kind: 'rate'; readers: number; writers: number; perSecond: number; seconds: number }
  /** Everybody reads and writes in one of many rooms. `perSecond` messages of each; 0: one under way in each room. */
  | { kind: 'rooms'; devices: number; rooms: number; perSecond: number; seconds: number }
  | { kind: 'idle'; connections: number }
  /** One after the other, each from nothing. `headOnly`: no more than the newest segment. */
  | { kind: 'first-sync'; entries: number; joins: number; headOnly: boolean }
  /** All at once, each an hour behind. */
  | { kind: 'storm'; devices: number }
  /** All at once and from nothing, while somebody talks elsewhere. */
  | { kind: 'joins'; entries: number; joins: number }

export interface JobResult {
  readings: Record<string, number>
  /** Everything that was sent came to everybody, and nobody was cut off. */
  complete: boolean
  generatorCpu: number
  othersCpu: number
}
