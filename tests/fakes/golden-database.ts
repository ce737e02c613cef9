// The kept database of the first version: copied, since what opens it upgrades it.
import { copyFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export function copyGoldenDatabase(to: string): void {
  copyFileSync(fileURLToPath(new URL('../golden/database/v1.db', import.meta.url)), to)
}
