// The relay's identity over time: its incarnation, how many commits it ever made, and the greatest time it ever used.
// The incarnation also stands in a file outside the database (and outside every backup of it): where the two differ, the database was restored.
import { toBase64Url } from '#shared/base/bytes.ts'
import type { Random } from '#shared/base/ports.ts'
import type { Database } from './database.ts'
import type { MetaStore, RelayMeta, RelayStart } from './log-store.ts'
import { isStoreFull } from './store-full.ts'

/** The file beside the database. */
export interface IncarnationFile {
  /** '' where there is none. */
  read(): string
  /** Durable when it returns. */
  write(incarnation: string): void
}

/** Inside the transaction of every commit of entries or commands. */
export function countCommit(database: Database, now: number): void {
  database
    .prepare("INSERT INTO meta VALUES ('commits', '1') ON CONFLICT(key) DO UPDATE SET value = CAST(value AS INTEGER) + 1")
    .run()
  database
    .prepare(
      `INSERT INTO meta VALUES ('clock', ?) ON CONFLICT(key) DO UPDATE SET value = excluded.value
        WHERE CAST(excluded.value AS INTEGER) > CAST(value AS INTEGER)`,
    )
    .run(String(now))
}

export function readMeta(database: Database): RelayMeta {
  const rows = database.prepare('SELECT key, value FROM meta').all()
  const values = new Map(rows.map((row) => [String(row.key), String(row.value)]))
  return {
    incarnation: values.get('incarnation') ?? '',
    commits: Number(values.get('commits') ?? 0),
    clock: Number(values.get('clock') ?? 0),
    starts: readStarts(values.get('starts') ?? ''),
  }
}

/** The incarnation for which the journal of redactions was done again last; '' before the first. */
export function createRedoneMark(database: Database): { read(): string; write(incarnation: string): void } {
  return {
    read: () => String(database.prepare("SELECT value FROM meta WHERE key = 'redone'").get()?.value ?? ''),
    write(incarnation) {
      database
        .prepare("INSERT INTO meta VALUES ('redone', ?) ON CONFLICT(key) DO UPDATE SET value = excluded.value")
        .run(incarnation)
    },
  }
}

/** Marks of older starts count for nothing any more; who was away for longer is believed less, and nothing else. */
const startsMax = 100

function noteStart(database: Database, random: Random): void {
  try {
    database.transaction(() => {
      const { commits, starts } = readMeta(database)
      writeStarts(database, [...starts.slice(1 - startsMax), { id: toBase64Url(random.bytes(9)), commits }])
    })
  } catch (error) {
    // Without room the relay starts all the same, and goes on under the start before.
    if (!isStoreFull(error)) throw error
  }
}

function writeStarts(database: Database, starts: readonly RelayStart[]): void {
  put(database, 'starts', starts.map(({ id, commits }) => `${id} ${commits}`).join(','))
}

function readStarts(text: string): RelayStart[] {
  return text.split(',').flatMap((one) => {
    const [id = '', commits] = one.split(' ')
    return id === '' ? [] : [{ id, commits: Number(commits) }]
  })
}

function put(database: Database, key: string, value: string): void {
  database.prepare('INSERT INTO meta VALUES (?, ?) ON CONFLICT(key) DO UPDATE SET value = excluded.value').run(key, value)
}

/** Opens it, and notices here that the database came from a backup: `restored` says so. */
export function openMetaStore(database: Database, file: IncarnationFile, random: Random): { meta: MetaStore; restored: boolean } {
  const renew = (): RelayMeta => {
    const incarnation = toBase64Url(random.bytes(16))
    database.transaction(() => {
      const { commits, starts } = readMeta(database)
      put(database, 'incarnation', incarnation)
      writeStarts(
        database,
        starts.slice(-1).map(({ id }) => ({ id, commits })),
      )
      database.sql.exec("UPDATE segment SET sealed = 2; UPDATE channel SET head = ''")
    })
    // Behind the transaction: if the relay dies in between they differ, and it is renewed once more, which harms nobody.
    file.write(incarnation)
    return readMeta(database)
  }
  const { incarnation } = readMeta(database)
  const restored = incarnation !== '' && incarnation !== file.read()
  if (incarnation === '' || restored) renew()
  noteStart(database, random)
  return { meta: { read: async () => readMeta(database), renew: async () => renew() }, restored }
}
