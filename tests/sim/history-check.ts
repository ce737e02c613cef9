// Judges what devices saw, without asking the relay how it came about: an append-only log, accepted writes neither lost nor doubled, one order.
// The idea is Jepsen's: only what was observed counts.
import type { ChannelId, EntryId } from '#shared/base/ids.ts'
import type { Era, Operation, Outcome, SeenPost } from './history.ts'

/** @returns what is wrong, in sentences; nothing where all is well */
export function checkHistory(operations: readonly Operation[], outcome: Outcome): string[] {
  const causes = gatherCauses(operations)
  return [
    ...checkOneOrder(operations, causes),
    ...checkReads(operations, causes),
    ...checkNothingVanished(operations, causes),
    ...checkNothingLost(operations, outcome, causes),
    ...checkNothingDoubled(outcome),
    ...checkTold(operations, outcome),
    ...checkAuthorsOrder(operations, outcome, causes),
  ]
}

/** Why something may be gone, or an order may not hold. */
interface Causes {
  takenBack: Set<EntryId>
  channelsDeleted: Set<ChannelId>
  /** Eras in whose midst the relay was set back without noticing: their numbers may have been given twice. */
  brokenEras: Set<Era>
  /** Eras that ended with the relay set back: some of what was accepted in them it has not any more. */
  cutEras: Set<Era>
  devicesSetBack: Set<string>
  refused: Set<EntryId>
}

function gatherCauses(operations: readonly Operation[]): Causes {
  const causes: Causes = {
    takenBack: new Set(),
    channelsDeleted: new Set(),
    brokenEras: new Set(),
    cutEras: new Set(),
    devicesSetBack: new Set(),
    refused: new Set(),
  }
  for (const operation of operations) {
    if (operation.kind === 'taken-back') causes.takenBack.add(operation.id)
    if (operation.kind === 'channel-deleted') causes.channelsDeleted.add(operation.channel)
    if (operation.kind === 'device-set-back') causes.devicesSetBack.add(operation.device)
    if (operation.kind === 'refused') causes.refused.add(operation.id)
    if (operation.kind === 'relay-set-back') {
      for (const era of [operation.era, operation.to]) causes.cutEras.add(era)
      if (!operation.noticed) causes.brokenEras.add(operation.to)
    }
  }
  return causes
}

/** Within one era a channel's number names one entry and an entry has one number, whoever says so. */
function checkOneOrder(operations: readonly Operation[], { brokenEras }: Causes): string[] {
  const faults = new Set<string>()
  const idOf = new Map<string, EntryId>()
  const seqOf = new Map<string, number>()
  const note = (era: Era, channel: ChannelId, { id, seq }: SeenPost) => {
    const [place, entry] = [`${era} ${channel} ${seq}`, `${era} ${channel} ${id}`]
    const [other, before] = [idOf.get(place) ?? id, seqOf.get(entry) ?? seq]
    if (other !== id) faults.add(`number ${seq} of ${channel} is ${other} for one and ${id} for another`)
    if (before !== seq) faults.add(`${id} in ${channel} is number ${before} for one and ${seq} for another`)
    idOf.set(place, id)
    seqOf.set(entry, seq)
  }
  for (const operation of operations) {
    if (operation.kind === 'accepted' && !brokenEras.has(operation.era)) note(operation.era, operation.channel, operation)
    if (operation.kind === 'read' && !brokenEras.has(operation.era))
      for (const post of operation.posts) note(operation.era, operation.channel, post)
  }
  return [...faults]
}

/** What one look shows is in order, and shows nothing twice. */
function checkReads(operations: readonly Operation[], { brokenEras }: Causes): string[] {
  const faults: string[] = []
  for (const operation of operations) {
    if (operation.kind !== 'read' || brokenEras.has(operation.era)) continue
    const { device, channel, posts } = operation
    if (new Set(posts.map((post) => post.id)).size < posts.length) faults.push(`${device} shows a post of ${channel} twice`)
    if (posts.some((post, i) => post.seq <= (posts[i - 1]?.seq ?? 0))) faults.push(`${device} shows ${channel} out of order`)
  }
  return faults
}

/** What a device showed as accepted it goes on showing, as far back as it shows anything. */
function checkNothingVanished(operations: readonly Operation[], { takenBack, brokenEras }: Causes): string[] {
  const faults: string[] = []
  const shown = new Map<string, Map<EntryId, number>>()
  for (const operation of operations) {
    if (operation.kind === 'forgot') {
      for (const key of [...shown.keys()])
        if (key.startsWith(`${operation.device} `) && key.endsWith(` ${operation.channel}`)) shown.delete(key)
    }
    if (operation.kind === 'device-set-back') {
      for (const key of [...shown.keys()]) if (key.startsWith(`${operation.device} `)) shown.delete(key)
    }
    if (operation.kind !== 'read' || brokenEras.has(operation.era)) continue
    const { device, era, channel, posts, others } = operation
    const key = `${device} ${era} ${channel}`
    const before = shown.get(key) ?? new Map<EntryId, number>()
    // One that waits again is sent again, since its copy was given up: it is still there to be seen.
    const now = new Set([...posts.map((post) => post.id), ...others])
    // Where only what waits is in sight, everything else is further back.
    const oldest = posts[0]?.seq ?? (others.length > 0 ? Number.POSITIVE_INFINITY : 0)
    for (const [id, seq] of before)
      if (seq >= oldest && !now.has(id) && !takenBack.has(id)) {
        faults.push(`${id}, number ${seq} of ${channel}, vanished from ${device}`)
        before.delete(id)
      }
    for (const { id, seq } of posts) before.set(id, seq)
    shown.set(key, before)
  }
  return faults
}

