// What the relay keeps of a password: Argon2id(HMAC(pepper, authKey)), in PHC string form. The pepper lies outside the database, so a stolen
// database alone lets nobody guess. Off the main thread, and bounded: memory-hard work is what an attacker would like us to do.
import { argon2, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { assert } from '#shared/base/assert.ts'
import type { Random } from '#shared/base/ports.ts'
import { ok, type Result, refuse } from '#shared/base/result.ts'
import { deriveKey } from '#shared/crypto/key-derivation.ts'
import { nodeHasher } from '../crypto.ts'
import type { HttpSettings } from './settings.ts'

export interface PasswordDigests {
  make(authKey: Uint8Array): Promise<Result<string, 'busy'>>
  /** Costs the same without a digest: whether an account exists must not be heard in the time it takes. */
  holds(digest: string | undefined, authKey: Uint8Array): Promise<Result<boolean, 'busy'>>
}

interface Parts {
  memory: number
  passes: number
  parallelism: number
  salt: Buffer
  hash: Buffer
}

const hashBytes = 32
const run = promisify(argon2)
/** Of the four threads behind Node, on which commits wait for the disk as well: one stays free for them. */
const threadsMax = 3

/** @param pepper 32 bytes */
export function createPasswordDigests(ports: {
  pepper: Uint8Array
  random: Random
  settings: HttpSettings['digest']
}): PasswordDigests {
  const { pepper, random, settings } = ports
  assert(pepper.length === 32, 'the pepper is 32 bytes')
  const nobody = write({
    memory: settings.memoryKiB,
    passes: settings.passes,
    parallelism: 1,
    salt: Buffer.from(random.bytes(16)),
    hash: Buffer.from(random.bytes(hashBytes)),
  })
  let underWay = 0
  let running = 0
  const waiting: (() => void)[] = []

  const onThread = async <Value>(work: () => Promise<Value>): Promise<Value> => {
    if (running < threadsMax) running++
    else await new Promise<void>((resolve) => waiting.push(resolve))
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else running--
    }
  }

  const digest = async (authKey: Uint8Array, how: Omit<Parts, 'hash'>): Promise<Result<Buffer, 'busy'>> => {
    if (underWay >= settings.atOnceMax) return refuse('busy')
    underWay++
    try {
      const message = deriveKey(nodeHasher, pepper, 'password-digest', authKey)
      const { memory, passes, parallelism, salt } = how
      const work = () => run('argon2id', { message, nonce: salt, memory, passes, parallelism, tagLength: hashBytes })
      return ok(await onThread(work))
    } finally {
      underWay--
    }
  }

  return {
    async make(authKey) {
      const how = { memory: settings.memoryKiB, passes: settings.passes, parallelism: 1, salt: Buffer.from(random.bytes(16)) }
      const made = await digest(authKey, how)
      return made.ok ? ok(write({ ...how, hash: made.value })) : made
    },
    async holds(stored, authKey) {
      const parts = read(stored ?? nobody)
      const made = await digest(authKey, parts)
      if (!made.ok) return made
      return ok(timingSafeEqual(made.value, parts.hash) && stored !== undefined)
    },
  }
}

/** The PHC string format: base64 without padding. */
function write({ memory, passes, parallelism, salt, hash }: Parts): string {
  const [s, h] = [salt, hash].map((bytes) => bytes.toString('base64').replace(/=+$/, ''))
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${s}$${h}`
}

function read(text: string): Parts {
  const match = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([^$]+)\$([^$]+)$/.exec(text)
  assert(match, 'a stored digest is one of ours')
  const [, memory, passes, parallelism, salt = '', hash = ''] = match
  const parts = {
    memory: Number(memory),
    passes: Number(passes),
    parallelism: Number(parallelism),
    salt: Buffer.from(salt, 'base64'),
    hash: Buffer.from(hash, 'base64'),
  }
  assert(parts.hash.length === hashBytes, 'a stored digest is 32 bytes')
  return parts
}
