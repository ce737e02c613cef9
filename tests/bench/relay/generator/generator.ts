// The generator's process: gets one job over its channel, does it, answers the result, and ends.
import type { Memory } from '../servers/measured.ts'
import { hocuspocus, yWebsocket } from './envelopes.ts'
import { fanOut } from './fan-out.ts'
import { firstSync, joinAtOnce } from './first-sync.ts'
import { idle } from './idle.ts'
import type { Job, JobResult, ServerAnswers } from './job.ts'
import type { Peer } from './peer.ts'
import { rate } from './rate.ts'
import { createRelayPeer } from './relay-peer.ts'
import { smallRooms } from './small-rooms.ts'
import { createStockPeer } from './stock-peer.ts'
import { comeBack } from './storm.ts'

/** What the generator says: a question for its server, or the end. */
export type Said = { ask: keyof ServerAnswers } | { result: JobResult } | { failed: string }
export type Told = { job: Job } | { answer?: Memory | undefined }

let heard: (answer: Memory | undefined) => void = () => {}
process.on('message', (told: Told) => {
  if (!('job' in told)) return heard(told.answer)
  run(told.job).then(
    (result) => say({ result }),
    (error) => say({ failed: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  )
})

function say(said: Said): void {
  // Open sockets would keep the process.
  process.send?.(said, undefined, undefined, () => {
    if (!('ask' in said)) process.exit()
  })
}

function ask(question: keyof ServerAnswers): Promise<Memory | undefined> {
  return new Promise((resolve) => {
    heard = resolve
    say({ ask: question })
  })
}

const server: ServerAnswers = {
  memory: async () => (await ask('memory')) ?? { rss: Number.NaN, heap: Number.NaN },
  startProfile: async () => void (await ask('startProfile')),
  endProfile: async () => void (await ask('endProfile')),
}

function run(job: Job): Promise<JobResult> {
  const peer = peerOf(job)
  const { workload } = job
  switch (workload.kind) {
    case 'fan-out':
      return fanOut(peer, job, workload, server)
    case 'rate':
      return rate(peer, job, workload)
    case 'rooms':
      return smallRooms(peer, job, workload)
    case 'idle':
      return idle(peer, job, workload, server)
    case 'first-sync':
      return firstSync(peer, job, workload)
    case 'joins':
      return joinAtOnce(peer, job, workload)
    case 'storm':
      return comeBack(peer, job, workload)
  }
}

function peerOf(job: Job): Peer {
  switch (job.speech) {
    case 'y-websocket':
      return createStockPeer(job, yWebsocket, true)
    case 'bare':
      return createStockPeer(job, yWebsocket, false)
    case 'hocuspocus':
      return createStockPeer(job, hocuspocus, true)
    case 'dupecord':
      return createRelayPeer(job, false)
    case 'dupecord-devices':
      return createRelayPeer(job, true)
  }
}
