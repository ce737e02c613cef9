// The thread that carries the database's log over into the database: its waiting for the disk holds nobody up.
import { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'

const sql = new DatabaseSync(String(workerData))
sql.exec('PRAGMA busy_timeout=0')

parentPort?.on('message', () => {
  sql.prepare('PRAGMA wal_checkpoint(PASSIVE)').get()
  parentPort?.postMessage('done')
})
