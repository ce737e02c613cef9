// The end of an account at a real relay: of name, address, vault, words and private document no byte is left in any file that the relay has,
// nor in a backup made afterwards; a relay that is killed in the middle goes on, and an older backup that is put back does not bring it back.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { backUp } from '#relay/ops/backup.ts'
import { restore } from '#relay/ops/restore.ts'
import { verify } from '#relay/ops/verify.ts'
import { readDatabaseFile } from '#relay/store/database-file.ts'
import { concatBytes, toBase64Url, utf8 } from '#shared/base/bytes.ts'
import { statementSignedBytes, writeDevRevoke } from '#shared/crypto/statements.ts'
import { encodeUp } from '#shared/protocol/frame-codec.ts'
import { closeCodes, privateStream } from '#shared/protocol/frames.ts'
import { addDevice, entryText, makePerson, postJson, type RawPerson, signEntry, signInByHand } from '../fakes/raw-person.ts'
import { elementsOf, joinByHand, startWorld, type World } from './world.ts'

let world: World
let folder: string
beforeAll(async () => {
  world = await startWorld()
  folder = mkdtempSync(join(tmpdir(), 'dupecord-erased-'))
})
afterAll(async () => {
  await world.remove()
  rmSync(folder, { recursive: true, force: true })
})

const secrets = (name: string) => [name, `${name}@people.example`, `words-of-${name}`, `draft-of-${name}`, `smile-of-${name}`]

/** Which of them stand in a file of the relay's, or in this one. */
function found(words: readonly string[], file?: string): string[] {
  const { dataDir } = world.relay
  const files = file ? [file] : readdirSync(dataDir).map((name) => join(dataDir, name))
  const bytes = files.map((path) => readFileSync(path).toString('latin1'))
  return words.filter((word) => bytes.some((text) => text.includes(word)))
}

/** Waits for a state that the relay comes to by itself; every look is a question to it. */
async function until(holds: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + 40_000
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(`it never came so far: ${what}`)
    await fetch(`${world.relay.url}/health`)
  }
}

async function live(name: string, posts: number): Promise<RawPerson> {
  const person = await makePerson(world.relay.url, name)
  await joinByHand(world, person)
  const { place } = world
  const device = await world.link(person)
  const send = async (fields: Record<string, unknown>) => {
    const entry = signEntry(person.device, place, entryText(person, fields))
    const verdict = await device.verdict(place.channel, entry)
    if (verdict.kind !== 'accepted') throw new Error(`not accepted: ${JSON.stringify(verdict)}`)
    return verdict
  }
  for (let sent = 0; sent < posts; sent += 50) {
    const entries = Array.from({ length: 50 }, (_, i) =>
      signEntry(person.device, place, entryText(person, { body: { t: `words-of-${name} ${sent + i}` } })),
    )
    expect((await device.append(place.channel, entries)).verdicts).toHaveLength(50)
  }
  const post = await send({ body: { t: `words-of-${name}` } })
  await send({ op: 'edit', ref: post.id, body: { t: `words-of-${name} anew` } })
  const { id } = await world.write({ body: { t: 'an honest message' } })
  await send({ op: 'react', ref: id, body: `smile-of-${name}` })
  const draft = utf8(`draft-of-${name}`)
  device.send(encodeUp({ kind: 'stock', stream: privateStream, bytes: concatBytes(Uint8Array.of(0, 2, draft.length), draft) }))
  await until(() => found([`draft-of-${name}`]).length === 1, 'the draft is kept')
  await device.end()
  return person
}

function rosterNames(): unknown[] {
  const database = readDatabaseFile(join(world.relay.dataDir, 'relay.db'))
  const rows = database.all("SELECT username FROM member WHERE username <> ''")
  database.close()
  return rows
}

const erase = (person: RawPerson) =>
  postJson(world.relay.url, '/api/account/erase', { authKey: toBase64Url(person.authKey) }, person.token)

test('[ERA-16] of an erased account no byte is left: files, log, backup; whoever reads sees the rest; an older backup does not bring it back', async () => {
  const name = 'zacharias.quill'
  const words = secrets(name)
  const person = await live(name, 600)
  const device = await world.link(person)
  expect(found(words)).toEqual(words)
  const before = join(folder, 'before.db')
  backUp(world.relay.dataDir, before)

  expect(await erase(person)).toMatchObject({ status: 202 })
  expect((await device.closed).code).toBe(closeCodes.unauthorized)
  await until(() => found(words).length === 0, 'no byte is left')
  const rows = (
    await world.reader.device.heard('members', (m) => m.rows.some((row) => row.account === person.account && row.left > 0))
  ).rows
  expect(rows.find((row) => row.account === person.account)?.username).toBe('')
  await until(() => ![...elementsOf(world.reader.docs).values()].some((text) => text.includes(name)), 'the reader is told')
  expect([...elementsOf(world.reader.docs).values()].filter((text) => text.includes('an honest message'))).toHaveLength(1)

  const after = join(folder, 'after.db')
  backUp(world.relay.dataDir, after)
  expect(found(words, after)).toEqual([])
  await expect(signInByHand(world.relay.url, name, person.authKey)).rejects.toThrow('bad_login')
  await expect(makePerson(world.relay.url, name)).rejects.toThrow('username_taken')

  await world.relay.stop()
  expect(found(words)).toEqual([])
  expect(await verify(join(world.relay.dataDir, 'relay.db'))).toMatchObject({ wrong: 0, findings: [] })
  for (const file of ['relay.db', 'relay.db-wal', 'relay.db-shm']) rmSync(join(world.relay.dataDir, file), { force: true })
  restore(world.relay.dataDir, before)
  expect(found(words)).toEqual(words)
  await world.relay.start()
  await until(() => found(words).length === 0, 'no byte is left after the restore')
  await expect(signInByHand(world.relay.url, name, person.authKey)).rejects.toThrow('bad_login')
})

