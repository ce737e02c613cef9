// What the log keeps of an address and of an error.
import { expect, test } from 'vitest'
import { describeError, shortAddress } from '#relay/ops/log.ts'
import { openDatabase } from '#relay/store/database.ts'

function thrown(work: () => unknown): unknown {
  try {
    work()
  } catch (error) {
    return error
  }
  throw new Error('it was to throw')
}

test('[OBS-2] of an address only the network is kept', () => {
  const addresses = ['203.0.113.77', '2001:db8:12:3456::/64', '2001:db8:0:1::/64', '0:0:0:0::/64', '']
  expect(addresses.map(shortAddress)).toEqual(['203.0.113.x', '2001:db8:12::/48', '2001:db8:0::/48', '0:0:0::/48', ''])
  expect(shortAddress(undefined)).toBe('')
})

test('[OBS-3] an error keeps what broke and where, and nothing that it carries along', () => {
  const parse = describeError(thrown(() => JSON.parse('{"pepper": secret words')))
  expect(parse).toMatchObject({ type: 'SyntaxError', stack: expect.stringContaining('log.test.ts') })
  expect(JSON.stringify(parse)).not.toMatch(/secret|pepper/)

  const database = openDatabase(':memory:')
  database.sql.exec('CREATE TABLE note (words TEXT PRIMARY KEY) STRICT')
  const put = () => database.sql.prepare('INSERT INTO note VALUES (?)').run('secret words')
  put()
  const constraint = describeError(thrown(put))
  expect(constraint).toMatchObject({ message: 'UNIQUE constraint failed: note.words', errcode: 1555 })
  expect(JSON.stringify(constraint)).not.toContain('secret')
  database.close()

  const laden = Object.assign(new Error('broken'), { code: 'E', input: 'secret', issues: [{ input: 'secret' }] })
  expect(JSON.stringify(describeError(laden))).not.toContain('secret')
  expect(describeError(laden)).toMatchObject({ type: 'Error', message: 'broken', code: 'E' })
  expect(describeError('secret')).toEqual({ type: 'string' })
})
