// DATA_DIR/secrets.json, mode 0600: what must be in neither the database nor its backup. Made at the first start.
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { type Bytes, parseBase64Url, toBase64Url } from '#shared/base/bytes.ts'
import type { Random } from '#shared/base/ports.ts'

export interface Secrets {
  /** Keys the digests of passwords. */
  pepper: Bytes
  /** Seals the marks that devices carry. */
  markKey: Bytes
}

/** @throws {Error} where the file is there and cannot be read: making new secrets would lock everybody out */
export function openSecrets(path: string, random: Random): Secrets {
  const text = readIfThere(path)
  if (text === undefined) {
    const secrets = { pepper: random.bytes(32), markKey: random.bytes(32) }
    write(path, secrets)
    return secrets
  }
  const raw = parse(text, path)
  return { pepper: keyIn(raw, 'pepper', path), markKey: keyIn(raw, 'markKey', path) }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

function write(path: string, { pepper, markKey }: Secrets): void {
  const file = openSync(`${path}.new`, 'w', 0o600)
  writeSync(file, `${JSON.stringify({ pepper: toBase64Url(pepper), markKey: toBase64Url(markKey) }, undefined, 2)}\n`)
  fsyncSync(file)
  closeSync(file)
  renameSync(`${path}.new`, path)
}

function parse(text: string, path: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Without the cause: a parser quotes what it could not read, and whoever starts the relay prints what it is told.
    throw new Error(`${path} is not JSON: bring the file back from its copy`)
  }
}

function keyIn(raw: unknown, name: keyof Secrets, path: string): Bytes {
  const value =
    typeof raw === 'object' && raw !== null && name in raw ? Object.entries(raw).find(([key]) => key === name)?.[1] : ''
  const key = typeof value === 'string' ? parseBase64Url(value) : undefined
  if (key?.length !== 32) throw new Error(`${path} holds no usable "${name}": bring the file back from its copy`)
  return key
}
