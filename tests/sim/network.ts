// The lines between devices and the relay: frames travel in order on one line, in any order across lines, and a line may break at either end
// at any time. What was under way then arrives as a prefix, also after its device has dialled anew.
// A line may also be slow, or deaf in one direction or both (half open): what is sent there piles up, and neither end is told.
import type { Bytes } from '#shared/base/bytes.ts'
import type { Prng } from '#shared/base/prng.ts'

export interface RelayEnd {
  receive(bytes: Bytes): void
  /** Something left the queue of what goes down. */
  drained(): void
  closed(): void
}

export interface DeviceEnd {
  receive(bytes: Bytes): void
  /** @param code 0 = the line broke */
  closed(code: number): void
}

export interface Line {
  /** Delivers only now and then. */
  slow: boolean
  /** Nothing arrives in this direction any more, the news of a closing neither. */
  deafUp: boolean
  deafDown: boolean
  /** Something can be delivered in this direction: a frame, or the news that the line is closed. */
  readonly upWaits: boolean
  readonly downWaits: boolean
  /** Nothing will be delivered at either end any more. */
  readonly dead: boolean
  deliverUp(): void
  deliverDown(): void
  sendUp(bytes: Bytes): void
  sendDown(bytes: Bytes): void
  /** The relay closes: what it sent before still arrives, and a prefix of what the device had sent. */
  closeByRelay(code: number): void
  /** The device closes, or finds the line dead: the relay hears of it behind a prefix of what is under way. */
  breakAtDevice(): void
  /** The relay died: the device hears of it behind a prefix of what is under way. */
  breakAtRelay(): void
  queuedDown(): number
}

export function createLine(prng: Prng, device: DeviceEnd, connect: (line: Line) => RelayEnd): Line {
  let up: Bytes[] = []
  let down: Bytes[] = []
  let deviceOpen = true
  let relayOpen = true
  /** Set when this end is to hear of the closing, behind what is queued. */
  let newsForDevice: number | undefined
  let newsForRelay = false
  const prefix = (queue: Bytes[]) => (prng.chance(0.5) ? queue.slice(0, prng.below(queue.length + 1)) : queue)

  const line: Line = {
    slow: false,
    deafUp: false,
    deafDown: false,
    get upWaits() {
      return relayOpen && !line.deafUp && (up.length > 0 || newsForRelay)
    },
    get downWaits() {
      return deviceOpen && !line.deafDown && (down.length > 0 || newsForDevice !== undefined)
    },
    get dead() {
      return !deviceOpen && !relayOpen
    },
    deliverUp() {
      const bytes = up.shift()
      if (bytes) relay.receive(bytes)
      else if (newsForRelay) {
        relayOpen = false
        relay.closed()
      }
    },
    deliverDown() {
      const bytes = down.shift()
      if (bytes) {
        relay.drained()
        device.receive(bytes)
      } else if (newsForDevice !== undefined) {
        deviceOpen = false
        device.closed(newsForDevice)
      }
    },
    sendUp(bytes) {
      if (deviceOpen && relayOpen && !newsForRelay) up.push(bytes.slice())
    },
    sendDown(bytes) {
      if (relayOpen && deviceOpen && newsForDevice === undefined) down.push(bytes.slice())
    },
    closeByRelay(code) {
      up = prefix(up)
      newsForRelay = true
      newsForDevice ??= code
      // The relay has done with it, and waits for nobody.
      if (line.deafUp) relayOpen = false
    },
    breakAtDevice() {
      deviceOpen = false
      down = []
      up = prefix(up)
      newsForRelay = true
    },
    breakAtRelay() {
      relayOpen = false
      up = []
      down = prefix(down)
      newsForDevice ??= 0
    },
    queuedDown: () => down.reduce((sum, bytes) => sum + bytes.length, 0),
  }
  const relay = connect(line)
  return line
}
