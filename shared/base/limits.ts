// Every bound of the product, with its unit and its reason. A limit that an operator may change is a setting whose default is here.

export const limits = {
  /** One signed entry, signature included: a long message fits, an essay is a file. */
  entryBytesMax: 16_384,
  /** Brackets within brackets in an entry: whoever reads it recursively keeps its stack, and every engine reads the same. */
  entryDepthMax: 32,
  /** The body of a reaction: an emoji of many joined parts fits, a message does not. */
  reactionCharactersMax: 64,
  /** Entries in one append frame, and its bytes: a reply comes back soon even on a slow line. */
  appendEntriesMax: 64,
  appendBytesMax: 131_072,
  /** A control frame: JSON is parsed before anything is known of its sender. */
  controlBytesMax: 65_536,
  /** Any frame upwards; the largest is a whole private document. */
  frameBytesMax: 1_114_112,
  /** A message as people count it; the entry limit still holds. */
  messageCharactersMax: 4_000,
  /** How far ahead of the relay's clock an author's may be. */
  clockAheadMs: 120_000,
  /** A segment is sealed at either: a device loads a page of history in a few milliseconds. */
  segmentPostsMax: 2_000,
  segmentBytesMax: 1_048_576,
  /** A segment, or annex, takes ops on its posts up to here; then the next annex opens. */
  segmentElementsFull: 4_000,
  segmentBytesFull: 2_097_152,
  /** Rows behind a snapshot before they are joined into it. */
  segmentRowsMax: 256,
  commandBytesMax: 16_384,
  channelsPerCommunityMax: 500,
  communityNameMax: 100,
  channelNameMax: 100,
  topicCharactersMax: 1_024,
  /** A place in the channel list: room for some three hundred moves into one gap, then the list is numbered anew. */
  positionCharactersMax: 64,
  structureChangesMax: 5_000,
  privateDocumentBytesMax: 1_048_576,
  privateBlobsMax: 200,
  /** Beats keep proxies and stock providers from closing a silent socket (y-websocket gives up after 30 s). */
  beatIntervalMs: 10_000,
  /** A link that was silent this long is dead. */
  silenceMs: 25_000,
  helloTimeoutMs: 5_000,
  /** Bytes queued for one slow reader before it is told to open again. */
  linkQueueBytesMax: 4_194_304,
  openSegmentsPerLinkMax: 10_000,
  /** Documents that one account follows from outside the app, over all its devices. */
  stockReadersMax: 5,
  /** A request with entries: as many as an append frame may bring, each of full size, written as JSON. */
  entryPostBytesMax: 2_228_224,
  invitesPerCommunityMax: 1_000,
  devicesPerAccountMax: 20,
} as const
