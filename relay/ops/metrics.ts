// What GET /metrics says, in Prometheus' words, and the one door of prom-client. Everything is read when somebody asks: between two askings
// it costs nothing. Figures of the whole relay only: no person, community, channel or address is a label.
import { Counter, collectDefaultMetrics, Gauge, type Metric, Registry } from 'prom-client'
import type { HubHealth } from '../hub.ts'
import type { Distribution, HubCounters } from '../hub-counters.ts'
import type { MetaStore } from '../store/log-store.ts'

export interface MetricsPorts {
  counters: HubCounters
  commits: Distribution
  verifications: Distribution
  hub(): HubHealth
  meta: Pick<MetaStore, 'read'>
  database: { usedBytes(): number; walBytes(): number; sessions(): number }
  freeBytes(): number | undefined
  /** The version of Node. */
  node: string
}

export interface Metrics {
  readonly contentType: string
  text(): Promise<string>
}

const prefix = 'dupecord_'

export function createMetrics(ports: MetricsPorts): Metrics {
  const { counters, database } = ports
  const registry = new Registry()
  const gauge = (name: string, help: string, read: () => number | undefined) =>
    new Gauge({
      name: prefix + name,
      help,
      registers: [registry],
      collect() {
        const value = read()
        if (value === undefined) this.reset()
        else this.set(value)
      },
    })
  const counter = (name: string, help: string, read: () => number) =>
    new Counter({
      name: `${prefix}${name}_total`,
      help,
      registers: [registry],
      collect() {
        this.reset()
        this.inc(read())
      },
    })
  const counted = <Label extends string>(
    name: string,
    help: string,
    label: Label,
    read: () => Iterable<readonly [string | number, number]>,
  ) =>
    new Counter<string>({
      name: `${prefix}${name}_total`,
      help,
      labelNames: [label],
      registers: [registry],
      collect() {
        this.reset()
        for (const [value, count] of read()) this.inc({ [label]: String(value) }, count)
      },
    })

  counted('entries', 'Entries decided, by verdict', 'verdict', () => [
    ['accepted', counters.accepted],
    ['known', counters.known],
    ['refused', [...counters.refused.values()].reduce((sum, count) => sum + count, 0)],
  ])
  counted('entries_refused', 'Entries refused, by code', 'code', () => counters.refused)
  counter('appends_waiting', 'Appends that were told to come again later', () => counters.waits)
  counter('no_room', 'Writes answered with disk_full', () => counters.noRoom)
  counter('commands_done', 'Commands executed', () => counters.commandsDone)
  counted('commands_refused', 'Commands refused, by code', 'code', () => counters.commandsRefused)
  counter('commits', 'Transactions of entries and commands', () => ports.commits.count)
  register(registry, 'commit_seconds', 'Time of a commit, the disk included', ports.commits)
  register(registry, 'turn_entries', 'Entries decided in one turn', counters.turnEntries)
  register(registry, 'verify_seconds', 'Time of a signature checked on the main thread', ports.verifications)
  counter('frames_in', 'Frames that came', () => counters.framesIn)
  counter('bytes_in', 'Bytes of frames that came', () => counters.bytesIn)
  counter('frames_out', 'Frames that were sent', () => counters.framesOut)
  counter('bytes_out', 'Bytes of frames that were sent', () => counters.bytesOut)
  counter('stale', 'Subscriptions that ended because their reader was too slow', () => counters.stale)
  counted('links_closed', 'Links that the relay closed, by code', 'code', () => counters.closed)
  counter('store_failures', 'Turns that failed because the store did', () => counters.storeFailures)
  counter('read_failures', 'Questions that could not be answered', () => counters.readFailures)

  gauge('links', 'Signed-in devices', () => ports.hub().links)
  gauge('stock_readers', 'Stock Yjs readers', () => ports.hub().readers)
  gauge('subscriptions', 'Open segments, over all links', () => ports.hub().subscriptions)
  gauge('inbox_frames', 'Frames that wait for their turn', () => ports.hub().waiting)
  gauge('queue_bytes', 'Bytes that wait for slow readers', () => ports.hub().queuedBytes)
  gauge('sessions', 'Sign-ins that have not ended', database.sessions)
  gauge('room', '1 while writes are taken, 0 while there is no room', () => Number(!ports.hub().full))
  gauge('database_bytes', 'Bytes of the database that hold something', database.usedBytes)
  gauge('database_log_bytes', 'Bytes of the log beside the database', database.walBytes)
  gauge('free_bytes', "Bytes free on the data's file system", ports.freeBytes)
  new Gauge({
    name: `${prefix}info`,
    help: 'What runs here',
    labelNames: ['node', 'incarnation'],
    registers: [registry],
    async collect() {
      const { incarnation } = await ports.meta.read()
      this.reset()
      this.set({ node: ports.node, incarnation }, 1)
    },
  })
  collectDefaultMetrics({ register: registry })
  return { contentType: registry.contentType, text: () => registry.metrics() }
}

/** A distribution as a histogram; prom-client's own would have to be told every value as it comes. */
function register(registry: Registry, name: string, help: string, distribution: Distribution): void {
  const full = prefix + name
  const get = async () => {
    let below = 0
    const buckets = distribution.bounds.map((le, i) => {
      below += distribution.counts[i] ?? 0
      return { metricName: `${full}_bucket`, labels: { le }, value: below }
    })
    const values = [
      ...buckets,
      { metricName: `${full}_bucket`, labels: { le: '+Inf' }, value: distribution.count },
      { metricName: `${full}_sum`, labels: {}, value: distribution.sum },
      { metricName: `${full}_count`, labels: {}, value: distribution.count },
    ]
    return { name: full, help, type: 'histogram', values, aggregator: 'sum' }
  }
  // reason: the registry uses a metric's name and what its `get` answers, and its types ask for one of prom-client's own classes
  registry.registerMetric({ name: full, get } as unknown as Metric)
}
