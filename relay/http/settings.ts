// What an operator may set of the HTTP side, with SECURITY's defaults. Tests and benches set their own.
import { limits } from '#shared/base/limits.ts'

/** A token bucket: `points` at once, and as many again in `seconds`, evenly; over it `429` and the seconds until the next. */
export interface RateLimit {
  points: number
  seconds: number
}

export interface HttpSettings {
  limits: {
    prelogin: RateLimit
    /** Failed logins by login and address: an attacker elsewhere never locks a person out. */
    loginFailuresPerLogin: RateLimit
    loginFailuresPerAddress: RateLimit
    registerPerAddress: RateLimit
    /** Accounts made on this relay. */
    registerPerDay: RateLimit
    usernameChecks: RateLimit
    previews: RateLimit
    sockets: RateLimit
    /** Requests with entries, by account; the entries themselves have the hub's bucket. */
    entryPosts: RateLimit
    /** Statements about devices, by account. */
    devices: RateLimit
  }
  session: {
    idleMs: number
    absoluteMs: number
    /** A session in use is prolonged at most this often: a write a day, not a write a request. */
    renewMs: number
    /** How long a session may wait for its device's certificate. */
    uncertifiedMs: number
  }
  digest: {
    passes: number
    memoryKiB: number
    /** Digests under way at once; the next is told `busy`. */
    atOnceMax: number
  }
  /** A request body; the largest is a registration with its vault. */
  bodyBytesMax: number
  /** Except for the one that brings entries. */
  entryPostBytesMax: number
  /** Lets an operator's collector read /metrics from elsewhere; '' = nobody. */
  metricsToken: string
  /** Sockets of one address at one time that have not said hello yet. */
  newcomersPerAddressMax: number
  /** Addresses and subnets (`10.0.0.0/8`) whose X-Forwarded-For is believed. */
  trustedProxies: string[]
  /** The relay is reached over TLS: send HSTS. */
  tls: boolean
}

const minute = 60
const hour = 60 * minute
const day = 24 * hour

export const httpDefaults: HttpSettings = {
  limits: {
    prelogin: { points: 30, seconds: minute },
    loginFailuresPerLogin: { points: 5, seconds: 15 * minute },
    loginFailuresPerAddress: { points: 20, seconds: hour },
    registerPerAddress: { points: 5, seconds: hour },
    registerPerDay: { points: 50, seconds: day },
    usernameChecks: { points: 60, seconds: minute },
    previews: { points: 20, seconds: minute },
    sockets: { points: 30, seconds: minute },
    entryPosts: { points: 120, seconds: minute },
    devices: { points: 30, seconds: minute },
  },
  session: { idleMs: 30 * day * 1000, absoluteMs: 180 * day * 1000, renewMs: day * 1000, uncertifiedMs: hour * 1000 },
  digest: { passes: 2, memoryKiB: 19_456, atOnceMax: 8 },
  bodyBytesMax: 16_384,
  entryPostBytesMax: limits.entryPostBytesMax,
  metricsToken: '',
  newcomersPerAddressMax: 20,
  trustedProxies: [],
  tls: false,
}
