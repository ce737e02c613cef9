// A relay that lets everybody be as fast as they can: for seeds, benches and fuzzers, whose people are not people.
import type { HubSettings } from '#relay/hub-ports.ts'

const many = 1_000_000_000

export const noRates = {
  entryBurst: many,
  entriesPerMinute: many,
  commandBurst: many,
  commandsPerMinute: many,
  channelBurst: many,
  channelEntriesPerMinute: many,
  linkFrameBurst: many,
  linkFramesPerSecond: many,
  linkByteBurst: many * 1_000,
  linkBytesPerSecond: many * 1_000,
} satisfies Partial<HubSettings>
