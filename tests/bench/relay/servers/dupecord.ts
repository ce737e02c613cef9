// This relay on a prepared data directory, with limits that no load of the bench meets; everything else is as it ships.
// argv: the directory; `verified`, `unverified` or `second-core` (verified on a thread of its own); `long` (a channel is one segment, for stock readers stay with theirs) or `shipped`.
import { httpDefaults } from '#relay/http/settings.ts'
import { hubDefaults } from '#relay/hub-ports.ts'
import { createRelayLog } from '#relay/ops/log.ts'
import { openRelay } from '#relay/relay.ts'
import { startServer } from '#relay/server.ts'
import type { Verifier } from '#shared/crypto/ports.ts'
import { noRates } from '../../../fakes/no-rates.ts'
import { sayReady } from './measured.ts'

const [dataDir = '', checks = 'verified', segments = 'long'] = process.argv.slice(2)
const many = 1_000_000_000
const often = { points: many, seconds: 60 }
const asks = { prelogin: often, usernameChecks: often, previews: often, sockets: often }
const http = { ...httpDefaults, newcomersPerAddressMax: many, limits: { ...httpDefaults.limits, ...asks } }
const long = {
  segmentPostsMax: many,
  segmentBytesMax: many,
  segmentElementsFull: many,
  segmentBytesFull: many,
  segmentRowsMax: many,
}
const hub = {
  ...hubDefaults,
  ...(segments === 'long' ? long : {}),
  ...noRates,
  stockReadersMax: many,
}
const yes: Verifier = { verify: () => true, isValidKey: () => true }

const relay = await openRelay({
  dataDir,
  clock: { now: Date.now },
  log: createRelayLog('error'),
  hub,
  http,
  verifyThreads: checks === 'second-core' ? 1 : 0,
  ...(checks === 'unverified' ? { verifier: yes } : {}),
})
const server = await startServer(relay, { host: '127.0.0.1', port: 0, publicUrl: '', origins: [], http })
process.on('SIGTERM', () => void server.stop().then(() => process.exit()))
sayReady(server.port)
