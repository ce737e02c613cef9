// Faults that are planted once, to see that the oracles see them: each changes what one port says, never the product's code.
// `outside` stands between the hub, or the core, and the gate of its process; `inside` stands between the gate and the disk.

import type { DeviceStore } from '#app/engine/device-store.ts'
import type { CommunityStore } from '#relay/store/community-store.ts'
import type { LogStore } from '#relay/store/log-store.ts'
import type { EntryId } from '#shared/base/ids.ts'
import type { Verifier } from '#shared/crypto/ports.ts'

export interface Mutant {
  says: string
  log?: (store: LogStore, world: MutantWorld) => LogStore
  logOutside?: (store: LogStore) => LogStore
  community?: (store: CommunityStore, world: MutantWorld) => CommunityStore
  relayVerifier?: (verifier: Verifier) => Verifier
  device?: (store: DeviceStore) => DeviceStore
  deviceOutside?: (store: DeviceStore) => DeviceStore
}

export interface MutantWorld {
  /** Ids that a device brought, as against ids that it only refers to. */
  brought(id: EntryId): boolean
}

export const honest: Mutant = { says: 'nothing is wrong' }

export const mutants: { readonly [name: string]: Mutant } = {}
