// What the HTTP side is built from. Whoever starts the relay hands it in.
import type { HttpBindings } from '@hono/node-server'
import type { Context } from 'hono'
import type { AccountId } from '#shared/base/ids.ts'
import type { Clock, Random } from '#shared/base/ports.ts'
import type { Verifier } from '#shared/crypto/ports.ts'
import type { HttpAnswers } from '#shared/protocol/http-answers.ts'
import type { Hub } from '../hub.ts'
import type { AccountStore } from '../store/account-store.ts'
import type { SecurityLog } from './security-log.ts'
import type { Sessions } from './sessions.ts'
import type { HttpSettings } from './settings.ts'

export interface Health {
  ok: boolean
  /** Plain facts for whoever runs the relay; nothing personal. */
  [fact: string]: unknown
}

export interface HttpPorts {
  settings: HttpSettings
  accounts: AccountStore
  sessions: Sessions
  verifier: Verifier
  clock: Clock
  random: Random
  /** 32 bytes from outside the database. */
  pepper: Uint8Array
  log: SecurityLog
  /** `undefined` for a code that is unknown, used up, over or revoked: one answer for all. */
  previewInvite(code: string, viewer: AccountId | undefined): Promise<HttpAnswers['invite'] | undefined>
  /** Entries that come by a request: the hub decides them like those of links. */
  append: Hub['append']
  ownsCommunity(account: AccountId): Promise<boolean>
  /** The relay's clock, ms: no entry that was accepted is later. */
  relayTime(): Promise<number>
  /** Ends the lines of an account that was erased, and takes away what it left. */
  eraseTraces: Hub['erase']
  health(): Promise<Health>
  /** false: nothing new is stored now. */
  hasRoom?: (() => boolean) | undefined
  metrics?: { readonly contentType: string; text(): Promise<string> } | undefined
  /** Folder of the built app; without one (development) only the API is served. */
  pages: string
}

export type HttpEnv = { Bindings: HttpBindings; Variables: { address: string } }
export type HttpContext = Context<HttpEnv>
