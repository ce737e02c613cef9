// What a relay at its most talkative writes down of people: nothing that is theirs.
import { afterAll, expect, test } from 'vitest'
import { toBase64Url } from '#shared/base/bytes.ts'
import { idFromBytes } from '#shared/base/ids.ts'
import { statementSignedBytes, writeDevRevoke } from '#shared/crypto/statements.ts'
import { greetRaw } from '../fakes/raw-device.ts'
import { entryText, makePerson, postJson, signEntry, someBytes } from '../fakes/raw-person.ts'
import { type RelayProcess, startRelay } from '../fakes/relay-process.ts'
import { giveCommand } from './world.ts'

let relay: RelayProcess | undefined
afterAll(() => relay?.remove())

test('[OBS-1, check 51] no token, key, address, mail address or word of a person stands in the log, and what happened does', async () => {
  let log = ''
  relay = await startRelay({ LOG_LEVEL: 'debug', TRUSTED_PROXIES: '127.0.0.1' }, undefined, (text) => {
    log += text
  })
  const { url } = relay
  const person = await makePerson(url, 'zacharias.quill')
  const from = async (address: string, login: string) => {
    const headers = { 'content-type': 'application/json', 'x-forwarded-for': address }
    const body = JSON.stringify({ login, authKey: toBase64Url(new Uint8Array(32)) })
    await fetch(`${url}/api/login`, { method: 'POST', headers, body })
  }
  // People type their password where a name belongs.
  await from('203.0.113.77', 'hunter2-my-password')
  await from('2001:db8:12:3456:789a::1', 'zacharias.quill')

  const device = await greetRaw(url, person.token)
  const [space, channel] = [idFromBytes<'space'>(someBytes(16)), idFromBytes<'channel'>(someBytes(16))]
  const args = { name: 'A secret society', channel, channelName: 'cellar' }
  await giveCommand(device, person, space, { act: 'community.create', args, was: 0 })
  await device.verdict(
    channel,
    signEntry(person.device, { space, channel }, entryText(person, { body: { t: 'words of a person' } })),
  )
  await device.verdict(
    channel,
    signEntry(person.identity, { space, channel }, entryText(person, { body: { t: 'words of a person' } })),
  )
  device.send(Uint8Array.of(9, 9))
  await device.closed
  const revocation = writeDevRevoke({
    account: person.account,
    identity: person.identity.publicKey,
    dev: person.dev,
    at: 1,
    why: 'left on a train',
  })
  const sig = toBase64Url(person.identity.sign(statementSignedBytes(revocation)))
  const body = { authKey: toBase64Url(person.authKey), statement: revocation, sig }
  expect(await postJson(url, '/api/account/erase', body, person.token)).toMatchObject({ json: { code: 'owner' } })
  expect(await postJson(url, '/api/account/erase', { authKey: toBase64Url(someBytes(32)) }, person.token)).toMatchObject({
    status: 401,
  })
  expect(await postJson(url, '/api/devices/revoke', body, person.token)).toMatchObject({ status: 200 })
  await relay.stop()

  for (const happened of [
    '"registered"',
    '"signed_in"',
    '"sign_in_failed"',
    '"device_certified"',
    '"proof_failed"',
    '"device_revoked"',
  ])
    expect(log).toContain(happened)
  expect(log).toContain('link closed')
  expect(log).toContain('203.0.113.x')
  expect(log).toContain('2001:db8:12::/48')
  const theirs = {
    'a token': person.token,
    'a key that a password gives': toBase64Url(person.authKey),
    'a mail address': '@people.example',
    'a username': 'zacharias',
    'what was typed as a login': 'hunter2',
    'the words of a message': 'words of a person',
    'the name of a community': 'secret society',
    'the words of a revocation': 'train',
    'an IPv4 address': '203.0.113.77',
    'an IPv6 address': '3456',
    'a signature': sig,
  }
  for (const [what, text] of Object.entries(theirs)) expect(log.includes(text), what).toBe(false)
  expect(log, 'a loopback address in full').not.toContain('127.0.0.1')
})
