// What may be asked of the relay over HTTP beside signing in: is a name free, and what is behind an invite.
import type { InvitePreview } from '#app/engine/api.ts'
import { isUsername } from '#shared/protocol/account-rules.ts'
import type { AccountHttp } from './account-http.ts'
import { type AccountAnswer, readAnswer } from './relay-answers.ts'

export async function askUsernameFree(http: AccountHttp, username: string): Promise<AccountAnswer<{ free: boolean }>> {
  if (!isUsername(username)) return { ok: false, code: 'username' }
  return readAnswer('username', await http.post('/api/username', { username }))
}

/** @param token '' when nobody is signed in; with one, `joined` tells whether one is a member already */
export async function askInvite(http: AccountHttp, code: string, token: string): Promise<AccountAnswer<InvitePreview>> {
  return readAnswer('invite', await http.post('/api/invite', { code }, token === '' ? undefined : token))
}
