// `npm run relay -- COMMAND`: what an operator does beside the running relay. Each answers in lines for people, and by its exit code for scripts.
import { join, resolve } from 'node:path'
import { backUp, type Holdings } from './backup.ts'
import { restore } from './restore.ts'
import { verify } from './verify.ts'

export const usage = [
  'npm run relay                          starts the relay, as npm start does without building the app',
  'npm run relay -- backup FILE           one file that holds all of this moment, also while the relay runs',
  'npm run relay -- restore FILE          puts a backup into a DATA_DIR that has no database',
  'npm run relay -- verify [FILE] [--json]   recomputes everything in the database, or in a backup, and names what is wrong',
]

/** What is printed, and the exit code: 0 done and well · 1 something is wrong · 2 that is no command. */
export interface CommandAnswer {
  lines: string[]
  code: 0 | 1 | 2
}

/** @throws {Error} a sentence for the operator: nothing was done */
export async function runCommandLine(words: readonly string[], dataDir: string): Promise<CommandAnswer> {
  const [command, ...rest] = words
  const files = rest.filter((word) => !word.startsWith('--'))
  const flags = rest.filter((word) => word.startsWith('--'))
  const [file] = files
  const started = performance.now()
  const seconds = () => `${((performance.now() - started) / 1000).toFixed(1)} s`
  if (command === 'backup' && file !== undefined && rest.length === 1) {
    const path = resolve(file)
    const held = backUp(dataDir, path)
    return {
      lines: [`${path}: ${textOf(held)}, ${seconds()}`, 'secrets.json is not in it: keep one copy of that elsewhere'],
      code: 0,
    }
  }
  if (command === 'restore' && file !== undefined && rest.length === 1) {
    const { hasSecrets, ...held } = restore(dataDir, resolve(file))
    const missing = `${join(dataDir, 'secrets.json')} is not there: bring its copy before the start, or nobody can sign in`
    return { lines: [`${dataDir}: ${textOf(held)}, ${seconds()}`, ...(hasSecrets ? [] : [missing])], code: 0 }
  }
  if (command === 'verify' && files.length <= 1 && flags.every((flag) => flag === '--json')) {
    const { looked, findings, wrong } = await verify(file === undefined ? join(dataDir, 'relay.db') : resolve(file))
    const code = wrong === 0 ? 0 : 1
    if (flags.length > 0) return { lines: [JSON.stringify({ looked, wrong, findings }, undefined, 2)], code }
    const counted = Object.entries(looked).map(([name, count]) => `${count} ${name}`)
    const found = findings.map(({ where, what }) => `${where}: ${what}`)
    return {
      lines: [...found, `${counted.join(', ')}: ${wrong === 0 ? 'nothing is wrong' : `${wrong} wrong`}, ${seconds()}`],
      code,
    }
  }
  return { lines: usage, code: 2 }
}

function textOf({ communities, channels, messages, bytes }: Holdings): string {
  return `${communities} communities, ${channels} channels, ${messages} messages, ${bytes} bytes`
}
