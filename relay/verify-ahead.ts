// Signatures are more than half of what an entry costs, so they are checked on threads of their own, where the machine has a core for them.
// A thread that dies takes its questions with it: they are answered "not checked", and the decision checks those itself.
import { Worker } from 'node:worker_threads'
import type { SignatureClaim } from '#shared/crypto/ports.ts'

export interface VerifyThreads {
  /** One answer a claim, `undefined` where it was not checked; no promise at all for few claims, which are checked sooner without a thread. */
  verifyAhead(claims: readonly SignatureClaim[]): Promise<readonly (boolean | undefined)[]> | undefined
  close(): Promise<void>
}

interface Thread {
  worker: Worker
  waiting: Map<number, (answers: readonly (boolean | undefined)[]) => void>
}

/** Below this a message to a thread costs more than it saves. */
const claimsMin = 4
const headLength = 32 + 64 + 4

/** @param count threads, at least 1 */
export function startVerifyThreads(count: number, failed: (error: unknown) => void): VerifyThreads {
  const threads: Thread[] = []
  let nr = 0

  for (let i = 0; i < count; i++) {
    const thread: Thread = { worker: new Worker(new URL('./verify-thread.ts', import.meta.url)), waiting: new Map() }
    const drop = () => {
      const place = threads.indexOf(thread)
      if (place >= 0) threads.splice(place, 1)
      for (const answer of thread.waiting.values()) answer([])
      thread.waiting.clear()
    }
    thread.worker.on('message', ({ nr, answers }: { nr: number; answers: Uint8Array }) => {
      thread.waiting.get(nr)?.([...answers].map((answer) => answer === 1))
      thread.waiting.delete(nr)
    })
    thread.worker.on('error', (error) => {
      failed(error)
      drop()
    })
    thread.worker.on('exit', drop)
    // The relay ends when its own work ends.
    thread.worker.unref()
    threads.push(thread)
  }

  function ask(thread: Thread, claims: readonly SignatureClaim[]): Promise<readonly (boolean | undefined)[]> {
    return new Promise((resolve) => {
      const batch = pack(claims)
      nr++
      thread.waiting.set(nr, resolve)
      thread.worker.postMessage({ nr, batch, count: claims.length }, [batch.buffer])
    })
  }

  return {
    verifyAhead(claims) {
      if (threads.length === 0 || claims.length < claimsMin) return undefined
      const share = Math.ceil(claims.length / threads.length)
      const parts = threads.map((thread, i) => ask(thread, claims.slice(i * share, (i + 1) * share)))
      // A part that was not checked answers with nothing: the others must keep their places.
      return Promise.all(parts).then((answers) =>
        answers.flatMap((part, i) => claims.slice(i * share, (i + 1) * share).map((_, at) => part[at])),
      )
    },
    close: async () => {
      await Promise.all(threads.map(({ worker }) => worker.terminate()))
    },
  }
}

function pack(claims: readonly SignatureClaim[]): Uint8Array<ArrayBuffer> {
  const batch = new Uint8Array(claims.reduce((sum, { message }) => sum + headLength + message.length, 0))
  const view = new DataView(batch.buffer)
  let at = 0
  for (const { key, signature, message } of claims) {
    batch.set(key, at)
    batch.set(signature, at + 32)
    view.setUint32(at + 96, message.length, true)
    batch.set(message, at + headLength)
    at += headLength + message.length
  }
  return batch
}
