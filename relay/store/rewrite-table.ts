// A table written anew into fresh pages, its indexes too: copies of rows that its old pages kept in their unused space go with those pages.
// For the few small tables whose rows are personal and lie in their leaves; words have far-blob.ts. Takes as long as the table is large.
import type { DatabaseSync } from 'node:sqlite'

/** Not inside a transaction. SQLite's own way to do it: https://www.sqlite.org/lang_altertable.html, "Making Other Kinds Of Table Schema Changes". */
export function rewriteTable(sql: DatabaseSync, table: string): void {
  const parts = sql.prepare('SELECT type, sql FROM sqlite_schema WHERE tbl_name = ? AND sql IS NOT NULL').all(table)
  const made = String(parts.find(({ type }) => type === 'table')?.sql).replace(/^CREATE TABLE "?\w+"?/, 'CREATE TABLE rewritten')
  const indexes = parts.filter(({ type }) => type === 'index').map((part) => String(part.sql))
  // Rows of other tables refer to it by its name, which it has again in the end.
  sql.exec('PRAGMA foreign_keys=OFF')
  try {
    sql.exec(`BEGIN IMMEDIATE; ${made}; INSERT INTO rewritten SELECT * FROM ${table}; DROP TABLE ${table};
      ALTER TABLE rewritten RENAME TO ${table}; ${indexes.map((index) => `${index};`).join(' ')} COMMIT`)
  } finally {
    if (sql.isTransaction) sql.exec('ROLLBACK')
    sql.exec('PRAGMA foreign_keys=ON')
  }
}
