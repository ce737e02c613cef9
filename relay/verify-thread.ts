// The thread that checks signatures: bytes in, one answer a claim out. It holds nothing else.
//   batch = k*( key(32) signature(64) u32le(length) message )        answer = k*( 0 | 1 )
import { parentPort } from 'node:worker_threads'
import { loadVerifier } from './crypto.ts'

const { verifier } = await loadVerifier()
const keyLength = 32
const signatureLength = 64

parentPort?.on('message', ({ nr, batch, count }: { nr: number; batch: Uint8Array; count: number }) => {
  const view = new DataView(batch.buffer, batch.byteOffset)
  const answers = new Uint8Array(count)
  let at = 0
  for (let i = 0; i < count; i++) {
    const key = batch.subarray(at, at + keyLength)
    const signature = batch.subarray(at + keyLength, at + keyLength + signatureLength)
    const from = at + keyLength + signatureLength + 4
    const to = from + view.getUint32(from - 4, true)
    answers[i] = Number(verifier.verify(signature, batch.subarray(from, to), key))
    at = to
  }
  parentPort?.postMessage({ nr, answers }, [answers.buffer])
})