/** Whatever anybody saw accepted is there in the end, or there is a cause for its absence. */
function checkNothingLost(operations: readonly Operation[], outcome: Outcome, causes: Causes): string[] {
  const kept = numbersOf(outcome)
  const written = new Map(operations.flatMap((one) => (one.kind === 'saved' ? [[`${one.channel} ${one.id}`, one] as const] : [])))
  const lost = new Map<EntryId, string>()
  const look = (channel: ChannelId, id: EntryId, era: Era, device: string) => {
    if (kept.has(`${channel} ${id}`) || causes.channelsDeleted.has(channel)) return
    if (causes.cutEras.has(era)) {
      // The relay lost it, so it is there only if its author's device put it back, and could.
      const author = written.get(`${channel} ${id}`)
      const excused = !author || causes.devicesSetBack.has(author.device) || outcome.wereOut.has(author.by)
      if (excused || causes.takenBack.has(id) || outcome.unsent.has(id)) return
    }
    lost.set(id, `${id} of ${channel} was accepted, as ${device} saw, and is lost`)
  }
  for (const operation of operations) {
    if (operation.kind === 'accepted') look(operation.channel, operation.id, operation.era, operation.device)
    if (operation.kind === 'read')
      for (const { id } of operation.posts) look(operation.channel, id, operation.era, operation.device)
  }
  return [...lost.values()]
}

/** No entry and no text stands twice. Every text of a run is written once. */
function checkNothingDoubled({ accepted }: Outcome): string[] {
  const faults: string[] = []
  for (const [channel, list] of accepted) {
    const texts = list.flatMap(({ text }) => (text === '' ? [] : [text]))
    const look = (what: string, values: readonly (string | number)[]) => {
      const seen = new Set<string | number>()
      for (const value of values) {
        if (seen.has(value)) faults.push(`${what} of ${channel} is there twice: ${value}`)
        seen.add(value)
      }
    }
    look(
      'an id',
      list.map((one) => one.id),
    )
    look(
      'a number',
      list.map((one) => one.seq),
    )
    look('a text', texts)
  }
  return faults
}

/** A relay that was set back begins a new era at the latest when a device comes that had heard of more. */
function checkTold(operations: readonly Operation[], { era }: Outcome): string[] {
  const telling = new Set<string>()
  const met = new Map<string, Era>()
  for (const operation of operations) {
    if (operation.kind === 'met') {
      met.set(operation.device, operation.era)
      // It has heard of an era between, or late: what it knew of this one is overwritten.
      if (operation.era !== era) telling.delete(operation.device)
    }
    if (operation.kind === 'relay-set-back') {
      telling.clear()
      for (const device of operation.tellers) if (operation.to === era && (met.get(device) ?? era) === era) telling.add(device)
    }
    if (operation.kind === 'device-set-back') telling.delete(operation.device)
  }
  return [...telling].map((device) => `${device} can tell that the relay was set back, and it goes on as if it had not been`)
}

/** What one device wrote into one channel stands in the order of writing, where nothing was ever refused, taken back or set back on the way. */
function checkAuthorsOrder(operations: readonly Operation[], outcome: Outcome, causes: Causes): string[] {
  if (causes.cutEras.size > 0) return []
  const faults: string[] = []
  const seqs = numbersOf(outcome)
  const last = new Map<string, SeenPost>()
  for (const operation of operations) {
    if (operation.kind !== 'saved') continue
    const { id, device, channel } = operation
    const seq = seqs.get(`${channel} ${id}`)
    if (seq === undefined || causes.refused.has(id) || causes.takenBack.has(id) || causes.devicesSetBack.has(device)) continue
    const before = last.get(`${device} ${channel}`)
    if (before && before.seq > seq)
      faults.push(`${device} wrote ${before.id} before ${id}, and it stands behind it in ${channel}`)
    last.set(`${device} ${channel}`, { id, seq })
  }
  return faults
}

/** By `channel id`: an id is an entry's only within its channel. */
function numbersOf({ accepted }: Outcome): Map<string, number> {
  return new Map([...accepted].flatMap(([channel, list]) => list.map(({ id, seq }) => [`${channel} ${id}`, seq] as const)))
}
