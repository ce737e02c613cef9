// The one dialog that may lie over the page. A dialog is named with what it is about; the components look the rest up.
import type { AccountId, ChannelId, SpaceId } from '#shared/base/ids.ts'

export type Overlay =
  | { kind: 'start-community' }
  | { kind: 'rename-community'; space: SpaceId }
  | { kind: 'make-channel'; space: SpaceId }
  | { kind: 'channel-settings'; space: SpaceId; channel: ChannelId }
  | { kind: 'delete-channel'; space: SpaceId; channel: ChannelId }
  | { kind: 'make-invite'; space: SpaceId }
  | { kind: 'leave'; space: SpaceId }
  | { kind: 'remove-member'; space: SpaceId; account: AccountId; username: string }
  | { kind: 'sign-out'; unsent: number }
  | { kind: 'switcher' }
  | { kind: 'shortcuts' }

let open = $state.raw<Overlay | undefined>()

export function overlay(): Overlay | undefined {
  return open
}

export function openOverlay(next: Overlay): void {
  open = next
}

export function closeOverlay(): void {
  open = undefined
}
