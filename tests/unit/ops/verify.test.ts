// The check finds each kind of damage, names its place, and finds nothing where all is well. Each is done to a copy of a small whole community.

import { closeSync, copyFileSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { runCommandLine } from '#relay/ops/command-line.ts'
import { verify } from '#relay/ops/verify.ts'
import { openDatabase } from '#relay/store/database.ts'
import { farBlob } from '#relay/store/far-blob.ts'
import { utf8 } from '#shared/base/bytes.ts'
import { tapeOfElement } from '#shared/log/tape.ts'
import { copyGoldenDatabase } from '../../fakes/golden-database.ts'

let folder = ''
let whole = ''
let spoilt = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dupecord-verify-'))
  whole = join(folder, 'whole.db')
  spoilt = join(folder, 'relay.db')
  copyGoldenDatabase(whole)
  openDatabase(whole).close()
})
afterAll(() => rmSync(folder, { recursive: true }))
beforeEach(() => {
  for (const name of ['', '-wal', '-shm']) rmSync(`${spoilt}${name}`, { force: true })
  copyFileSync(whole, spoilt)
})

function change(work: (sql: DatabaseSync) => void): void {
  const sql = new DatabaseSync(spoilt)
  sql.exec('PRAGMA foreign_keys=OFF')
  work(sql)
  sql.close()
}

/** The busiest segment: a snapshot with deleted elements, and rows behind it. */
const segment =
  "(SELECT segment FROM tape_row JOIN segment ON segment.id = segment WHERE deleted <> '[]' AND segment IN (SELECT segment FROM tape_snapshot) LIMIT 1)"
const standing = "(SELECT id FROM entry WHERE kind = 'accepted' AND op = 'post' AND gone = 0 ORDER BY seq LIMIT 1)"
const large = '(SELECT channel FROM entry GROUP BY channel ORDER BY count(*) DESC LIMIT 1)'

