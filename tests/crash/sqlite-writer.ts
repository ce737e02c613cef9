// A process to be killed: it makes turns on a real store, from where its database stands, and says after each commit how many there are.
// Usage: sqlite-writer.ts DATABASE SEED
import { writeSync } from 'node:fs'
import { openDatabase } from '#relay/store/database.ts'
import { readMeta } from '#relay/store/relay-meta.ts'
import { createSqliteLogStore } from '#relay/store/sqlite-log-store.ts'
import { createTurns } from './sqlite-turns.ts'

const [path = '', seed] = process.argv.slice(2)
const database = openDatabase(path)
const turns = createTurns(Number(seed))
const { id, space } = turns.ledger.channel
database.sql.prepare("INSERT OR IGNORE INTO channel VALUES (?, ?, 0, 0, '', 0)").run(id, space)
const { commits } = readMeta(database)
while (turns.made < commits) await turns.next()

const store = createSqliteLogStore(database)
for (;;) {
  await turns.next(store)
  // At once, and not through a stream that a killed process would take with it.
  writeSync(1, `${turns.made}\n`)
  database.scrub()
}
