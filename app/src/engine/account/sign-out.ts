// Ending a session at the relay. What this device keeps is cleared by whoever calls, whether or not the relay could be told.
import type { AccountHttp } from './account-http.ts'

/** false: the relay was not reached, so the session lives there until it runs out, with a token that nobody has any more. */
export async function endSession(http: AccountHttp, token: string): Promise<boolean> {
  const answer = await http.post('/api/sign-out', {}, token)
  return answer.ok || answer.code === 'unauthorized' // it does not know the token: ended already
}