/** What is done · the kinds that must be among the findings. */
const damages: readonly [name: string, damage: string | ((sql: DatabaseSync) => void), codes: string[], where: RegExp][] = [
  [
    'a letter of a message is another',
    (sql) => replaceIn(sql, 'the kettle is on', 'the kettle is in'),
    ['signature'],
    /^clock \d+ of segment/,
  ],
  [
    'a tape is torn',
    `UPDATE tape_row SET tape = substr(tape, 1, length(tape) - 1) WHERE segment = ${segment}`,
    ['tape'],
    /^segment/,
  ],
  [
    'a row of tape is missing',
    'DELETE FROM tape_row WHERE (segment, clock) IN (SELECT segment, max(clock) FROM tape_row GROUP BY segment LIMIT 1)',
    ['next', 'entry-missing'],
    /^segment|^entry/,
  ],
  ['a snapshot is missing', `DELETE FROM tape_snapshot WHERE segment = ${segment}`, ['tape-gap'], /^segment/],
  ['a row says another count', `UPDATE tape_row SET count = count + 1 WHERE segment = ${segment}`, ['tape-count'], /^segment/],
  ['an element is none', (sql) => nonsense(sql), ['element'], /^clock 0 of segment/],
  ['a segment counts other bytes', `UPDATE segment SET bytes = 10 WHERE id = ${segment}`, ['bytes'], /^segment/],
  ['a segment counts other posts', `UPDATE segment SET posts = posts + 1 WHERE id = ${segment}`, ['posts'], /^segment/],
  ['a segment says that nothing is deleted', `UPDATE segment SET deleted = '[]' WHERE id = ${segment}`, ['deleted'], /^segment/],
  ['a segment has no Yjs client', `UPDATE segment SET client = 0 WHERE id = ${segment}`, ['client', 'yjs'], /^segment/],
  [
    'a segment is an annex of nothing',
    `UPDATE segment SET of = 'AAAAAAAAAAAAAAAAAAAAAA' WHERE id = ${segment}`,
    ['annex'],
    /^segment/,
  ],
  ['a segment is open again', `UPDATE segment SET sealed = 0 WHERE id = ${segment}`, ['sealed'], /^segment/],
  ['an entry row is missing', `DELETE FROM entry WHERE id = ${standing}`, ['entry-row', 'seq'], /^(segment|channel|entry)/],
  ['an entry row says it is gone', `UPDATE entry SET gone = 1 WHERE id = ${standing}`, ['redacted-text'], /^entry/],
  [
    'an entry row says it stands',
    "UPDATE entry SET gone = 0 WHERE op = 'post' AND gone = 1",
    ['entry-missing', 'redact-left'],
    /^entry/,
  ],
  [
    'an entry row has another author',
    `UPDATE entry SET by = (SELECT id FROM account WHERE id <> by LIMIT 1) WHERE id = ${standing}`,
    ['entry-place'],
    /^clock/,
  ],
  [
    'an entry row stands elsewhere',
    `UPDATE entry SET clock = clock + 1 WHERE id = ${standing}`,
    ['entry-double', 'entry-row'],
    /^(entry|segment|clock)/,
  ],
  [
    'an entry row is in a segment that is not there',
    `UPDATE entry SET segment = 'AAAAAAAAAAAAAAAAAAAAAA' WHERE id = ${standing}`,
    ['orphan', 'entry-row'],
    /./,
  ],
  [
    'an edit is of nothing',
    "UPDATE entry SET ref = zeroblob(16) WHERE op = 'edit' AND gone = 0",
    ['ref', 'entry-place'],
    /^(entry|clock)/,
  ],
  [
    'a number is given twice',
    `UPDATE entry SET seq = seq + 1 WHERE id = ${standing}`,
    ['seq', 'entry-place'],
    /^(channel|clock)/,
  ],
  ['a channel’s newest number is another', `UPDATE channel SET seq = seq + 1 WHERE id = ${large}`, ['seq'], /^channel/],
  ['a channel’s newest post is another', `UPDATE channel SET last = last - 1 WHERE id = ${large}`, ['last'], /^channel/],
  [
    'a channel’s head is an old segment',
    `UPDATE channel SET head = ${segment} WHERE id = ${large}`,
    ['head', 'sealed'],
    /^(channel|segment)/,
  ],
  ['a channel’s rev is behind', `UPDATE channel SET rev = 0 WHERE id = ${large}`, ['rev'], /^segment/],
  [
    'a reservation binds nobody',
    "UPDATE entry SET redactors = '[]' WHERE kind = 'reserved' AND manage = 0",
    ['reserved'],
    /^entry/,
  ],
  ['a channel’s row is missing', `DELETE FROM channel WHERE id = ${large}`, ['channel', 'orphan'], /./],
  [
    'a command says something else',
    "UPDATE command SET text = replace(text, 'Harbour', 'Harbor') WHERE text LIKE '%Harbour%'",
    ['chain'],
    /^command 2 of community/,
  ],
  ['a command is missing', 'DELETE FROM command WHERE n = 3', ['chain'], /^command 4 of community/],
  ['a command’s time is another', 'UPDATE command SET at = at + 1 WHERE n = 5', ['chain-hash'], /^community/],
  [
    'a command’s row has another id',
    "UPDATE command SET id = 'AAAAAAAAAAAAAAAAAAAAAA' WHERE n = 2",
    ['command-row'],
    /^command 2/,
  ],
  ['the state is another', "UPDATE space SET state = replace(state, 'Harbour', 'Harbor')", ['state'], /^community/],
  ['the chain’s hash is another', 'UPDATE space SET hash = zeroblob(32)', ['chain-hash'], /^community/],
  ['one who was removed is a member', "UPDATE member SET left_at = 0 WHERE username = 'tam_le'", ['member'], /^member/],
  ['one is a member whom nobody let in', (sql) => addMember(sql), ['member'], /^member/],
  ['a revoked invite is open', 'UPDATE invite SET revoked = 0', ['invite'], /^invite/],
  [
    'a change of the structure document is missing',
    'DELETE FROM structure_change WHERE nr = 2',
    ['structure'],
    /^structure document/,
  ],
  [
    'a change of the structure document is spoilt',
    'UPDATE structure_change SET bytes = zeroblob(90) WHERE nr = 2',
    ['structure'],
    /^structure document/,
  ],
  [
    'a device’s key is missing',
    "DELETE FROM device WHERE account = (SELECT id FROM account WHERE username = 'yusra')",
    ['key', 'chain', 'orphan'],
    /./,
  ],
  ['a device’s certificate is another’s', 'UPDATE device SET sig = (SELECT sig FROM device LIMIT 1)', ['certificate'], /^device/],
  [
    'an account’s identity key is another',
    "UPDATE account SET identity = randomblob(32) WHERE username = 'ola'",
    ['account', 'certificate'],
    /^(account|device)/,
  ],
  ['a read marker is ahead', 'UPDATE read_marker SET seq = 9999', ['read-marker'], /^read marker/],
  [
    'a private document is nobody’s',
    "UPDATE private_blob SET account = 'AAAAAAAAAAAAAAAAAAAAAA' WHERE nr = 1",
    ['orphan'],
    /^private document/,
  ],
  [
    'a private document’s part has no number',
    'UPDATE private_blob SET nr = 0 WHERE (account, nr) IN (SELECT account, max(nr) FROM private_blob GROUP BY account)',
    ['private'],
    /^private document/,
  ],
  [
    'tape is left without a segment',
    `INSERT INTO tape_row SELECT 'AAAAAAAAAAAAAAAAAAAAAA', clock, count, tape FROM tape_row LIMIT 1`,
    ['orphan'],
    /^tape row/,
  ],
  ['the relay’s clock is behind', "UPDATE meta SET value = '1' WHERE key = 'clock'", ['clock'], /./],
  ['there is no incarnation', "DELETE FROM meta WHERE key = 'incarnation'", ['meta'], /^meta/],
  [
    'an erased account has its address still',
    "UPDATE account SET erased = 1 WHERE username = 'ola'",
    ['erased'],
    /^(account|member)/,
  ],
]

