// What may be a username, an e-mail address and a password: one set of rules for the form, the device and the relay.

const username = /^[a-z0-9._]{2,32}$/
// Only what any address has: whether it works, a mail says. 254 is the longest that SMTP carries (RFC 5321 §4.5.3.1).
const email = /^[^\s@\p{C}]{1,64}@[^\s@.\p{C}]+(\.[^\s@.\p{C}]+)+$/u
const emailCharactersMax = 254
const loginCharactersMax = 254
const passwordPoints = { least: 10, most: 256 }

export function isUsername(raw: string): boolean {
  return username.test(raw)
}

export function isEmail(raw: string): boolean {
  return raw.length <= emailCharactersMax && email.test(raw)
}

/** 10 to 256 code points after NFKC, and no other rule: rules of composition make people choose worse. */
export function isPasswordLength(raw: string): boolean {
  const points = [...raw.normalize('NFKC')].length
  return points >= passwordPoints.least && points <= passwordPoints.most
}

/** A username or an address as a person may type it, in the one form that is looked up; '' for what can be neither. */
export function foldLogin(raw: string): string {
  const folded = raw.trim().toLowerCase()
  return folded.length <= loginCharactersMax ? folded : ''
}
