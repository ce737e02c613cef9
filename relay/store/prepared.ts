// Statements that are prepared once and then found by their text.
import type { DatabaseSync, StatementSync } from 'node:sqlite'

export function prepareOnce(sql: DatabaseSync): (text: string) => StatementSync {
  const prepared = new Map<string, StatementSync>()
  return (text) => {
    const statement = prepared.get(text) ?? sql.prepare(text)
    prepared.set(text, statement)
    return statement
  }
}