function replaceIn(sql: DatabaseSync, from: string, to: string): void {
  const row = sql.prepare('SELECT segment, tape FROM tape_snapshot WHERE instr(tape, ?) > 0 LIMIT 1').get(utf8(from))
  const tape = Buffer.from(row?.tape instanceof Uint8Array ? row.tape : [])
  tape.write(to, tape.indexOf(from))
  sql.prepare('UPDATE tape_snapshot SET tape = ? WHERE segment = ?').run(tape, String(row?.segment))
}

function nonsense(sql: DatabaseSync): void {
  const row = sql.prepare('SELECT segment FROM tape_row WHERE clock = 0 AND count = 1 LIMIT 1').get()
  sql
    .prepare('UPDATE tape_row SET tape = ? WHERE segment = ? AND clock = 0')
    .run(farBlob(tapeOfElement(utf8('no element'))), String(row?.segment))
}

function addMember(sql: DatabaseSync): void {
  const space = sql.prepare("SELECT id FROM space WHERE state LIKE '%Bees%'").get()?.id ?? ''
  const account = sql.prepare("SELECT id FROM account WHERE username = 'ola'").get()?.id ?? ''
  sql.prepare("INSERT INTO member VALUES (?, ?, 'ola', 5, 0, 1)").run(space, account)
}

test('[VER-1] where all is well nothing is found', async () => {
  expect(await verify(spoilt)).toMatchObject({ findings: [], wrong: 0, looked: { elements: 149 } })
})

test.each(damages)('[VER-2] it finds that %s', async (_, damage, codes, where) => {
  change((sql) => (typeof damage === 'string' ? sql.exec(damage) : damage(sql)))
  const { findings, wrong } = await verify(spoilt)
  expect(wrong).toBeGreaterThan(0)
  const found = new Set(findings.map((finding) => finding.code))
  expect([...found].sort(), JSON.stringify(findings.slice(0, 20), undefined, 1)).toEqual(expect.arrayContaining(codes))
  expect(findings.filter(({ code }) => codes.includes(code))[0]?.where).toMatch(where)
})

test('[VER-3] a spoilt page is a finding, and what can be read is looked at', async () => {
  const pages = readFileSync(spoilt).length / 4096
  const file = openSync(spoilt, 'r+')
  for (let page = Math.floor(pages / 2); page < pages; page++) writeSync(file, new Uint8Array(4096).fill(7), 0, 4096, page * 4096)
  closeSync(file)
  const { findings } = await verify(spoilt)
  expect(findings.some(({ code }) => code === 'file')).toBe(true)
})

test('[VER-4] of many alike the first are named and the rest counted', async () => {
  change((sql) => sql.exec("UPDATE meta SET value = '1' WHERE key = 'clock'"))
  const { findings, wrong } = await verify(spoilt)
  expect(wrong).toBeGreaterThan(149)
  expect(findings.length).toBe(51)
  expect(findings.at(-1)?.what).toMatch(/^\d+ more/)
})

test('[VER-5] each finding is one line, the code says that there are some, and --json says the same to scripts', async () => {
  const well = await runCommandLine(['verify'], folder)
  expect(well).toMatchObject({ code: 0, lines: [expect.stringContaining('149 elements: nothing is wrong')] })
  change((sql) => sql.exec(`UPDATE channel SET last = 1 WHERE id = ${large}`))
  const { lines, code } = await runCommandLine(['verify'], folder)
  expect(code).toBe(1)
  expect(lines).toEqual([
    expect.stringMatching(/^channel \S+: says its newest standing post is 1, it is/),
    expect.stringContaining('1 wrong'),
  ])
  const json = await runCommandLine(['verify', spoilt, '--json'], '/nowhere')
  expect(json.code).toBe(1)
  expect(JSON.parse(json.lines.join('\n'))).toMatchObject({ wrong: 1, findings: [{ code: 'last' }] })
})

test('[VER-6] what cannot be checked is said in a sentence', async () => {
  await expect(verify(join(folder, 'nothing.db'))).rejects.toThrow('there is no')
  copyGoldenDatabase(spoilt)
  await expect(verify(spoilt)).rejects.toThrow('of version 1')
  expect(await runCommandLine(['verify', '--loudly'], folder)).toMatchObject({ code: 2 })
  expect(await runCommandLine(['dance'], folder)).toMatchObject({ code: 2 })
})
