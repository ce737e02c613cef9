// What /metrics says, who may read it, and that it names nobody.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { httpDefaults } from '#relay/http/settings.ts'
import { hubDefaults } from '#relay/hub-ports.ts'
import { createRelayLog } from '#relay/ops/log.ts'
import { openRelay, type Relay } from '#relay/relay.ts'

const token = 'only-the-operator-knows'
let folder = ''
let relay: Relay

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dupecord-metrics-'))
  relay = await openRelay({
    dataDir: folder,
    clock: { now: () => Date.now() },
    log: createRelayLog('silent'),
    hub: hubDefaults,
    http: { ...httpDefaults, metricsToken: token },
  })
})
afterEach(async () => {
  await relay.close()
  rmSync(folder, { recursive: true })
})

const ask = async (path: string, remoteAddress: string, headers: Record<string, string> = {}) =>
  relay.http.request(path, { headers }, { incoming: { socket: { remoteAddress } } })

test('[MET-1] figures are given on the machine itself, and elsewhere for the token only; a proxy is elsewhere', async () => {
  const statusOf = async (address: string, headers?: Record<string, string>) => (await ask('/metrics', address, headers)).status
  expect([await statusOf('127.0.0.1'), await statusOf('::1'), await statusOf('::ffff:127.0.0.1')]).toEqual([200, 200, 200])
  expect(await statusOf('192.0.2.1')).toBe(403)
  for (const name of ['x-forwarded-for', 'forwarded', 'x-real-ip', 'via'])
    expect(await statusOf('127.0.0.1', { [name]: '127.0.0.1' }), name).toBe(403)
  expect(await statusOf('192.0.2.1', { authorization: `Bearer ${token}` })).toBe(200)
  for (const wrong of ['', `Bearer ${token}x`, `Bearer ${token.slice(1)}`, `Basic ${token}`, 'Bearer '])
    expect(await statusOf('192.0.2.1', { authorization: wrong }), wrong).toBe(403)
})

test('[MET-2] every figure has its help and type, counters count, and nothing in it is of a person or a place', async () => {
  relay.hub.connect({ send: () => {}, close: () => {}, queuedBytes: () => 7 }).receive(Uint8Array.of(9))
  const answer = await ask('/metrics', '127.0.0.1')
  const text = await answer.text()
  expect(answer.headers.get('content-type')).toContain('text/plain; version=0.0.4')
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  // The text format of Prometheus: name, labels, value.
  for (const line of lines) expect(line).toMatch(/^[a-z_0-9]+(\{([a-z_]+="[^"]*",?)+\})? -?(\d|NaN|\+Inf|Nan)\S*$/i)
  const named = new Set(lines.map((line) => line.split(/[{ ]/)[0]))
  for (const name of [
    'entries_total',
    'commits_total',
    'commit_seconds_bucket',
    'commit_seconds_sum',
    'turn_entries_count',
    'verify_seconds_count',
    'frames_in_total',
    'bytes_out_total',
    'links',
    'stock_readers',
    'subscriptions',
    'queue_bytes',
    'stale_total',
    'links_closed_total',
    'store_failures_total',
    'sessions',
    'room',
    'database_bytes',
    'database_log_bytes',
    'free_bytes',
    'info',
  ])
    expect(named, name).toContain(`dupecord_${name}`)
  expect(named).toContain('nodejs_eventloop_lag_seconds')
  expect(named).toContain('process_resident_memory_bytes')
  expect(text).toContain('dupecord_links_closed_total{code="4400"} 1')
  expect(text).toContain('dupecord_frames_in_total 1')
  expect(text).toContain('dupecord_room 1')
  const labels = new Set([...text.matchAll(/[{,]([a-z_]+)="/g)].map((found) => found[1]))
  const process = ['type', 'space', 'kind', 'version', 'major', 'minor', 'patch']
  for (const label of labels) expect(['verdict', 'code', 'le', 'node', 'incarnation', ...process], label).toContain(label)
})

test('[MET-3] health says whether writes are taken, by the same figure', async () => {
  const answer = await ask('/health', '192.0.2.1')
  expect([answer.status, await answer.json()]).toMatchObject([200, { ok: true, full: false, links: 0 }])
})
