// An invite as people pass it on. The code stands behind the "#": what stands there is never sent to a server by the browser.

/** 16 bytes as base64url. */
const code = /^[A-Za-z0-9_-]{22}$/

/** @param raw a whole link, "#code", or the code alone @returns '' if there is no code in it */
export function inviteCodeOf(raw: string): string {
  const tail = raw.trim().split('#').at(-1) ?? ''
  return code.test(tail) ? tail : ''
}
