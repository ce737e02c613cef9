// Thousands of people with accounts, certified devices and sessions, written straight into the store: a sign-up takes its time on purpose.
// They come into a community as everybody does, by an invite and a signed command.
import { nodeHasher, nodeRandom } from '#relay/crypto.ts'
import type { Relay } from '#relay/relay.ts'
import { toBase64Url, utf8 } from '#shared/base/bytes.ts'
import type { SpaceId } from '#shared/base/ids.ts'
import { inviteHash, makeInviteCode } from '#shared/community/invite-code.ts'
import { taggedHash } from '#shared/crypto/signed-bytes.ts'
import { accountIdOf, deviceIdOf } from '#shared/crypto/statements.ts'
import { type Entered, type SeedPerson, seatPerson } from '../../../seed/seed-person.ts'
import type { SeedRelay } from '../../../seed/seed-relay.ts'
import { nativeSigner } from './native-signer.ts'

const yearMs = 365 * 86_400_000

/** @param names of theirs begin so, and are counted on */
export async function enterCrowd(
  { accounts }: Pick<Relay, 'accounts'>,
  now: number,
  names: string,
  count: number,
): Promise<Entered[]> {
  const entered: Entered[] = []
  for (let nr = 0; nr < count; nr++) {
    const username = `${names}${nr}`
    const identity = nativeSigner(nodeRandom.bytes(32)).publicKey
    const signer = nativeSigner(nodeRandom.bytes(32))
    const account = accountIdOf(nodeHasher, identity)
    const dev = deviceIdOf(nodeHasher, signer.publicKey)
    const token = toBase64Url(nodeRandom.bytes(32))
    const created = await accounts.create({
      id: account,
      username,
      email: `${username}@bench.example`,
      emailConfirmed: false,
      salt: nodeRandom.bytes(16),
      passwordDigest: 'nobody signs in by password here',
      identity,
      vault: nodeRandom.bytes(200),
      vaultRev: 1,
      avatar: '',
      created: now,
    })
    if (created !== 'created') throw new Error(`${username} gets no account: ${created}`)
    const key = toBase64Url(signer.publicKey)
    await accounts.putDevice({
      dev,
      account,
      identity: toBase64Url(identity),
      key,
      certificate: '',
      sig: '',
      from: now,
      until: 0,
    })
    const idHash = toBase64Url(taggedHash(nodeHasher, 'session', utf8(token)))
    await accounts.putSession({ idHash, account, dev, created: now, expires: now + yearMs })
    entered.push({ username, account, dev, token, signer })
  }
  return entered
}

/** They come in one after the other and hang up: else each who comes is told to all who are there. */
export async function joinAll(relay: SeedRelay, owner: SeedPerson, space: SpaceId, crowd: readonly Entered[]): Promise<void> {
  const code = makeInviteCode(nodeRandom)
  const hash = inviteHash(nodeHasher, code)
  await owner.command(space, { act: 'invite.create', args: { hash, until: 0, uses: crowd.length }, was: 0 })
  for (const entered of crowd) {
    const person = await seatPerson(relay, nodeRandom, entered)
    await person.command(space, { act: 'member.join', args: { hash }, was: 0 }, code)
    person.hangUp()
  }
}
