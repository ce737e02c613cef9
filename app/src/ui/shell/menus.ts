// What can be done with a community, a channel and a member: one list each, wherever its menu is opened from.
import Copy from '@lucide/svelte/icons/copy'
import Hash from '@lucide/svelte/icons/hash'
import LogOut from '@lucide/svelte/icons/log-out'
import MoveDown from '@lucide/svelte/icons/move-down'
import MoveUp from '@lucide/svelte/icons/move-up'
import Pencil from '@lucide/svelte/icons/pencil'
import Settings from '@lucide/svelte/icons/settings'
import Ticket from '@lucide/svelte/icons/ticket'
import Trash from '@lucide/svelte/icons/trash-2'
import UserMinus from '@lucide/svelte/icons/user-minus'
import { type ChannelView, type CommunityView, type MemberView, moveChannelBy } from '#app/state/communities.svelte.ts'
import { whyOff } from '#app/state/connection.svelte.ts'
import { openOverlay } from '#app/state/overlay.svelte.ts'
import type { MenuEntry } from '../kit/menu.svelte.ts'
import { say } from '../kit/toast.svelte.ts'

const ownerOnly = 'owner only'

export function communityMenu(community: CommunityView): MenuEntry[] {
  const space = community.id
  const owned = community.mine ? '' : ownerOnly
  return [
    {
      label: 'Make an invite link…',
      icon: Ticket,
      off: owned || whyOff(),
      run: () => openOverlay({ kind: 'make-invite', space }),
    },
    { label: 'Make a channel…', icon: Hash, off: owned || whyOff(), run: () => openOverlay({ kind: 'make-channel', space }) },
    { label: 'Rename the community…', icon: Pencil, off: owned, run: () => openOverlay({ kind: 'rename-community', space }) },
    'part',
    {
      label: 'Leave…',
      icon: LogOut,
      danger: true,
      off: community.mine ? 'you own it' : whyOff(),
      run: () => openOverlay({ kind: 'leave', space }),
    },
  ]
}

export function channelMenu(community: CommunityView, channel: ChannelView): MenuEntry[] {
  const place = { space: community.id, channel: channel.id }
  const owned = community.mine ? '' : ownerOnly
  const at = community.channels.findIndex(({ id }) => id === channel.id)
  const isLast = at === community.channels.length - 1
  return [
    { label: 'Name and topic…', icon: Settings, off: owned, run: () => openOverlay({ kind: 'channel-settings', ...place }) },
    {
      label: 'Move up',
      icon: MoveUp,
      end: 'Alt Shift ↑',
      off: owned || (at === 0 ? 'first already' : ''),
      run: () => void moveChannelBy(community, channel.id, -1),
    },
    {
      label: 'Move down',
      icon: MoveDown,
      end: 'Alt Shift ↓',
      off: owned || (isLast ? 'last already' : ''),
      run: () => void moveChannelBy(community, channel.id, 1),
    },
    'part',
    {
      label: 'Remove the channel…',
      icon: Trash,
      danger: true,
      off: owned || whyOff(),
      run: () => openOverlay({ kind: 'delete-channel', ...place }),
    },
  ]
}

export function memberMenu(community: CommunityView, member: MemberView): MenuEntry[] {
  const { account, username } = member
  const off = community.mine ? (member.owner ? 'owns it' : whyOff()) : ownerOnly
  return [
    { heading: username },
    { label: 'Copy the name', icon: Copy, run: () => void copy(username, 'Name copied.') },
    'part',
    {
      label: 'Remove from the community…',
      icon: UserMinus,
      danger: true,
      off,
      run: () => openOverlay({ kind: 'remove-member', space: community.id, account, username }),
    },
  ]
}

export async function copy(text: string, done: string): Promise<void> {
  await navigator.clipboard.writeText(text)
  await say(done)
}
