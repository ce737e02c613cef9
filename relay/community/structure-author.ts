// Writes the structure documents: the relay is their only author. Keeps a few of them in memory and frees the rest; what counts is in the store.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { SpaceId } from '#shared/base/ids.ts'
import { limits } from '#shared/base/limits.ts'
import type { Random } from '#shared/base/ports.ts'
import type { CommunityState } from '#shared/community/state.ts'
import type { CommandRecord } from '#shared/protocol/records.ts'
import {
  createStructure,
  loadStructureEngine,
  openStructure,
  type StructureDocument,
} from '#shared/structure/structure-document.ts'
import type { CommandBatch, CommunityStore } from '../store/community-store.ts'

export interface StructureAuthor {
  /** The change that a command makes, in the epoch that it belongs to; `undefined` where the document does not differ. */
  write(space: SpaceId, state: CommunityState, record: CommandRecord): Promise<CommandBatch['structure']>
  /** Its commit failed, or the community is no more: what is in memory is not what is stored. */
  forget(space: SpaceId): void
  /** Frees all that is held. */
  close(): void
}

export interface StructureSettings {
  /** A document of a lively community takes a few hundred KB of wasm memory. */
  heldMax: number
  /** Then the history ends and a new document begins: a device has to be able to load it. */
  changesMax: number
}

interface Held {
  epoch: number
  document: StructureDocument
}

/** Automerge's wasm (40 ms), once for the process. */
export function loadStructureWasm(): Promise<void> {
  return loadStructureEngine(readFileSync(createRequire(import.meta.url).resolve('@automerge/automerge/automerge.wasm')))
}

/** Loads Automerge's wasm. */
export async function createStructureAuthor(
  ports: { store: Pick<CommunityStore, 'structure'>; random: Random },
  settings: StructureSettings = { heldMax: 16, changesMax: limits.structureChangesMax },
): Promise<StructureAuthor> {
  await loadStructureWasm()
  // Insertion order is the order of use: the first one is the one to free.
  const held = new Map<SpaceId, Held>()

  async function load(space: SpaceId): Promise<Held> {
    const { epoch, changes } = await ports.store.structure(space)
    return changes.length > 0 ? { epoch, document: openStructure(changes) } : begin(epoch)
  }

  function begin(epoch: number): Held {
    return { epoch, document: createStructure(ports.random.bytes(16)) }
  }

  function forget(space: SpaceId): void {
    held.get(space)?.document.free()
    held.delete(space)
  }

  return {
    async write(space, state, record) {
      let current = held.get(space) ?? (await load(space))
      held.delete(space)
      if (current.document.count >= settings.changesMax) {
        current.document.free()
        current = begin(current.epoch + 1)
      }
      held.set(space, current)
      const oldest = held.keys().next()
      if (held.size > settings.heldMax && !oldest.done) forget(oldest.value)
      const bytes = current.document.change(state, record.n, record.at)
      return bytes && { epoch: current.epoch, bytes }
    },
    forget,
    close() {
      for (const space of [...held.keys()]) forget(space)
    },
  }
}
