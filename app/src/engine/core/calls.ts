// The calls of api.ts that the core answers itself. The others (accounts, previews, drafts) are the shell's.
import type { CommandId, EntryId, SpaceId } from '#shared/base/ids.ts'
import { idBytes, idFromBytes } from '#shared/base/ids.ts'
import type { CallAnswer, CallName, Calls } from '../api.ts'
import {
  createChannel,
  createCommunity,
  createInvite,
  deleteChannel,
  join,
  leave,
  moveChannel,
  removeMember,
  renameChannel,
  renameCommunity,
  setTopic,
} from './community-calls.ts'
import { dropUnsent, editMessage, type Outcome, openChannel, removeMessage, retryUnsent, sendMessage } from './message-calls.ts'
import { markRead } from './read-markers.ts'
import { changed, drop, type World } from './state.ts'

type OwnName =
  | 'createCommunity'
  | 'renameCommunity'
  | 'createChannel'
  | 'renameChannel'
  | 'setTopic'
  | 'moveChannel'
  | 'deleteChannel'
  | 'createInvite'
  | 'leave'
  | 'removeMember'
  | 'dismissOutcome'
  | 'send'
  | 'edit'
  | 'remove'
  | 'retryUnsent'
  | 'dropUnsent'
  | 'openChannel'
  | 'markRead'

/** `join` takes the community too: the shell has asked where the code leads. */
export type CoreCalls = { [Name in OwnName]: Calls[Name]['args'] } & { join: { code: string; space: SpaceId } }
export type CoreCallName = keyof CoreCalls

type Handler<Name extends CoreCallName> = (
  world: World,
  id: EntryId,
  args: CoreCalls[Name],
  answer: (answer: CallAnswer<Name>) => void,
) => void | Promise<void>

const handlers: { [Name in CoreCallName]: Handler<Name> } = {
  createCommunity: (world, id, args, answer) => createCommunity(world, commandId(id), args, answer),
  renameCommunity: (world, id, args, answer) => renameCommunity(world, commandId(id), args, answer),
  createChannel: (world, id, args, answer) => createChannel(world, commandId(id), args, answer),
  renameChannel: (world, id, args, answer) => renameChannel(world, commandId(id), args, answer),
  setTopic: (world, id, args, answer) => setTopic(world, commandId(id), args, answer),
  moveChannel: (world, id, args, answer) => moveChannel(world, commandId(id), args, answer),
  deleteChannel: (world, id, args, answer) => deleteChannel(world, commandId(id), args, answer),
  createInvite: (world, id, args, answer) => createInvite(world, commandId(id), args, answer),
  join: (world, id, args, answer) => join(world, commandId(id), args, answer),
  leave: (world, id, args, answer) => leave(world, commandId(id), args, answer),
  removeMember: (world, id, args, answer) => removeMember(world, commandId(id), args, answer),
  dismissOutcome: (world, _, args, answer) => {
    drop(world, 'outcome', args.id)
    changed(world, 'outcomes')
    answer({ ok: true, value: null })
  },
  send: (world, id, args, answer) => {
    const outcome = sendMessage(world, id, args)
    answer(outcome === 'ok' ? { ok: true, value: { id } } : { ok: false, code: outcome })
  },
  edit: async (world, id, args, answer) => answer(plain(await editMessage(world, id, args))),
  remove: async (world, id, args, answer) => answer(plain(await removeMessage(world, id, args))),
  retryUnsent: (world, id, args, answer) => answer(plain(retryUnsent(world, id, args))),
  dropUnsent: (world, _, args, answer) => answer(plain(dropUnsent(world, args))),
  openChannel: (world, _, args, answer) => answer(plain(openChannel(world, args))),
  markRead: async (world, _, args, answer) => {
    await markRead(world, args.channel, args.seq)
    answer({ ok: true, value: null })
  },
}

/** The answer is given once what it says is saved. */
export async function answerCall<Name extends CoreCallName>(
  world: World,
  id: EntryId,
  name: Name,
  args: CoreCalls[Name],
  answer: (answer: CallAnswer<CallName>) => void,
): Promise<void> {
  // Handlers of commands answer by themselves, in a later turn's `after`; what is said within this one waits for its end.
  let inside = true
  await handlers[name](world, id, args, (result) => {
    if (inside) world.turn.after.push(() => answer(result))
    else answer(result)
  })
  inside = false
}

function plain(outcome: Outcome): { ok: true; value: null } | { ok: false; code: Exclude<Outcome, 'ok'> } {
  return outcome === 'ok' ? { ok: true, value: null } : { ok: false, code: outcome }
}

/** One call, one id: what it writes into a log and what it writes into a chain are told apart by where they stand. */
function commandId(id: EntryId): CommandId {
  return idFromBytes<'command'>(idBytes(id))
}
