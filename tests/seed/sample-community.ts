// The project's first data model to look at: users dupe and dupette, "Sample Server" with channels general and voice, "Hello, world!".
import { nodeRandom } from '#relay/crypto.ts'
import { loadSodium } from '#shared/crypto/sodium.ts'
import { type MadeCommunity, makeCommunity } from './seed-community.ts'
import { enterPerson } from './seed-person.ts'
import { openSeedRelay } from './seed-relay.ts'

export const samplePeople = ['dupe', 'dupette'] as const

export async function seedSample(dataDir: string, password: string, now: number): Promise<MadeCommunity> {
  const relay = await openSeedRelay(dataDir, now)
  try {
    const sodium = await loadSodium()
    const enter = (username: string) =>
      enterPerson(relay, sodium, nodeRandom, { username, email: `${username}@sample.example`, password })
    const dupe = await enter(samplePeople[0])
    const dupette = await enter(samplePeople[1])
    const made = await makeCommunity(relay, nodeRandom, [dupe, dupette], 'Sample Server', [
      { name: 'general', topic: '', kind: 'text' },
      { name: 'voice', topic: '', kind: 'voice' },
    ])
    const [channel] = made.channels
    if (!channel) throw new Error('a community has a first channel')
    const hello = dupe.sign({ space: made.space, channel }, { op: 'post', ref: 0, body: { t: 'Hello, world!' } })
    const verdicts = await dupe.append(channel, [hello.bytes])
    if (verdicts[0]?.kind !== 'accepted') throw new Error(`the relay does not take it: ${JSON.stringify(verdicts)}`)
    await dupe.leave()
    await dupette.leave()
    return made
  } finally {
    await relay.close()
  }
}
