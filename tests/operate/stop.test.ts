// A relay that is stopped, as its devices, its visitors and its operator see it.
import { connect } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { closeCodes } from '#shared/protocol/frames.ts'
import { connectRaw, greetRaw } from '../fakes/raw-device.ts'
import { makePerson } from '../fakes/raw-person.ts'
import { startRelay } from '../fakes/relay-process.ts'

test('[STOP-4] devices are told when to come back, then closed; the process ends well, and the log beside the database is carried over', async () => {
  const relay = await startRelay()
  const person = await makePerson(relay.url, 'ann')
  const devices = [await greetRaw(relay.url, person.token), await connectRaw(relay.url)]
  const told = devices.map((device) => device.heard('restarting'))
  const ended = relay.stop()
  expect(await Promise.all(told)).toMatchObject([{ ms: 2_000 }, { ms: 2_000 }])
  for (const device of devices) expect((await device.closed).code).toBe(closeCodes.restarting)
  expect(await ended).toBe(0)
  const database = new DatabaseSync(join(relay.dataDir, 'relay.db'), { readOnly: true })
  expect(database.prepare('SELECT count(*) AS n FROM account').get()).toMatchObject({ n: 1 })
  database.close()
  await relay.start()
  await (await greetRaw(relay.url, person.token)).end()
  await relay.remove()
})

test('[STOP-7] while lines empty, who comes is told to come again; a second signal waits for nothing', async () => {
  const relay = await startRelay()
  // A socket whose other end says nothing more keeps the relay waiting for a while.
  const silent = await connectRaw(relay.url)
  silent.tcp.pause()
  const { port, hostname } = new URL(relay.url)
  const visitor = connect(Number(port), hostname)
  await new Promise((resolve) => visitor.once('connect', resolve))
  const ended = relay.stop()
  const answered = new Promise<string>((resolve) => {
    let text = ''
    visitor.on('data', (bytes) => {
      text += String(bytes)
      if (text.includes('\r\n\r\n')) resolve(text)
    })
    visitor.on('error', () => resolve(text))
    visitor.on('close', () => resolve(text))
  })
  // Asked again and again: the signal is on its way.
  const asking = setInterval(() => visitor.write('GET /api/health HTTP/1.1\r\nhost: relay\r\n\r\n'), 5)
  let text = await answered
  while (text.startsWith('HTTP/1.1 200') && !text.includes('HTTP/1.1 503') && !visitor.destroyed)
    text = await new Promise<string>((resolve) => visitor.once('data', (bytes) => resolve(`${text}${bytes}`)))
  clearInterval(asking)
  expect(text).toContain('HTTP/1.1 503')
  expect(text.toLowerCase()).toContain('retry-after: 2')
  process.kill(relay.pid, 'SIGTERM')
  expect(await ended).toBe(1)
  silent.cut()
  visitor.destroy()
  await relay.remove()
})
