// The relay's log: one JSON object a line, on standard error. No token, key, code, password or words of a person ever stand in it, and of a network
// address only what tells one network from another.
import { isIPv4 } from 'node:net'
import { destination, type Logger, pino } from 'pino'
import type { LogLevel } from '../config.ts'
import type { SecurityLog } from '../http/security-log.ts'
import type { HubEvent } from '../hub-ports.ts'

export interface RelayLog extends SecurityLog {
  hub(event: HubEvent): void
  started(facts: Record<string, unknown>): void
  /** Work goes on without it. */
  threadFailed(error: unknown): void
  /** The last words before the process ends. */
  fatal(error: unknown): void
}

export function createRelayLog(level: LogLevel): RelayLog {
  const log: Logger = pino(
    { level, base: null, serializers: { err: describeError, address: shortAddress } },
    destination({ fd: 2, sync: true }),
  )
  return {
    hub(event) {
      switch (event.kind) {
        case 'store-failed':
          return log.error({ err: event.error }, 'a turn failed: memory is read again, devices connect again')
        case 'read-failed':
          return log.error({ err: event.error }, 'a question could not be answered')
        case 'restored':
          return log.warn('the disk is older than what was promised from it: a new incarnation begins')
        case 'room':
          return event.full
            ? log.error('there is no room: writes are refused until there is some')
            : log.warn('there is room again: writes are taken')
        case 'closed':
          return log.debug({ code: event.code, reason: event.reason }, 'link closed')
      }
    },
    started: (facts) => log.info(facts, 'started'),
    threadFailed: (error) => log.error({ err: error }, 'a thread ended: its work is done without it'),
    fatal: (error) => log.fatal({ err: error }, 'the relay ends'),
    security(event) {
      const level =
        event.event.endsWith('refused') || event.event.endsWith('failed') || event.event === 'limited' ? 'warn' : 'info'
      log[level](event, 'security')
    },
    failure: (path, error) => log.error({ path, err: error }, 'a request failed'),
  }
}

/** What broke and where, but none of what an error may carry along: a parser quotes what it could not read, others hold their input. */
export function describeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { type: typeof error }
  const { name, message, stack = '' } = error
  const codes = Object.fromEntries(
    Object.entries(error).filter(([key]) => key === 'code' || key === 'errcode' || key === 'errstr'),
  )
  const frames = stack.split('\n').filter((line) => line.startsWith('    at '))
  const said = error instanceof SyntaxError ? {} : { message }
  return { type: name, ...said, ...codes, stack: frames.join('\n') }
}

/** 203.0.113.x and 2001:db8:1::/48. @param address as it is counted: IPv4, or an IPv6 /64 */
export function shortAddress(address: unknown): string {
  if (typeof address !== 'string' || address === '') return ''
  if (isIPv4(address)) return address.replace(/\d+$/, 'x')
  return `${address.split(':').slice(0, 3).join(':')}::/48`
}
