// Every expected "no", in one table: the code for a program, the text for a person, and whether trying again can help.
// The texts say what is so and what is safe; what can be done about it is the view's button.

export interface RefusalText {
  text: string
  /** `later`: the same again may work. `change`: only something else will. `never`: nothing will. */
  retry: 'later' | 'change' | 'never'
}

export const refusals = {
  // entries
  size: { text: 'This is too long for one message.', retry: 'change' },
  shape: { text: 'The relay could not read this message.', retry: 'never' },
  op: { text: 'The relay is older than this app and does not know this yet.', retry: 'later' },
  ext: { text: 'The relay is older than this app and does not know this yet.', retry: 'later' },
  session: { text: 'This was written under another sign-in.', retry: 'never' },
  duplicate: { text: 'Another message already has this mark.', retry: 'never' },
  clock: { text: 'The clock of this device is ahead. It goes again once the clock is right.', retry: 'later' },
  signature: { text: 'The relay could not confirm that this comes from your device.', retry: 'never' },
  forbidden: { text: 'You may not do this here.', retry: 'change' },
  notmember: { text: 'You are not a member of this community any more.', retry: 'change' },
  nochannel: { text: 'This channel is gone.', retry: 'never' },
  target: { text: 'The message it belongs to is gone.', retry: 'never' },
  notarget: { text: 'It waits for a message that the relay does not have yet.', retry: 'later' },
  // commands
  stale: { text: 'Somebody changed this before you.', retry: 'change' },
  taken: { text: 'There is one of this name already.', retry: 'change' },
  name: { text: 'This name cannot be used.', retry: 'change' },
  topic: { text: 'This topic is too long or holds signs that cannot be shown.', retry: 'change' },
  nomember: { text: 'This person is not a member any more.', retry: 'never' },
  full: { text: 'There is no room for more here.', retry: 'never' },
  invite: { text: 'This invite is not valid any more.', retry: 'never' },
  owner: { text: 'The owner cannot leave or be removed.', retry: 'never' },
  act: { text: 'The relay is older than this app and does not know this yet.', retry: 'later' },
  // accounts
  bad_login: { text: 'Name or password is wrong.', retry: 'change' },
  username: { text: 'Use 2 to 32 small letters, figures, dots or underscores.', retry: 'change' },
  username_taken: { text: 'Somebody has this name already.', retry: 'change' },
  email: { text: 'This does not look like an e-mail address.', retry: 'change' },
  email_taken: { text: 'This e-mail address already has an account.', retry: 'change' },
  password: { text: 'Use 10 to 256 characters.', retry: 'change' },
  password_common: { text: 'This password is easy to guess. Choose another.', retry: 'change' },
  stretch: { text: 'The relay asks for weaker protection of your password than is safe. Nothing was sent.', retry: 'never' },
  vault: { text: 'The keys of this account could not be opened.', retry: 'never' },
  unauthorized: { text: 'You were signed out. Sign in again; nothing you wrote is lost.', retry: 'change' },
  device: { text: 'The relay did not accept this device.', retry: 'change' },
  device_limit: { text: 'Too many devices are signed in. Sign out on one of them.', retry: 'change' },
  too_many: { text: 'Too many tries. Wait a little.', retry: 'later' },
  busy: { text: 'The relay is busy. Try again in a moment.', retry: 'later' },
  // the world
  offline: { text: 'There is no connection to the relay.', retry: 'later' },
  disk_full: { text: 'The relay has no room left. Reading still works; your words are kept here.', retry: 'later' },
  internal: { text: 'Something went wrong. Nothing you wrote is lost.', retry: 'later' },
} as const satisfies Record<string, RefusalText>

export type RefusalCode = keyof typeof refusals

export function isRefusalCode(raw: unknown): raw is RefusalCode {
  return typeof raw === 'string' && Object.hasOwn(refusals, raw)
}
