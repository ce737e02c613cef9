// What every measured server does beside serving: says its port, and answers the bench's questions about its memory and where its time went.
import { writeFileSync } from 'node:fs'
import { type Profiler, Session } from 'node:inspector/promises'
import type { AddressInfo } from 'node:net'

export type Question = { ask: 'memory' } | { ask: 'profile' } | { ask: 'profiled'; file: string }

/** Bytes. `rss` is what the process holds, after its garbage was collected. */
export interface Memory {
  rss: number
  heap: number
}

export type Answer = { ready: number } | { memory: Memory } | { profile: 'started' | 'written' }

export function sayReady(port: number): void {
  let session: Session | undefined
  process.on('message', (question: Question) => {
    switch (question.ask) {
      case 'memory':
        return say({ memory: memoryNow() })
      case 'profile':
        session = new Session()
        return void startProfile(session).then(() => say({ profile: 'started' }))
      case 'profiled':
        return void endProfile(session).then((profile) => {
          writeFileSync(question.file, JSON.stringify(profile))
          say({ profile: 'written' })
        })
    }
  })
  // The bench is gone: nobody would end this process.
  process.on('disconnect', () => process.exit())
  say({ ready: port })
}

/** The port of a server that listens on one. */
export function portOf(server: { address(): AddressInfo | string | null }): number {
  const address = server.address()
  if (address === null || typeof address === 'string')
    throw new Error('a server that listens on a port has an address of its own')
  return address.port
}

function say(answer: Answer): void {
  process.send?.(answer)
}

function memoryNow(): Memory {
  // Twice: what finalizers let go of in the first falls in the second.
  globalThis.gc?.()
  globalThis.gc?.()
  const { rss, heapUsed } = process.memoryUsage()
  return { rss, heap: heapUsed }
}

async function startProfile(session: Session): Promise<void> {
  session.connect()
  await session.post('Profiler.enable')
  await session.post('Profiler.setSamplingInterval', { interval: 250 })
  await session.post('Profiler.start')
}

async function endProfile(session: Session | undefined): Promise<Profiler.Profile | undefined> {
  const stopped = await session?.post('Profiler.stop')
  session?.disconnect()
  return stopped?.profile
}