test('[ERA-17] a relay that is killed right after its word goes on with the erasing at its next start', async () => {
  await world.remove()
  world = await startWorld()
  const name = 'wilhelmina.ink'
  const words = secrets(name)
  const person = await live(name, 2_000)
  expect(await erase(person)).toMatchObject({ status: 202 })
  await until(() => rosterNames().length === 4, 'its name is out of the roster')
  await world.relay.kill()
  expect(found(words)).not.toEqual([])
  expect(await verify(join(world.relay.dataDir, 'relay.db'))).toMatchObject({ wrong: 0, findings: [] })
  await world.relay.start()
  await until(() => found(words).length === 0, 'no byte is left')
  await world.relay.stop()
  expect(await verify(join(world.relay.dataDir, 'relay.db'))).toMatchObject({ wrong: 0, findings: [] })
  await world.relay.start()
})

test('[REV-4, check 17] a revoked device’s live line ends, and nothing by it is accepted any more; its key says until when', async () => {
  const laptop = await makePerson(world.relay.url, 'penelope.nib')
  await joinByHand(world, laptop)
  const token = await signInByHand(world.relay.url, laptop.username, laptop.authKey)
  const phone = await addDevice(world.relay.url, laptop, token)
  const [line, other] = [await world.link(phone), await world.link(laptop)]
  const post = () => signEntry(phone.device, world.place, entryText(phone))
  const verdict = await line.verdict(world.place.channel, post())
  expect(verdict).toMatchObject({ kind: 'accepted' })

  const statement = writeDevRevoke({
    account: laptop.account,
    identity: laptop.identity.publicKey,
    dev: phone.dev,
    at: Date.now(),
    why: 'left on a train',
  })
  const sig = toBase64Url(laptop.identity.sign(statementSignedBytes(statement)))
  const asked = performance.now()
  const answer = await postJson(world.relay.url, '/api/devices/revoke', { statement, sig }, laptop.token)
  expect(answer.status).toBe(200)
  expect((await line.closed).code).toBe(closeCodes.unauthorized)
  expect(performance.now() - asked).toBeLessThan(1_000)
  await expect(world.link(phone)).rejects.toThrow(String(closeCodes.unauthorized))
  const late = await postJson(
    world.relay.url,
    `/api/channels/${world.place.channel}/entries`,
    { space: world.place.space, entries: [new TextDecoder().decode(post())] },
    phone.token,
  )
  expect(late).toMatchObject({ status: 401, json: { code: 'unauthorized' } })
  other.say({ t: 'keys', devs: [phone.dev, laptop.dev] })
  const { rows } = await other.heard('keys')
  const until = rows.find(({ dev }) => dev === phone.dev)?.until ?? 0
  expect(until).toBe(answer.json.until)
  if (verdict.kind === 'accepted') expect(until).toBeGreaterThanOrEqual(verdict.at)
  expect(rows.find(({ dev }) => dev === laptop.dev)?.until).toBe(0)
})

test('[PW-5, check 17] at a new password every old token and line is dead within a second; the new token goes on', async () => {
  const laptop = await makePerson(world.relay.url, 'barnaby.blot')
  const phone = await addDevice(world.relay.url, laptop, await signInByHand(world.relay.url, laptop.username, laptop.authKey))
  const [own, other] = [await world.link(laptop), await world.link(phone)]
  const body = {
    authKey: toBase64Url(laptop.authKey),
    salt: toBase64Url(new Uint8Array(16).fill(3)),
    newAuthKey: toBase64Url(new Uint8Array(32).fill(4)),
    vault: toBase64Url(new Uint8Array(90).fill(5)),
    vaultRev: 1,
  }
  const asked = performance.now()
  const answer = await postJson(world.relay.url, '/api/password', body, laptop.token)
  expect(answer).toMatchObject({ status: 200, json: { vaultRev: 2 } })
  expect([(await own.closed).code, (await other.closed).code]).toEqual([closeCodes.restarting, closeCodes.unauthorized])
  expect(performance.now() - asked).toBeLessThan(1_000)
  for (const person of [laptop, phone]) await expect(world.link(person)).rejects.toThrow(String(closeCodes.unauthorized))
  const again = await world.link({ ...laptop, token: String(answer.json.token) })
  await again.end()
})
