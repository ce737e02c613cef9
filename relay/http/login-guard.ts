// Who says that he knows a password: checked against the stored digest, at most so often. Wrong ones are counted by what they are tried on and by
// address, before the memory-hard work, and taken back where they were right: a hundred guesses at once would else all find the count at zero.
import type { Clock, Random } from '#shared/base/ports.ts'
import { createPasswordDigests, type PasswordDigests } from './password-digest.ts'
import { createLimiter } from './rate-limits.ts'
import type { HttpSettings } from './settings.ts'

export type Proof = { kind: 'right' } | { kind: 'wrong' } | { kind: 'busy' } | { kind: 'wait'; seconds: number }

export interface LoginGuard {
  readonly digests: PasswordDigests
  /** @param about what is tried: a typed login, or an account @param digest `undefined` where nobody answers to it; costs the same */
  prove(address: string, about: string, digest: string | undefined, authKey: Uint8Array): Promise<Proof>
}

export function createLoginGuard(ports: {
  settings: HttpSettings
  pepper: Uint8Array
  random: Random
  clock: Clock
}): LoginGuard {
  const { settings, clock } = ports
  const digests = createPasswordDigests({ pepper: ports.pepper, random: ports.random, settings: settings.digest })
  const failuresPerLogin = createLimiter(settings.limits.loginFailuresPerLogin, clock)
  const failuresPerAddress = createLimiter(settings.limits.loginFailuresPerAddress, clock)

  return {
    digests,
    async prove(address, about, digest, authKey) {
      const here = `${address} ${about}`
      // The address comes first: made-up logins would else each leave a counter behind.
      const waitAddress = await failuresPerAddress.take(address)
      if (waitAddress > 0) return { kind: 'wait', seconds: waitAddress }
      const waitHere = await failuresPerLogin.take(here)
      if (waitHere > 0) {
        await failuresPerAddress.giveBack(address)
        return { kind: 'wait', seconds: waitHere }
      }
      const right = await digests.holds(digest, authKey)
      if (!right.ok) {
        await failuresPerLogin.giveBack(here)
        await failuresPerAddress.giveBack(address)
        return { kind: 'busy' }
      }
      if (!right.value) return { kind: 'wrong' }
      await failuresPerLogin.forget(here)
      await failuresPerAddress.giveBack(address)
      return { kind: 'right' }
    },
  }
}
